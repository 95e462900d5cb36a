//! Draws with a row an image (`.jsonl`), as 2SFS and its kin keep them: path, label, class name, in drawing order.
//!
//! What a row says is held against the training list: an image that is not in it, another label or another class name is
//! an error that names the line.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Split;
use super::draw_error::DrawFileError;
use crate::util::mistaken::without_bom;

/// One row. The words are Dassl's; the readable ones are taken as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnRow {
    /// Path of the image; folders may stand before what the lists say.
    #[serde(alias = "path")]
    pub impath: String,
    /// Its label among all classes.
    pub label: u32,
    /// The name of its class.
    #[serde(alias = "class_name")]
    pub classname: String,
}

/// Positions in the training list of the rows of a file, in their order; `file` is its name in errors, `class_names` are
/// those by label. Leading folders of a path are dropped one by one until it is an item's, as it stands or below
/// `dataset_folder`.
///
/// # Errors
/// [`DrawFileError::Row`] naming line, path and what differs.
pub fn parse_rows(
    bytes: &[u8],
    file: &str,
    dataset_folder: Option<&str>,
    split: &Split,
    class_names: &[String],
) -> Result<Vec<usize>, DrawFileError> {
    let known: BTreeMap<&str, usize> =
        split.train.iter().enumerate().map(|(at, item)| (item.path.as_str(), at)).collect();
    let (mut drawn, mut seen) = (Vec::new(), BTreeSet::new());
    let lines = without_bom(bytes).split(|byte| *byte == b'\n').enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let fail = |reason: String| DrawFileError::Row { file: file.to_owned(), line: number + 1, reason };
        let row: DrawnRow = serde_json::from_slice(line).map_err(|error| fail(error.to_string()))?;
        let path: String = row.impath.chars().take(SHOWN).collect();
        let at = find(&known, &row.impath, dataset_folder)
            .ok_or_else(|| fail(format!("{path} is not in the training list")))?;
        let label = split.train[at].label;
        let name = class_names.get(label as usize).map_or("", String::as_str);
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

/// Characters of a path in a message.
const SHOWN: usize = 120;

/// What a path ends in: as it stands or below the dataset's folder, leading folders dropped one by one.
pub fn find(known: &BTreeMap<&str, usize>, path: &str, dataset_folder: Option<&str>) -> Option<usize> {
    let tails = std::iter::successors(Some(path), |rest| rest.split_once('/').map(|(_, tail)| tail));
    let mut found = tails.filter_map(|tail| {
        let below = || known.get(format!("{}/{tail}", dataset_folder?).as_str());
        known.get(tail).or_else(below)
    });
    found.next().copied()
}

/// Class names with `_` and with spaces are the same.
pub fn same_name(one: &str, other: &str) -> bool {
    one.replace('_', " ") == other.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Item;

    #[test]
    fn rows_are_items_with_their_label_and_class_name() {
        let item = |path: &str, label| Item { path: format!("food/images/{path}"), label };
        let split = Split { train: vec![item("pie/1.jpg", 0), item("soup/1.jpg", 1)], ..Split::default() };
        let names = ["apple pie".to_owned(), "soup".to_owned()];
        let read = |text: &str| {
            parse_rows(text.as_bytes(), "f.jsonl", Some("food"), &split, &names).map_err(|e| e.to_string())
        };
        let pie = r#"{"impath": "images/pie/1.jpg", "label": 0, "classname": "apple_pie"}"#;
        let soup = r#"{"path": "/x/food/images/soup/1.jpg", "label": 1, "class_name": "soup"}"#;
        assert_eq!(read(&format!("\u{feff}{soup}\r\n\n{pie}")).unwrap(), [1, 0]);
        for (rows, part) in [
            (pie.replace("pie/1", "pie/2"), "f.jsonl: line 1: images/pie/2.jpg is not in the training list"),
            (format!("{soup}\n{}", pie.replace('0', "1")), "line 2: images/pie/1.jpg has label 1"),
            (pie.replace("apple_", ""), "(\"pie\"); in this data it has label 0 (\"apple pie\")"),
            (format!("{soup}\n{soup}"), "line 2: /x/food/images/soup/1.jpg stands here for the second time"),
            ("{}".to_owned(), "missing field"),
        ] {
            let said = read(&rows).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }
}
