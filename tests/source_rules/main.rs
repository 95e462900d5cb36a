//! The source tree's own rules, read from the sources: imports go one way, the backbone names no method, only
//! `frame` knows polars, reports read only records, and no two files of a room lean on each other.
//!
//! Each rule is a function of files given as text, so that a tree that breaks it can be shown to fail.

mod circles;
mod names;
mod newcomer;
mod sources;
mod spelling;
mod vectors;

use std::collections::BTreeSet;

use rpo_bench::method;

use sources::{Source, sources};

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
    ("handout", &["data", "pocket"]),
    ("import", &["data", "handout", "method", "record"]),
    ("pocket", &["backbone", "data", "preprocess", "method", "train", "report"]),
    ("handout", &["data", "pocket"]),
    ("import", &["data", "method", "record", "handout"]),
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
    (
        "check",
        &["backbone", "data", "preprocess", "method", "train", "record", "frame", "suite", "stats", "pocket"],
    ),
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
/// line, records that a benchmark makes up.
const NO_METHOD: [(&str, &str); 5] = [
    ("report/compare/comparable.rs", "coop"),
    ("suite/world/open.rs", "coop"),
    ("report/compare/paper.rs", "coop"),
    ("report/compare/text.rs", "linear_probe"),
    ("cli/args/bench.rs", "rpo"),
];

/// Method ids that stand in a string of the code, outside the methods' own room.
fn methods_named(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    // What other programs call methods is translated in one room; and a file of tests names what it likes.
    let bound = |source: &&Source| {
        !["method", "import"].contains(&source.room()) && !source.path.ends_with("_tests.rs")
    };
    for source in sources.iter().filter(bound) {
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
    let broken = [Source::new("suite/spec/x.rs", "use crate::suite::run::life::lane::Lane;\n")];
    assert_eq!(suite_layers(&broken), ["suite/spec/x.rs imports suite::run::life::lane::Lane"]);
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

/// Rooms whose long files have yet to say why.
const UNEXPLAINED: [&str; 3] = ["method/", "cli/", "check/parity/"];

/// A file over this many lines says why in its head.
const MOST_LINES: usize = 300;

fn long_without_a_reason(sources: &[Source]) -> Vec<String> {
    let long = |source: &&Source| source.lines > MOST_LINES && !source.head.contains("Long because");
    let known = |source: &&Source| !UNEXPLAINED.iter().any(|room| source.path.starts_with(room));
    sources.iter().filter(long).filter(known).map(|s| format!("{} has {} lines", s.path, s.lines)).collect()
}

#[test]
fn long_files_say_why_they_are() {
    check(long_without_a_reason(&sources()));
    let long = "fn x() {}\n".repeat(301);
    let files = [
        Source::new("a/x.rs", &format!("//! X.\n{long}")),
        Source::new("a/y.rs", &format!("//! Y. Long because it is a table.\n{long}")),
        Source::new("a/z.rs", "//! Z.\n"),
    ];
    assert_eq!(long_without_a_reason(&files), ["a/x.rs has 302 lines"]);
}
