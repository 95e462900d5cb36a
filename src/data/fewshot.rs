//! Few-shot draws: k training items a class, and up to four for validation. CoOp's rule, and two that other
//! published code has.
//!
//! It owns which positions are drawn, and nothing else: halving into base and new classes happens
//! afterwards ([`super::halves`]), so base and new runs of one seed share one draw. Easy to get wrong:
//! one generator serves both lists, and classes take their turn in order of first appearance.

use std::collections::BTreeMap;

use serde::Deserialize;

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

/// Which list a draw begins with, and what a class gives that has too few items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawRule {
    /// CoOp's: training first; a small class gives all of its items.
    #[default]
    Coop,
    /// Tip-Adapter's and LP++'s: training first; a small class is drawn from with replacement.
    WithReplacement,
    /// CLIP-LoRA's: as the second, but validation first, so that training items are others.
    ValidationFirst,
}

/// Draws by `rule` after `random.seed(seed)`: `shots` training items and `val_shots` validation items a class.
///
/// ```
/// use rpo_bench::data::{DrawRule, Item, Split, fewshot};
/// let item = |n: usize| Item { path: format!("{n}.jpg"), label: 0 };
/// let split = Split { train: (0..3).map(item).collect(), val: (0..9).map(item).collect(), ..Split::default() };
/// // >>> random.seed(1); random.choices(range(3), k=5); random.sample(range(9), 4)
/// let few = fewshot::draw_by(DrawRule::WithReplacement, &split, [5, 4], 1);
/// assert_eq!((few.train, few.val), (vec![0, 2, 2, 0, 1], vec![7, 8, 5, 3]));
/// ```
pub fn draw_by(rule: DrawRule, split: &Split, [shots, val_shots]: [u32; 2], seed: u64) -> FewShot {
    let random = &mut PyRandom::from_u64(seed);
    let mut list = |items: &[Item], shots| draw_list(items, shots, rule, random);
    if rule == DrawRule::ValidationFirst {
        let val = list(&split.val, val_shots);
        return FewShot { train: list(&split.train, shots), val };
    }
    let train = list(&split.train, shots);
    FewShot { train, val: list(&split.val, val_shots) }
}

/// Validation items a class that a draw of so many shots may look at.
pub fn validation_shots(shots: u32) -> u32 {
    shots.min(MAX_VAL_SHOTS)
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
    let train = draw_list(&split.train, shots, DrawRule::Coop, &mut random);
    let val = draw_list(&split.val, validation_shots(shots), DrawRule::Coop, &mut random);
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

fn draw_list(items: &[Item], shots: u32, rule: DrawRule, random: &mut PyRandom) -> Vec<usize> {
    let mut class = |positions: Vec<usize>| match (random.sample(&positions, shots as usize), rule) {
        (Some(drawn), _) => drawn,
        (None, DrawRule::Coop) => positions,
        (None, _) => random.choices(&positions, shots as usize),
    };
    positions_by_label(items).into_iter().flat_map(&mut class).collect()
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
    use super::{DrawRule, Item, Split, draw};

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
    fn other_rules_fill_small_classes_up_and_may_begin_with_validation() {
        let split = Split { train: items(&[0, 0, 1, 1, 1, 1]), val: items(&[0; 9]), ..Split::default() };
        let by = |rule, val_shots| super::draw_by(rule, &split, [3, val_shots], 1);
        assert_eq!(by(DrawRule::Coop, 3), draw(&split, 3, 1));
        assert_eq!(draw(&split, 3, 1).train.len(), 5);
        // CPython 3.11.7: random.seed(1), then choices of the two and samples of the others, list by list.
        let again = by(DrawRule::WithReplacement, 3);
        assert_eq!((again.train, again.val), (vec![0, 1, 1, 4, 2, 3], vec![7, 8, 5]));
        let first = by(DrawRule::ValidationFirst, 3);
        assert_eq!((first.train, first.val), (vec![0, 1, 0, 5, 2, 4], vec![2, 1, 8]));
        // What comes later shifts nothing.
        assert_eq!(by(DrawRule::WithReplacement, 9).train, [0, 1, 1, 4, 2, 3]);
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
