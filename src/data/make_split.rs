//! Makes a split file for a folder of class folders, DIR/CLASS/*, from a seed.
//!
//! The shares are CoOp's (50 % train, 20 % validation, 30 % test of each class), the shuffle is not:
//! CoOp shuffles an unsorted listing with the run's own seed, which nobody can repeat.

use std::path::Path;

use super::layout::class_tree_items;
use super::split_write::{SplitWriteError, split_json_bytes};
use super::{DataError, Item, Split};
use crate::rng::Stream;

/// A class with fewer images cannot give one to each list.
const MIN_IMAGES_PER_CLASS: usize = 3;

/// A made split: class names are folder names, paths relative to the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSplit {
    /// The lists, grouped by class.
    pub split: Split,
    /// Sorted class folders; the index is the label.
    pub class_names: Vec<String>,
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

/// Splits DIR/CLASS/* by `seed`: the same files and seed give the same lists on any machine.
///
/// # Errors
/// [`DataError`] for an unreadable folder, or a class with fewer than three images: it is named.
pub fn make_split(dir: &Path, seed: u64) -> Result<MadeSplit, DataError> {
    let (class_names, items) = class_tree_items(dir)?;
    let mut split = Split::default();
    for group in items.chunk_by(|a, b| a.label == b.label) {
        let class = &class_names[group[0].label as usize];
        if group.len() < MIN_IMAGES_PER_CLASS {
            let reason = format!("it has {} images, a split needs {MIN_IMAGES_PER_CLASS}", group.len());
            return Err(DataError::folder(&dir.join(class), reason));
        }
        deal(group, &mut Stream::new(&["make_split", &seed.to_string(), class]), &mut split);
    }
    Ok(MadeSplit { split, class_names })
}

/// Shuffles one class and deals it to the lists.
fn deal(group: &[Item], stream: &mut Stream, split: &mut Split) {
    let mut items = group.to_vec();
    stream.shuffle(&mut items);
    let train = share(items.len(), 5);
    let val = share(items.len(), 2);
    split.test.extend(items.split_off(train + val));
    split.val.extend(items.split_off(train));
    split.train.extend(items);
}

/// `tenths` tenths of `count`, rounded to even at halves as Python's `round` does, at least 1.
fn share(count: usize, tenths: usize) -> usize {
    let (whole, rest) = (count * tenths / 10, count * tenths % 10);
    let up = rest > 5 || (rest == 5 && whole % 2 == 1);
    (whole + usize::from(up)).max(1)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_round_like_python() {
        assert_eq!([3, 5, 7, 9, 11].map(|n| share(n, 5)), [2, 2, 4, 4, 6]);
        assert_eq!([3, 4, 8, 120].map(|n| share(n, 2)), [1, 1, 2, 24]);
        assert!((3..200).all(|n| share(n, 5) + share(n, 2) < n));
    }
}
