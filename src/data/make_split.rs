//! Makes a split file for a folder of class folders, DIR/CLASS/* or DIR/train/CLASS/*, from a seed.
//!
//! Without a share to train on the shares are CoOp's (50 % train, 20 % validation, 30 % test of each class), the shuffle is not:
//! CoOp shuffles an unsorted listing with the run's own seed, which nobody can repeat.

use std::path::Path;

use super::layout::class_tree_items;
use super::split_write::{SplitWriteError, split_json_bytes};
use super::{DataError, Item, Split};
use crate::util::rng::Stream;

/// A class with fewer images cannot give one to each list.
const MIN_IMAGES_PER_CLASS: usize = 3;

/// A made split: class names are folder names, paths relative to the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSplit {
    /// The lists, grouped by class.
    pub split: Split,
    /// Sorted class folders; the index is the label.
    pub class_names: Vec<String>,
    /// What was skipped in the class folders, and why.
    pub skipped: Option<String>,
}

/// How a class is dealt to the lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ListShares {
    /// CoOp's: 50 % train, 20 % validation, the rest test.
    CoOp,
    /// This share to train on, between 0 and 1, the rest test; no validation list.
    Train(f64),
}

impl ListShares {
    /// Fewest images of a class, so that each list gets one.
    fn least(self) -> usize {
        match self {
            Self::CoOp => MIN_IMAGES_PER_CLASS,
            Self::Train(_) => 2,
        }
    }

    /// Lengths of the training and validation shares.
    fn lengths(self, count: usize) -> (usize, usize) {
        match self {
            Self::CoOp => train_and_val(count),
            Self::Train(share) => {
                ((count as f64 * share).round_ties_even().clamp(1.0, count as f64 - 1.0) as usize, 0)
            }
        }
    }
}

impl MadeSplit {
    /// The bytes of the split file; reading them back gives the same lists.
    ///
    /// # Errors
    /// [`SplitWriteError`].
    pub fn to_json_bytes(&self) -> Result<Vec<u8>, SplitWriteError> {
        split_json_bytes(&self.split, &self.class_names, ".")
    }
}

/// Splits DIR/CLASS/* (of DIR/train/CLASS/* where there is a `train` and no `test`) by `seed`: the same files and seed
/// give the same lists on any machine.
///
/// # Errors
/// [`DataError`] for an unreadable folder, or a class with too few images for a list each: it is named.
pub fn make_split(dir: &Path, seed: u64, shares: ListShares) -> Result<MadeSplit, DataError> {
    let one_list = dir.join("train").is_dir() && !dir.join("test").is_dir();
    let tree = class_tree_items(dir, if one_list { "train" } else { "." })?;
    let (class_names, items, skipped) = (tree.folders, tree.items, tree.skipped);
    let mut split = Split::default();
    for group in items.chunk_by(|a, b| a.label == b.label) {
        let class = &class_names[group[0].label as usize];
        let folder = dir.join(&group[0].path).parent().map_or_else(|| dir.join(class), Path::to_owned);
        if group.len() < shares.least() {
            let reason = format!("it has {} images, a split needs {}", group.len(), shares.least());
            return Err(DataError::folder(&folder, reason));
        }
        deal(group, shares, &mut Stream::new(&["make_split", &seed.to_string(), class]), &mut split);
    }
    Ok(MadeSplit { split, class_names, skipped })
}

/// Shuffles one class and deals it to the lists.
fn deal(group: &[Item], shares: ListShares, stream: &mut Stream, split: &mut Split) {
    let mut items = group.to_vec();
    stream.shuffle(&mut items);
    let (train, val) = shares.lengths(items.len());
    split.test.extend(items.split_off(train + val));
    split.val.extend(items.split_off(train));
    split.train.extend(items);
}

/// Lengths of the training and validation shares of `count` ≥ 3 images; the test share gets the rest.
/// CoOp's rounding leaves a class of three without a test image: each list gets one here.
fn train_and_val(count: usize) -> (usize, usize) {
    let train = tenths(count, 5).clamp(1, count - 2);
    (train, tenths(count, 2).clamp(1, count - 1 - train))
}

/// `n` tenths of `count`, halves rounded to even as Python's `round` does.
fn tenths(count: usize, n: usize) -> usize {
    let (whole, rest) = (count * n / 10, count * n % 10);
    whole + usize::from(rest > 5 || (rest == 5 && whole % 2 == 1))
}

#[cfg(test)]
mod tests {
    use super::{ListShares, tenths, train_and_val};

    #[test]
    fn shares_round_like_python() {
        assert_eq!([3, 5, 7, 9, 11].map(|count| tenths(count, 5)), [2, 2, 4, 4, 6]);
        assert_eq!([3, 4, 8, 120].map(|count| tenths(count, 2)), [1, 1, 2, 24]);
    }

    #[test]
    fn a_share_leaves_an_image_to_test() {
        let lengths = |share, count| ListShares::Train(share).lengths(count);
        assert_eq!([lengths(0.8, 10), lengths(0.8, 2), lengths(0.01, 20)], [(8, 0), (1, 0), (1, 0)]);
        assert!((2..200).all(|count| lengths(0.999, count).0 < count));
    }

    #[test]
    fn every_list_gets_an_image_of_every_class() {
        assert_eq!(train_and_val(3), (1, 1));
        assert_eq!(train_and_val(120), (60, 24));
        for count in 3..200 {
            let (train, val) = train_and_val(count);
            assert!(train >= 1 && val >= 1 && train + val < count, "{count}: {train}, {val}");
        }
    }
}
