//! The source tree's own rules, read from the sources: imports go one way, the backbone names no method, only
//! `frame` knows polars, reports read only records.
//!
//! Each rule is a function of files given as text, so that a tree that breaks it can be shown to fail.

use std::collections::BTreeSet;
use std::path::Path;

use rpo_bench::method;

/// A source file: its path below `src`, and its code without comments and tests.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let body = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code = body.lines().filter(|line| !line.trim_start().starts_with("//"));
        Self { path: path.to_owned(), code: code.collect::<Vec<_>>().join("\n") }
    }

    /// The room: the first folder, or the file's name for a file at the top.
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Names that stand behind `crate::`, several levels joined by `::`.
    fn imports(&self) -> BTreeSet<String> {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let mut found = BTreeSet::new();
        for (at, _) in self.code.match_indices("crate::") {
            let rest = &self.code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                None => {
                    found.insert(rest.split(|c| !word(c)).next().unwrap_or_default().to_owned());
                }
                Some(list) => {
                    let list = list.split("};").next().unwrap_or_default();
                    found.extend(
                        list.split(',').map(|name| {
                            name.trim().split(|c| !word(c)).next().unwrap_or_default().to_owned()
                        }),
                    );
                }
            }
        }
        found
    }
}

/// Every file below `dir`, with its path below `top`.
fn walk(dir: &Path, top: &Path, out: &mut Vec<Source>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, top, out)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            out.push(Source::new(&name, &std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn sources() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    walk(&top, &top, &mut out).expect("the sources can be read");
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

/// What a room may import from, besides itself and `util`. The order is that of the data's way.
const ROOMS: &[(&str, &[&str])] = &[
    ("util", &[]),
    ("preprocess", &[]),
    ("stats", &[]),
    ("data", &["preprocess"]),
    ("backbone", &["preprocess"]),
    ("fetch", &["backbone", "data"]),
    ("method", &["backbone", "data"]),
    ("train", &["backbone", "data", "method", "preprocess"]),
    ("protocol", &["method"]),
    ("record", &["data"]),
    ("cluster", &["record"]),
    ("frame", &["record", "data", "stats"]),
    ("report", &["record", "frame", "stats", "data", "method", "protocol"]),
    ("pocket", &["backbone", "data", "preprocess", "method", "train", "report"]),
    (
        "suite",
        &[
            "backbone",
            "data",
            "preprocess",
            "method",
            "train",
            "record",
            "report",
            "frame",
            "stats",
            "protocol",
            "pocket",
        ],
    ),
    ("check", &["backbone", "data", "preprocess", "method", "train", "record", "suite", "stats", "pocket"]),
];

fn backward_imports(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == source.room()) else { continue };
        for import in source.imports() {
            let room = import.split("::").next().unwrap_or_default();
            let known = ROOMS.iter().any(|(name, _)| *name == room) || room == "cli";
            if known && room != source.room() && room != "util" && !allowed.contains(&room) {
                faults.push(format!("{} imports {import}", source.path));
            }
        }
    }
    faults
}

/// The layers of `suite`, the lowest first: what was asked, the world, what will be done, what lies on disk, the work.
const LAYERS: &[&str] = &["spec", "world", "plan", "disk", "run"];

fn suite_layers(sources: &[Source]) -> Vec<String> {
    let level = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.room() == "suite") {
        let own = source.path.split('/').nth(1).map(|part| part.trim_end_matches(".rs"));
        let Some(own) = own.and_then(level) else { continue };
        for import in source.imports() {
            let mut parts = import.split("::");
            if parts.next() != Some("suite") {
                continue;
            }
            if parts.next().and_then(level).is_some_and(|other| other > own) {
                faults.push(format!("{} imports {import}", source.path));
            }
        }
    }
    faults
}

/// Places where a method's id is not the method: the layout of CoOp's data, a figure of the paper, a default on the command
/// line.
const NO_METHOD: [(&str, &str); 5] = [
    ("report/compare/comparable.rs", "coop"),
    ("suite/world.rs", "coop"),
    ("report/compare/paper.rs", "coop"),
    ("report/compare/text.rs", "linear_probe"),
    ("cli/args/bench.rs", "rpo"),
];

/// Method ids that stand in a string of the code, outside the methods' own room.
fn methods_named(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.room() != "method") {
        for id in method::ids().filter(|id| !NO_METHOD.contains(&(source.path.as_str(), *id))) {
            if source.code.contains(&format!("\"{id}\"")) {
                faults.push(format!("{} names {id}", source.path));
            }
        }
    }
    faults
}

fn polars_outside_frame(sources: &[Source]) -> Vec<String> {
    let knows = |source: &&Source| source.room() != "frame" && source.code.contains("polars::");
    sources.iter().filter(knows).map(|source| format!("{} knows polars", source.path)).collect()
}

fn check(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn imports_go_one_way() {
    check(backward_imports(&sources()));
    let broken = [
        Source::new("stats/x.rs", "use crate::report::page;\n"),
        Source::new("data/x.rs", "use crate::{\n    suite::World,\n    util::hex,\n};\n"),
    ];
    assert_eq!(
        backward_imports(&broken),
        ["stats/x.rs imports report::page", "data/x.rs imports suite::World"]
    );
}

#[test]
fn every_room_has_its_place() {
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).chain(["lib", "main", "cli"]).collect();
    let all = sources();
    let found: BTreeSet<&str> = all.iter().map(Source::room).collect();
    assert_eq!(found, known);
}

#[test]
fn the_layers_of_a_suite_lie_on_each_other() {
    check(suite_layers(&sources()));
    let broken = [Source::new("suite/spec/x.rs", "use crate::suite::run::lane::Lane;\n")];
    assert_eq!(suite_layers(&broken), ["suite/spec/x.rs imports suite::run::lane::Lane"]);
}

#[test]
fn no_method_is_named_outside_its_room() {
    check(methods_named(&sources()));
    assert_eq!(
        methods_named(&[Source::new("backbone/x.rs", "if id == \"rpo\" {}")]),
        ["backbone/x.rs names rpo"]
    );
}

#[test]
fn only_the_frame_knows_polars() {
    check(polars_outside_frame(&sources()));
    assert_eq!(polars_outside_frame(&[Source::new("report/x.rs", "use polars::prelude::*;")]).len(), 1);
    assert!(
        polars_outside_frame(&[Source::new("report/x.rs", "// polars::prelude is for frame")]).is_empty()
    );
}
