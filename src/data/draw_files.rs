//! Few-shot draws that somebody published: `DIR/DATASET/shot_K-seed_S.json` or `.jsonl`, plain or gzip.
//!
//! It owns the file format of linzhiqiu/cross_modal_adaptation's `indices/`, `{"train": {"data": [{"impath",
//! "label", …}]}}`, whose order is the drawing order; rows of a `.jsonl` are read by [`super::draw_rows`]. Easy to get
//! wrong: `impath` starts at the publisher's working directory or at the dataset's folder, never at the data root, so
//! paths are matched from their end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::draw_error::DrawFileError;
use super::draw_rows::{find, parse_rows};
use super::split_json::read_unpacked;
use super::{Item, Split};
use crate::util::mistaken::{json_reason, without_bom};

/// How the name of a draw's file may end, in the order in which they are looked for.
const ENDINGS: [&str; 4] = ["json", "json.gz", "jsonl", "jsonl.gz"];

/// The part of a file that is read; the publisher's other fields are left alone.
#[derive(Deserialize)]
struct DrawFile {
    train: List,
}

#[derive(Deserialize)]
struct List {
    data: Vec<DrawnImage>,
}

#[derive(Deserialize)]
struct DrawnImage {
    impath: String,
    label: u32,
}

/// The published draws of one dataset.
#[derive(Clone, Debug)]
pub struct DrawFiles {
    /// `DIR/DATASET`.
    dir: PathBuf,
    /// The dataset's folder under the data root, where some publishers' paths start.
    dataset_folder: String,
}

impl DrawFiles {
    /// The draws of dataset `id` below `dir`, if it has any; `dataset_folder` is relative to the data root.
    pub fn find(dir: &Path, id: &str, dataset_folder: &str) -> Option<Self> {
        let dir = dir.join(id);
        dir.is_dir().then(|| Self { dir, dataset_folder: dataset_folder.to_owned() })
    }

    /// Positions in `split.train`, in drawing order. `class_names` are those by label: a row of a `.jsonl` says them too.
    ///
    /// # Errors
    /// [`DrawFileError`], also for a file of other images, labels, class names or numbers of shots.
    pub fn draw(
        &self,
        split: &Split,
        class_names: &[String],
        shots: u32,
        seed: u64,
    ) -> Result<Vec<usize>, DrawFileError> {
        let named = |ending: &str| self.dir.join(format!("shot_{shots}-seed_{seed}.{ending}"));
        let Some(path) = ENDINGS.iter().map(|ending| named(ending)).find(|path| path.exists()) else {
            return Err(DrawFileError::Missing { file: named(ENDINGS[0]).display().to_string() });
        };
        let (bytes, file, folder) = (read_unpacked(&path)?, path.display().to_string(), &self.dataset_folder);
        if !path.to_string_lossy().trim_end_matches(".gz").ends_with(".jsonl") {
            return parse_draw(&bytes, &file, folder, split, shots);
        }
        let drawn = parse_rows(&bytes, &file, Some(folder), split, class_names)?;
        check_counts(&drawn, split, shots, &file)?;
        Ok(drawn)
    }
}

/// The draw in a file's bytes; `file` is its name in errors.
///
/// # Errors
/// As [`DrawFiles::draw`], but for reading.
pub fn parse_draw(
    bytes: &[u8],
    file: &str,
    dataset_folder: &str,
    split: &Split,
    shots: u32,
) -> Result<Vec<usize>, DrawFileError> {
    let parsed: DrawFile = serde_json::from_slice(without_bom(bytes))
        .map_err(|e| DrawFileError::Json { file: file.to_owned(), reason: json_reason(&e) })?;
    let known: BTreeMap<&str, usize> =
        split.train.iter().enumerate().map(|(position, item)| (item.path.as_str(), position)).collect();
    let (mut drawn, mut seen) = (Vec::new(), BTreeSet::new());
    for (position, entry) in parsed.train.data.iter().enumerate() {
        let fail = |reason: String| DrawFileError::Entry {
            file: file.to_owned(),
            position,
            value: entry.impath.chars().take(120).collect(),
            reason,
        };
        let index = find(&known, &entry.impath, Some(dataset_folder))
            .ok_or_else(|| fail("which is not in the training list".to_owned()))?;
        let label = split.train[index].label;
        if label != entry.label {
            return Err(fail(format!("with label {}; in this data it has label {label}", entry.label)));
        }
        if !seen.insert(index) {
            return Err(fail("for the second time".to_owned()));
        }
        drawn.push(index);
    }
    check_counts(&drawn, split, shots, file)?;
    Ok(drawn)
}

/// Every class of the training list has its `shots` items, or all where it has fewer.
fn check_counts(drawn: &[usize], split: &Split, shots: u32, file: &str) -> Result<(), DrawFileError> {
    let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for Item { label, .. } in &split.train {
        counts.entry(*label).or_default().0 += 1;
    }
    for position in drawn {
        counts.entry(split.train[*position].label).or_default().1 += 1;
    }
    for (label, (all, found)) in counts {
        let expected = all.min(shots as usize);
        if found != expected {
            return Err(DrawFileError::Count { file: file.to_owned(), label, found, expected });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split() -> Split {
        let item = |path: &str, label| Item { path: format!("food-101/images/{path}"), label };
        let train = vec![item("pie/1.jpg", 0), item("pie/2.jpg", 0), item("soup/1.jpg", 1)];
        Split { train, ..Split::default() }
    }

    fn draw(entries: &[(&str, u32)], shots: u32) -> Result<Vec<usize>, String> {
        let data: Vec<_> = entries
            .iter()
            .map(|(path, label)| serde_json::json!({"impath": path, "label": label, "classname": "x"}))
            .collect();
        let file =
            serde_json::json!({"train": {"data": data, "indices": []}, "val": {"data": []}}).to_string();
        parse_draw(file.as_bytes(), "f.json", "food-101", &split(), shots).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_may_start_anywhere_and_order_is_kept() {
        let full = ("./data/food-101/images/soup/1.jpg", 1);
        assert_eq!(draw(&[full, ("images/pie/2.jpg", 0)], 1).unwrap(), [2, 1]);
        assert_eq!(draw(&[("images/pie/2.jpg", 0), ("images/pie/1.jpg", 0), full], 2).unwrap(), [1, 0, 2]);
    }

    #[test]
    fn other_images_labels_and_sizes_are_named() {
        let soup = ("images/soup/1.jpg", 1);
        for (entries, shots, part) in [
            (vec![soup, ("images/pie/9.jpg", 0)], 1, "data[1] is images/pie/9.jpg, which is not"),
            (vec![("images/soup/1.jpg", 0)], 1, "with label 0; in this data it has label 1"),
            (vec![soup, soup], 1, "for the second time"),
            (vec![soup], 1, "class 0 has 0 items, a draw of this size has 1"),
            (vec![soup, ("images/pie/1.jpg", 0)], 2, "class 0 has 1 items, a draw of this size has 2"),
        ] {
            let said = draw(&entries, shots).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }
}
