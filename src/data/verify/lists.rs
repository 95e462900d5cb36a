//! Compares lists with the manifest's published figures, and with each other.

use std::collections::BTreeMap;

use super::fault::Fault;
use crate::data::manifest::Counts;
use crate::data::{Classes, Dataset, Item, LabelMap};

/// Faults of the lists alone; no file is touched.
pub(super) fn check(dataset: &Dataset) -> Vec<Fault> {
    let mut faults = wrong_counts(dataset);
    faults.extend(wrong_split_hash(dataset));
    faults.extend(repeated_paths(dataset));
    faults
}

fn wrong_counts(dataset: &Dataset) -> Vec<Fault> {
    let Some(published) = &dataset.manifest.counts else { return Vec::new() };
    let found = dataset.counts();
    let half = |half: Classes| half_test(dataset, half);
    let figures = [
        ("classes", Some(published.classes), found.classes),
        ("train", published.train, found.train),
        ("val", published.val, found.val),
        ("test", Some(published.test), found.test),
        ("base_test", published.base_test, half(Classes::Base)),
        ("new_test", published.new_test, half(Classes::New)),
    ];
    let halves = half_classes(dataset, published);
    let wrong = |(what, expected, found): (&str, Option<usize>, usize)| {
        let expected = expected.filter(|expected| *expected != found)?;
        Some(Fault::WrongCount { what: what.to_owned(), expected, found })
    };
    figures.into_iter().chain(halves).filter_map(wrong).collect()
}

/// The half's labels: those of the training list, or of the test list where there is no training.
fn half_labels(dataset: &Dataset, half: Classes) -> LabelMap {
    let list = if dataset.split.train.is_empty() { &dataset.split.test } else { &dataset.split.train };
    LabelMap::new(half, list.iter().map(|item| item.label))
}

fn half_test(dataset: &Dataset, half: Classes) -> usize {
    half_labels(dataset, half).filter(&dataset.split.test).len()
}

fn half_classes(dataset: &Dataset, published: &Counts) -> [(&'static str, Option<usize>, usize); 2] {
    let found = |half: Classes| half_labels(dataset, half).labels().len();
    [
        ("base_classes", published.base_classes, found(Classes::Base)),
        ("new_classes", published.new_classes, found(Classes::New)),
    ]
}

fn wrong_split_hash(dataset: &Dataset) -> Option<Fault> {
    let expected = dataset.manifest.split_file.as_ref()?.sha256.as_ref()?.to_string();
    let found = dataset.split_file_sha256.clone()?;
    (expected != found).then_some(Fault::WrongSplitHash { expected, found })
}

fn repeated_paths(dataset: &Dataset) -> Vec<Fault> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for (list, Item { path, .. }) in listed(dataset) {
        match first.get(path.as_str()) {
            None => {
                first.insert(path, list);
            }
            Some(earlier) => faults.push(Fault::RepeatedPath {
                path: path.clone(),
                first_list: (*earlier).to_owned(),
                second_list: list.to_owned(),
            }),
        }
    }
    faults
}

/// Every item with the name of its list, in order.
pub(super) fn listed(dataset: &Dataset) -> impl Iterator<Item = (&'static str, &Item)> {
    let split = &dataset.split;
    [("train", &split.train), ("val", &split.val), ("test", &split.test)]
        .into_iter()
        .flat_map(|(list, items)| items.iter().map(move |item| (list, item)))
}
