//! A few-shot draw and the test lists beside it, as one document and as a table.
//!
//! Easy to get wrong: the draw comes before the halving, so base and new share it, and `draw_sha256` is over all of
//! it, with full labels, as records have it. The labels of rows are counted among the classes asked for.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::lists::DatasetLists;
use crate::data::{Classes, FewShot, Item, LabelMap, LocalItem, PyRandom, fewshot};
use crate::util::hex;

/// One image of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandoutImage {
    /// Path relative to the data root.
    pub path: String,
    /// Label among the classes asked for, from 0.
    pub label: u32,
    /// Class name.
    pub class_name: String,
}

/// The test list of one half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestList {
    /// Images.
    pub images: usize,
    /// Names of the half's classes by local label.
    pub class_names: Vec<String>,
    /// Full label of each local label.
    pub full_labels: Vec<u32>,
    /// SHA-256 over `PATH tab LOCAL_LABEL newline` of every image, in test order.
    pub sha256: String,
}

/// Test lists of both halves and of all classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestLists {
    /// Base classes.
    pub base: TestList,
    /// New classes.
    pub new: TestList,
    /// All classes.
    pub all: TestList,
}

/// A draw, handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrawHandout {
    /// Dataset id.
    pub dataset: String,
    /// Seed, in decimal: it may be larger than 64 bits.
    pub seed: String,
    /// Images a class.
    pub shots: u32,
    /// The classes whose images are listed.
    pub classes: Classes,
    /// Hand-written zero-shot template; `{}` stands for the class name.
    pub template: String,
    /// Class names by label.
    pub class_names: Vec<String>,
    /// SHA-256 of the dataset's lists.
    pub split_sha256: String,
    /// SHA-256 over `PATH tab FULL_LABEL newline` of the whole training draw, as records have it.
    pub draw_sha256: String,
    /// Digests and class orders of the test lists.
    pub test_lists: TestLists,
    /// Training images in drawing order.
    pub train: Vec<HandoutImage>,
    /// Validation images in drawing order.
    pub val: Vec<HandoutImage>,
    /// Test images in test order.
    pub test: Vec<HandoutImage>,
}

/// SHA-256 over `PATH tab LABEL newline` of every image.
pub fn list_sha256<'a>(items: impl IntoIterator<Item = (&'a str, u32)>) -> String {
    let mut hash = Sha256::new();
    items.into_iter().for_each(|(path, label)| hash.update(format!("{path}\t{label}\n")));
    hex(&hash.finalize())
}

impl DrawHandout {
    /// CoOp's draw of a seed.
    pub fn new(lists: &DatasetLists, classes: Classes, (seed, shots): (&str, u32), random: PyRandom) -> Self {
        Self::of(lists, classes, (seed, shots), &fewshot::draw_with(&lists.split, shots, random))
    }

    /// A draw that somebody else made: positions in the lists.
    pub fn of(lists: &DatasetLists, classes: Classes, (seed, shots): (&str, u32), drawn: &FewShot) -> Self {
        let pick = |list: &[Item], positions: &[usize]| -> Vec<Item> {
            positions.iter().map(|at| list[*at].clone()).collect()
        };
        let (train, val) = (pick(&lists.split.train, &drawn.train), pick(&lists.split.val, &drawn.val));
        let map = lists.labels(classes);
        let listed = |items: &[Item]| listed(&map, &lists.class_names, items);
        Self {
            dataset: lists.id.clone(),
            seed: seed.to_owned(),
            shots,
            classes,
            template: lists.template.clone(),
            class_names: lists.names(classes),
            split_sha256: lists.split_sha256.clone(),
            draw_sha256: list_sha256(train.iter().map(|item| (item.path.as_str(), item.label))),
            test_lists: TestLists {
                base: test_list(lists, Classes::Base),
                new: test_list(lists, Classes::New),
                all: test_list(lists, Classes::All),
            },
            train: listed(&train),
            val: listed(&val),
            test: listed(&lists.split.test),
        }
    }

    /// The rows as CSV: `list,path,label,class_name`.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(["list", "path", "label", "class_name"])?;
        for (list, rows) in [("train", &self.train), ("val", &self.val), ("test", &self.test)] {
            for row in rows {
                out.write_record([list, &row.path, &row.label.to_string(), &row.class_name])?;
            }
        }
        out.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }
}

fn test_list(lists: &DatasetLists, half: Classes) -> TestList {
    let rows = lists.test(half);
    TestList {
        images: rows.len(),
        class_names: lists.names(half),
        full_labels: lists.labels(half).labels().to_vec(),
        sha256: list_sha256(rows.iter().map(|(item, label)| (item.path.as_str(), *label))),
    }
}

fn listed(map: &LabelMap, names: &[String], items: &[Item]) -> Vec<HandoutImage> {
    let row = |local: LocalItem<'_>| HandoutImage {
        path: local.item.path.clone(),
        label: local.local_label,
        class_name: names[local.item.label as usize].clone(),
    };
    map.filter(items).into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(classes: Classes, seed: u64) -> DrawHandout {
        let lists = DatasetLists::open(None, "eurosat").unwrap();
        DrawHandout::new(&lists, classes, (&seed.to_string(), 2), PyRandom::from_u64(seed))
    }

    #[test]
    fn halves_share_one_draw_and_number_their_own_classes() {
        let [all, base, new] = [Classes::All, Classes::Base, Classes::New].map(|half| drawn(half, 1));
        assert_eq!(all.train.len(), 20);
        let paths = |one: &DrawHandout| one.train.iter().map(|row| row.path.clone()).collect::<Vec<_>>();
        assert_eq!([paths(&base), paths(&new)].concat().len(), 20);
        assert!(paths(&base).iter().all(|path| paths(&all).contains(path)));
        assert_eq!(new.train.iter().map(|row| row.label).max(), Some(4));
        assert_eq!(new.class_names[0], all.class_names[5]);
        assert_eq!((&new.draw_sha256, &new.test_lists), (&all.draw_sha256, &all.test_lists));
        assert_ne!(all.test_lists.base.sha256, all.test_lists.new.sha256);
        assert_ne!(drawn(Classes::All, 2).draw_sha256, all.draw_sha256);
    }

    #[test]
    fn the_csv_has_every_row() {
        let base = drawn(Classes::Base, 1);
        let text = String::from_utf8(base.csv().unwrap()).unwrap();
        assert!(text.starts_with("list,path,label,class_name\ntrain,pocket/eurosat/train/"), "{text}");
        assert_eq!(text.lines().count(), 1 + base.train.len() + base.val.len() + base.test.len());
    }
}
