//! The table in ARCHITECTURE.md that sends a newcomer to a file names files that are there.

use std::collections::BTreeSet;
use std::path::Path;

/// What a newcomer wants, and the paths named for it, of every row of the table.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let table = text.lines().skip_while(|line| !line.starts_with("| I want to add |")).skip(2);
    let row = |line: &str| {
        let (wish, open) = line.trim_matches('|').split_once('|')?;
        let paths = open.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((wish.trim().to_owned(), paths))
    };
    table.take_while(|line| line.starts_with('|')).filter_map(row).collect()
}

/// Rows that name nothing, and paths that are not there.
fn lost(text: &str) -> Vec<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for (wish, paths) in rows(text) {
        if paths.is_empty() {
            faults.push(format!("{wish}: no path"));
        }
        faults.extend(
            paths.iter().filter(|path| !top.join(path).is_file()).map(|path| format!("{wish}: {path}")),
        );
    }
    faults
}

#[test]
fn a_newcomer_finds_what_the_table_names() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(file).expect("ARCHITECTURE.md can be read");
    let wishes: BTreeSet<String> = rows(&text).into_iter().map(|(wish, _)| wish).collect();
    for wish in ["a method", "a dataset", "a suite", "a report section", "a weight format", "a statistic"] {
        assert!(wishes.contains(wish), "{wish} is not in the table");
    }
    assert!(lost(&text).is_empty(), "{}", lost(&text).join("\n"));
    let broken =
        "| I want to add | open |\n|---|---|\n| a | `src/lib.rs`, `src/none.rs` |\n| b | see there |\n";
    assert_eq!(lost(broken), ["a: src/none.rs", "b: no path"]);
}
