//! One word, one thing: a type that is seen outside its file has its name to itself among the rooms.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Source, sources};

/// Visibilities that let other rooms see a type.
const SEEN: [&str; 3] = ["pub ", "pub(crate) ", "pub(in "];
/// What declares a type.
const KINDS: [&str; 4] = ["struct ", "enum ", "trait ", "type "];

/// Names still to be changed in these files, which have them from another room.
const KNOWN: [(&str, &str); 18] = [
    ("Counts", "import/keep.rs"),
    ("Drawn", "handout/draw.rs"),
    ("Entry", "report/explorer/data.rs"),
    ("Estimate", "stats/grouped.rs"),
    ("Fault", "import/log.rs"),
    ("Found", "import/keep.rs"),
    ("Group", "report/families.rs"),
    ("Keeper", "import/keep.rs"),
    ("Listed", "handout/draw.rs"),
    ("Lists", "handout/lists.rs"),
    ("Measure", "stats/measures/measure.rs"),
    ("Outcome", "stats/measures/mod.rs"),
    ("Outcome", "report/outcome.rs"),
    ("Outcome", "import/dassl.rs"),
    ("Panel", "report/plot/reliability.rs"),
    ("Place", "report/explorer/data.rs"),
    ("Places", "report/explorer/cells.rs"),
    ("Sources", "report/sources.rs"),
];

/// Names of types that a file shows.
fn shown(source: &Source) -> BTreeSet<&str> {
    let lines = source.code.lines().filter(|line| SEEN.iter().any(|seen| line.starts_with(seen)));
    let name = |line| {
        let declared = KINDS.iter().find_map(|kind| str::split_once(line, kind))?.1;
        declared.split(|c: char| !c.is_alphanumeric()).next()
    };
    lines.filter(|line| !line.contains(" fn ") && !line.contains(" use ")).filter_map(name).collect()
}

/// Names that stand for types in several rooms, with the files.
fn taken_twice(sources: &[Source]) -> Vec<String> {
    let mut places: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for source in sources {
        let known = |name: &&str| !KNOWN.contains(&(*name, source.path.as_str()));
        for name in shown(source).into_iter().filter(known) {
            places.entry(name).or_default().insert(source.room(), &source.path);
        }
    }
    places.retain(|_, rooms| rooms.len() > 1);
    let line = |(name, rooms): (&str, BTreeMap<&str, &str>)| {
        format!("{name}: {}", rooms.into_values().collect::<Vec<_>>().join(", "))
    };
    places.into_iter().map(line).collect()
}

#[test]
fn no_word_stands_for_two_things() {
    let found = taken_twice(&sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_name_in_two_rooms_is_found() {
    let files = [
        Source::new("a/x.rs", "pub struct Place {\n    pub a: u8,\n}\n"),
        Source::new("b/y.rs", "pub(in crate::b) enum Place {}\n"),
        Source::new("c/z.rs", "struct Place;\npub fn place() {}\n"),
        Source::new("a/z.rs", "pub trait Other {}\npub type Thing = u8;\n"),
        Source::new("a/w.rs", "pub type Thing = u8;\n"),
    ];
    assert_eq!(taken_twice(&files), ["Place: a/x.rs, b/y.rs"]);
}
