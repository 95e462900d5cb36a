//! The variant name of every record: its swept settings, plus whatever else tells two runs of a method apart.
//!
//! A run directory may hold a method under several settings, say after another `--set`, at the same seeds or at
//! others, on the same dataset or on others. Averaging them would be wrong wherever they meet, so the settings in
//! which they differ join the variant. The suite's own values stay unnamed where they are known.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Identity, RunRecord};

/// The settings a suite gives to each method, by method id: values that need no name. Empty where nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSettings(pub BTreeMap<String, BTreeMap<String, String>>);

impl OwnSettings {
    /// Whether `value` is what the suite itself sets for `record`'s method.
    fn holds(&self, record: &RunRecord, key: &str, value: &str) -> bool {
        self.0.get(&record.cell.method).and_then(|own| own.get(key)).is_some_and(|own| own == value)
    }

    /// Names of the settings the suite gives to `record`'s method.
    fn keys(&self, record: &RunRecord) -> impl Iterator<Item = &String> {
        self.0.get(&record.cell.method).into_iter().flat_map(BTreeMap::keys)
    }
}

/// Stands for a setting that a record does not state.
const ABSENT: &str = "none";

/// The mark of numbers that rest on more validation images than the few-shot rule allows, or on test images; its value
/// says on which.
pub const BEYOND: &str = "‡validation";

/// Settings that have a column or a refusal of their own, and so no place in a variant's name.
const ELSEWHERE: [&str; 6] = ["dtype", "data", "limit", "train_classes", "weights", "model"];

/// One variant name per record, in the order of `records`.
pub fn variant_names(records: &[&RunRecord], own: &OwnSettings) -> Vec<String> {
    let named: Vec<BTreeMap<String, String>> = records.iter().map(|record| named(record, own)).collect();
    let mut families: BTreeMap<Family<'_>, Vec<usize>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        families.entry(family(record)).or_default().push(index);
    }
    let mut names = vec![String::new(); records.len()];
    for members in families.into_values() {
        let telling = telling(members.iter().map(|index| &named[*index]));
        for index in members {
            names[index] = name(records[index], &named[index], &telling);
        }
    }
    names
}

/// Records among which a setting must be named for all or for none.
type Family<'a> = (&'a str, &'a str, &'a str, &'a BTreeMap<String, String>);

fn family(record: &RunRecord) -> Family<'_> {
    let cell = &record.cell;
    (&cell.suite, &cell.profile, &cell.method, &cell.variant)
}

/// The settings of a record that would need a name: neither swept, nor the suite's own, nor told elsewhere.
fn named(record: &RunRecord, own: &OwnSettings) -> BTreeMap<String, String> {
    let identity = Identity::of(record);
    let needs_name = |key: &str| !ELSEWHERE.contains(&key) && !record.cell.variant.contains_key(key);
    let parts = identity.parts().iter().filter(|(key, value)| !own.holds(record, key, value));
    // A setting that the program did not have when the record was made is not the suite's own value.
    let absent = own.keys(record).filter(|key| !identity.parts().contains_key(*key));
    parts
        .map(|(key, value)| (key.clone(), value.clone()))
        .chain(absent.map(|key| (key.clone(), ABSENT.to_owned())))
        .filter(|(key, _)| needs_name(key))
        .collect()
}

/// Keys on which the members do not all agree.
fn telling<'a>(members: impl Iterator<Item = &'a BTreeMap<String, String>> + Clone) -> BTreeSet<&'a str> {
    let keys: BTreeSet<&str> = members.clone().flat_map(|one| one.keys().map(String::as_str)).collect();
    let differs = |key: &&str| {
        let values: BTreeSet<Option<&String>> = members.clone().map(|one| one.get(*key)).collect();
        values.len() > 1
    };
    keys.into_iter().filter(differs).collect()
}

fn name(record: &RunRecord, named: &BTreeMap<String, String>, telling: &BTreeSet<&str>) -> String {
    let mut settings = record.cell.variant.clone();
    let told = named.iter().filter(|(key, _)| telling.contains(key.as_str()));
    settings.extend(told.map(|(key, value)| (key.clone(), value.clone())));
    if let Some(images) = record.training.as_ref().and_then(|training| training.validation.mark()) {
        settings.insert(BEYOND.to_owned(), images.to_owned());
    }
    let words: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    words.join(" ")
}
