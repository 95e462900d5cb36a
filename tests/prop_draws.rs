//! Properties of few-shot draws and of the base and new halves, on random label lists.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rpo_bench::data::{Classes, Item, LabelMap, PyRandom, Split, fewshot};

/// Few cases, unless `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default(),
        Err(_) => ProptestConfig::with_cases(64),
    }
}

fn items(labels: &[u32]) -> Vec<Item> {
    let item = |(position, &label)| Item { path: format!("{position}.jpg"), label };
    labels.iter().enumerate().map(item).collect()
}

fn label_list() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0u32..7, 0..200)
}

/// How many drawn positions each label has.
fn counts(list: &[Item], positions: impl IntoIterator<Item = usize>) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for position in positions {
        *counts.entry(list[position].label).or_insert(0) += 1;
    }
    counts
}

/// Positions are distinct, every class has its share, and classes are not mixed up.
fn check_list(list: &[Item], drawn: &[usize], shots: usize) -> Result<(), TestCaseError> {
    let distinct: BTreeSet<usize> = drawn.iter().copied().collect();
    prop_assert_eq!(distinct.len(), drawn.len());
    let expected: BTreeMap<u32, usize> = counts(list, 0..list.len())
        .into_iter()
        .map(|(label, size)| (label, size.min(shots)))
        .filter(|(_, size)| *size > 0)
        .collect();
    prop_assert_eq!(counts(list, drawn.iter().copied()), expected);
    let mut labels: Vec<u32> = drawn.iter().map(|&position| list[position].label).collect();
    labels.dedup();
    let blocks = labels.len();
    prop_assert_eq!(labels.into_iter().collect::<BTreeSet<_>>().len(), blocks, "a class is split up");
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn draws_are_distinct_and_within_their_class(
        train in label_list(),
        val in label_list(),
        shots in 0u32..40,
        seed: u64,
    ) {
        let split = Split { train: items(&train), val: items(&val), test: vec![] };
        let drawn = fewshot::draw(&split, shots, seed);
        check_list(&split.train, &drawn.train, shots as usize)?;
        check_list(&split.val, &drawn.val, shots.min(4) as usize)?;
        prop_assert_eq!(&fewshot::draw(&split, shots, seed), &drawn);
    }

    #[test]
    fn the_test_list_does_not_touch_the_draw(train in label_list(), test in label_list(), seed: u64) {
        let plain = Split { train: items(&train), ..Split::default() };
        let tested = Split { test: items(&test), ..plain.clone() };
        prop_assert_eq!(fewshot::draw(&plain, 3, seed), fewshot::draw(&tested, 3, seed));
    }

    #[test]
    fn base_and_new_partition_the_classes(labels in prop::collection::vec(0u32..1000, 0..80)) {
        let [all, base, new] =
            [Classes::All, Classes::Base, Classes::New].map(|half| LabelMap::new(half, labels.clone()));
        prop_assert_eq!(&[base.labels(), new.labels()].concat(), all.labels());
        prop_assert_eq!(base.labels().len(), all.labels().len().div_ceil(2));
        for map in [&all, &base, &new] {
            for (local, &label) in (0u32..).zip(map.labels()) {
                prop_assert_eq!(map.local(label), Some(local));
            }
        }
        let list = items(&labels);
        let halves = [base.filter(&list), new.filter(&list)].concat();
        prop_assert_eq!(halves.len(), list.len());
        for kept in halves {
            prop_assert_ne!(base.local(kept.item.label).is_some(), new.local(kept.item.label).is_some());
        }
    }

    #[test]
    fn samples_and_shuffles_are_permutations(n in 0usize..2000, share in 0.0f64..1.0, seed in "[0-9]{1,60}") {
        let population: Vec<usize> = (0..n).collect();
        let mut random = PyRandom::from_decimal(&seed).expect("the strategy makes digits");
        let k = (n as f64 * share) as usize;
        let sample = random.sample(&population, k).expect("k is at most n");
        prop_assert_eq!(sample.iter().collect::<BTreeSet<_>>().len(), k);
        prop_assert!(random.sample(&population, n + 1).is_none());
        let mut shuffled = population.clone();
        random.shuffle(&mut shuffled);
        shuffled.sort_unstable();
        prop_assert_eq!(shuffled, population);
    }
}
