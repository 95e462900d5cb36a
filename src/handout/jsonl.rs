//! Draws with a row an image (`.jsonl`), as 2SFS and its kin keep them: path, label, class name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::draw::{Drawn, Listed};
use super::error::HandoutError;
use super::lists::Lists;
use crate::data::Classes;

/// One row. The words are Dassl's; the readable ones are taken as well.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(alias = "path")]
    impath: String,
    label: u32,
    #[serde(alias = "class_name")]
    classname: String,
}

/// The training draw, a row an image in drawing order.
///
/// # Errors
/// Whatever the serialiser reports.
pub fn write(drawn: &Drawn) -> serde_json::Result<String> {
    let line = |row: &Listed| {
        let row = Row { impath: row.path.clone(), label: row.label, classname: row.class_name.clone() };
        serde_json::to_string(&row).map(|text| text + "\n")
    };
    drawn.train.iter().map(line).collect()
}

/// Positions in the training list of the rows of `text`, in their order. Leading folders of a path are dropped one by
/// one until it is an item's. `file` is its name in errors.
///
/// # Errors
/// [`HandoutError::Row`] naming line, path and what differs.
pub fn read(text: &str, file: &str, lists: &Lists) -> Result<Vec<usize>, HandoutError> {
    let known: BTreeMap<&str, usize> =
        lists.split.train.iter().enumerate().map(|(at, item)| (item.path.as_str(), at)).collect();
    let names = lists.names(Classes::All);
    let (mut drawn, mut seen) = (Vec::new(), BTreeSet::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fail = |reason: String| HandoutError::Row { file: file.to_owned(), line: number + 1, reason };
        let row: Row = serde_json::from_str(line).map_err(|error| fail(error.to_string()))?;
        let path = row.impath.as_str();
        let at = find(&known, path)
            .ok_or_else(|| fail(format!("{path} is not in the training list of {}", lists.id)))?;
        let label = lists.split.train[at].label;
        let name = names[label as usize];
        if label != row.label || !same_name(name, &row.classname) {
            let said = format!("label {} ({:?})", row.label, row.classname);
            let ours = format!("label {label} ({name:?})");
            return Err(fail(format!("{path} has {said}; in this data it has {ours}")));
        }
        if !seen.insert(at) {
            return Err(fail(format!("{path} stands here for the second time")));
        }
        drawn.push(at);
    }
    Ok(drawn)
}

/// What a path ends in: as it stands, then leading folders dropped one by one.
pub(crate) fn find(known: &BTreeMap<&str, usize>, path: &str) -> Option<usize> {
    let tails = std::iter::successors(Some(path), |rest| rest.split_once('/').map(|(_, tail)| tail));
    tails.filter_map(|tail| known.get(tail)).next().copied()
}

/// Class names with `_` and with spaces are the same.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.replace('_', " ") == other.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{PyRandom, fewshot};

    #[test]
    fn rows_come_back_and_wrong_ones_are_named() {
        let lists = Lists::open(None, "eurosat").unwrap();
        let drawn = Drawn::new(&lists, Classes::All, ("3", 2), PyRandom::from_u64(3));
        let text = write(&drawn).unwrap();
        assert_eq!(read(&text, "f", &lists).unwrap(), fewshot::draw(&lists.split, 2, 3).train);
        assert_eq!(read(&text.replace("pocket/", "/x/pocket/"), "f", &lists).unwrap().len(), 20);
        let first = text.lines().next().unwrap();
        for (bad, part) in [
            (text.replacen("\"label\":0", "\"label\":1", 1), "line 1: "),
            (text.replacen("train/", "trial/", 1), "is not in the training list"),
            (format!("{text}{first}\n"), "line 21: "),
            ("{}\n".to_owned(), "missing field"),
        ] {
            let said = read(&bad, "f", &lists).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
    }
}
