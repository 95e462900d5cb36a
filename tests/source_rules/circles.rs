//! Files of a room that lean on each other: A imports from B, and B, or something B imports from, from A.
//!
//! An import of a name that a `mod.rs` only passes on counts as one from the file that has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Source, sources};

/// Files whose circles are known and still to be opened.
const KNOWN: [&str; 12] = [
    "check/parity/",
    "cli/",
    "record/imported.rs",
    "record/schema.rs",
    "report/arm.rs",
    "report/families.rs",
    "report/context.rs",
    "report/grid.rs",
    "report/measured.rs",
    "report/outcome.rs",
    "report/page.rs",
    "report/section/failures.rs",
];

type Path = Vec<String>;

/// The module a file is: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The paths a `use` tree names, one a leaf.
fn leaves(tree: &str, prefix: &[String], out: &mut Vec<Path>) {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&tree[start..]);
    for item in items.iter().map(|item| item.trim()).filter(|item| !item.is_empty()) {
        let parts = |text: &str| text.split("::").map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        match item.split_once('{') {
            Some((head, rest)) => {
                let head = [prefix, &parts(head.trim_end_matches("::"))].concat();
                leaves(rest.rsplit_once('}').map_or(rest, |(inner, _)| inner), &head, out);
            }
            None => {
                let name = item.split(" as ").next().unwrap_or_default();
                out.push([prefix, &parts(name)].concat());
            }
        }
    }
}

/// What a file names by `use`, as absolute paths within the crate.
fn named(source: &Source) -> Vec<Path> {
    let mut found = Vec::new();
    for (at, _) in source.code.match_indices("use ") {
        let before = source.code[..at].chars().next_back();
        if before.is_none_or(|c| c.is_whitespace()) {
            let rest = &source.code[at + "use ".len()..];
            leaves(rest.split(';').next().unwrap_or_default(), &[], &mut found);
        }
    }
    let own = module(&source.path);
    let absolute = |path: Path| -> Option<Path> {
        let up = path.iter().take_while(|part| *part == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "super" => Some([&own[..own.len().checked_sub(up)?], &path[up..]].concat()),
            // Only a mod.rs names its children without a word in front.
            _ if source.path.ends_with("/mod.rs") => Some([own.as_slice(), &path].concat()),
            _ => None,
        }
    };
    found.into_iter().filter_map(absolute).collect()
}

/// Circles of files, each in path order.
fn circles(sources: &[Source]) -> Vec<Vec<String>> {
    let files: BTreeMap<Path, &str> = sources.iter().map(|s| (module(&s.path), s.path.as_str())).collect();
    let mut passed_on: BTreeMap<Path, Path> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path.ends_with("mod.rs")) {
        for path in named(source) {
            let name = path.last().cloned().unwrap_or_default();
            passed_on.insert([module(&source.path), vec![name]].concat(), path);
        }
    }
    let resolve = |mut path: Path| -> Option<&str> {
        // A name is passed on a few times at most.
        for _ in 0..8 {
            let known = (1..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
            let file = files[&path[..known]];
            let passes = file.ends_with("mod.rs") && path.len() > known;
            let next = if passes { passed_on.get(&path[..=known]) } else { None };
            match next {
                Some(next) => path = [next.as_slice(), &path[known + 1..]].concat(),
                None => return Some(file),
            }
        }
        None
    };
    let edges: BTreeMap<&str, BTreeSet<&str>> = sources
        .iter()
        .filter(|source| !source.path.ends_with("mod.rs"))
        .map(|source| {
            let targets = named(source).into_iter().filter_map(&resolve);
            (source.path.as_str(), targets.filter(|file| *file != source.path).collect())
        })
        .collect();
    let reached = |from: &str| -> BTreeSet<&str> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(file) = open.pop() {
            for next in edges.get(file.as_str()).into_iter().flatten() {
                if seen.insert(*next) {
                    open.push((*next).to_owned());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|file| (*file, reached(file))).collect();
    let mut found = BTreeSet::new();
    for (file, reached) in &all {
        let with = reached.iter().filter(|other| all.get(*other).is_some_and(|back| back.contains(file)));
        let circle: BTreeSet<String> = with.map(|other| (*other).to_owned()).collect();
        found.insert(circle.into_iter().collect::<Vec<_>>());
    }
    found.retain(|circle| !circle.is_empty());
    found.into_iter().collect()
}

#[test]
fn no_files_lean_on_each_other() {
    let found = circles(&sources());
    let open: Vec<String> = found
        .iter()
        .filter(|circle| !circle.iter().all(|file| KNOWN.iter().any(|known| file.starts_with(known))))
        .map(|circle| circle.join(" <-> "))
        .collect();
    assert!(open.is_empty(), "{}", open.join("\n"));
}

#[test]
fn a_circle_is_found_through_a_third_file_and_a_name_that_is_passed_on() {
    let files = [
        Source::new("a/mod.rs", "mod one;\nmod two;\npub use two::{Two, Other};\n"),
        Source::new("a/one.rs", "use std::path::Path;\n\nuse super::{\n    Two,\n    three::Three,\n};\n"),
        Source::new("a/two.rs", "use crate::a::three::Three;\n"),
        Source::new("a/three.rs", "use super::one::One;\n"),
        Source::new("a/four.rs", "use super::one::One;\n"),
    ];
    assert_eq!(circles(&files), [["a/one.rs", "a/three.rs", "a/two.rs"]]);
    assert!(circles(&files[..3]).is_empty());
}
