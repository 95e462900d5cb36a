//! CoOp's few-shot draw: k training items a class, and up to four for validation.
//!
//! It owns which positions are drawn, and nothing else: halving into base and new classes happens
//! afterwards ([`super::halves`]), so base and new runs of one seed share one draw. Easy to get wrong:
//! one generator serves both lists, and classes take their turn in order of first appearance.

use std::collections::BTreeMap;

use super::{Item, PyRandom, Split};

/// Most validation items a class, whatever the number of shots.
const MAX_VAL_SHOTS: u32 = 4;

/// A few-shot draw: positions in a [`Split`]'s lists, in drawing order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FewShot {
    /// Positions in `split.train`, `shots` a class.
    pub train: Vec<usize>,
    /// Positions in `split.val`, `min(shots, 4)` a class.
    pub val: Vec<usize>,
}

/// Draws as CoOp (2109.01134) does after `random.seed(seed)`: training list first, then validation,
/// and in each `random.sample(items, k)` class by class. A class with fewer than k items gives all of
/// them in list order, drawing nothing. Zero shots give empty lists.
///
/// ```
/// use rpo_bench::data::{Item, Split, fewshot};
/// let item = |n: usize| Item { path: format!("{n}.jpg"), label: (n / 30) as u32 };
/// let split = Split { train: (0..60).map(item).collect(), ..Split::default() };
/// let few = fewshot::draw(&split, 2, 1);
/// assert_eq!(few.train, [4, 18, 57, 55]);
/// ```
pub fn draw(split: &Split, shots: u32, seed: u64) -> FewShot {
    draw_with(split, shots, PyRandom::from_u64(seed))
}

/// As [`draw`], from a freshly seeded generator: for seeds beyond 64 bits.
pub fn draw_with(split: &Split, shots: u32, mut random: PyRandom) -> FewShot {
    let train = draw_list(&split.train, shots, &mut random);
    let val = draw_list(&split.val, shots.min(MAX_VAL_SHOTS), &mut random);
    FewShot { train, val }
}

/// Number of items of each label.
pub fn class_counts(items: &[Item]) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item.label).or_default() += 1;
    }
    counts
}

/// How many classes have fewer than `shots` items, so that a draw of that size takes all of theirs.
pub fn short_classes(items: &[Item], shots: u32) -> usize {
    class_counts(items).values().filter(|count| **count < shots as usize).count()
}

fn draw_list(items: &[Item], shots: u32, random: &mut PyRandom) -> Vec<usize> {
    positions_by_label(items)
        .into_iter()
        .flat_map(|positions| random.sample(&positions, shots as usize).unwrap_or(positions))
        .collect()
}

/// The positions of each label, labels in order of first appearance.
fn positions_by_label(items: &[Item]) -> Vec<Vec<usize>> {
    let mut group_of_label = BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let group = *group_of_label.entry(item.label).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(position);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::{Item, Split, draw};

    fn items(labels: &[u32]) -> Vec<Item> {
        labels.iter().map(|&label| Item { path: String::new(), label }).collect()
    }

    #[test]
    fn a_small_class_gives_all_and_draws_nothing() {
        let mut split = Split { train: items(&[9, 9, 4]), ..Split::default() };
        let alone = draw(&Split { train: items(&[4]), ..Split::default() }, 1, 3);
        split.train.truncate(2);
        split.val = items(&[4]);
        assert_eq!(draw(&split, 3, 3).train, [0, 1]);
        assert_eq!(draw(&split, 3, 3).val, alone.train);
    }

    #[test]
    fn short_classes_are_counted() {
        let list = items(&[1, 1, 1, 2, 2, 5]);
        assert_eq!([1, 2, 3, 4].map(|shots| super::short_classes(&list, shots)), [0, 1, 2, 3]);
    }

    #[test]
    fn classes_take_their_turn_by_first_appearance() {
        let split = Split { train: items(&[7, 2, 7, 2]), ..Split::default() };
        let drawn = draw(&split, 1, 1).train;
        let labels: Vec<u32> = drawn.iter().map(|&p| split.train[p].label).collect();
        assert_eq!(labels, [7, 2]);
    }

    #[test]
    fn validation_stops_at_four() {
        let split = Split { train: items(&[0; 20]), val: items(&[0; 20]), ..Split::default() };
        let few = draw(&split, 16, 1);
        assert_eq!((few.train.len(), few.val.len()), (16, 4));
        assert_eq!(draw(&split, 2, 1).val.len(), 2);
        assert!(draw(&split, 0, 1).train.is_empty());
    }
}
