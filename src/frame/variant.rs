//! The variant name of every record: its swept settings, plus whatever else tells two runs of a cell apart.
//!
//! A run directory may hold the same cell twice, say with another `--set`. Averaging the two as if they
//! were seeds would be wrong, so the settings in which they differ join the variant of that method's records.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Cell, RunRecord};

/// One variant name per record, in the order of `records`.
pub fn variant_names(records: &[&RunRecord]) -> Vec<String> {
    let mut by_cell: BTreeMap<&Cell, Vec<&RunRecord>> = BTreeMap::new();
    for record in records {
        by_cell.entry(&record.cell).or_default().push(record);
    }
    let mut telling: BTreeMap<Family, BTreeSet<String>> = BTreeMap::new();
    for same in by_cell.values().filter(|same| same.len() > 1) {
        telling.entry(family(same[0])).or_default().extend(differing(same));
    }
    records.iter().map(|record| name(record, telling.get(&family(record)))).collect()
}

/// Records among which a setting must be named for all or for none.
type Family<'a> = (&'a str, &'a str, &'a str, &'a BTreeMap<String, String>);

fn family(record: &RunRecord) -> Family<'_> {
    let cell = &record.cell;
    (&cell.suite, &cell.profile, &cell.method, &cell.variant)
}

fn name(record: &RunRecord, telling: Option<&BTreeSet<String>>) -> String {
    let mut settings = record.cell.variant.clone();
    if let Some(telling) = telling {
        let all = settings_of(record);
        settings.extend(telling.iter().filter_map(|key| Some((key.clone(), all.get(key)?.clone()))));
    }
    let words: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    words.join(" ")
}

fn differing(records: &[&RunRecord]) -> BTreeSet<String> {
    let settings: Vec<BTreeMap<String, String>> = records.iter().map(|r| settings_of(r)).collect();
    let keys: BTreeSet<&String> = settings.iter().flat_map(|s| s.keys()).collect();
    let differs = |key: &&String| settings.iter().any(|s| s.get(*key) != settings[0].get(*key));
    keys.into_iter().filter(differs).cloned().collect()
}

/// Everything that can tell two runs of one cell apart. `dtype` is missing: it has its own column.
fn settings_of(record: &RunRecord) -> BTreeMap<String, String> {
    let origin = &record.provenance;
    let mut settings = record.switches.clone();
    settings.extend(record.config.clone());
    settings.insert("device".to_owned(), origin.device.clone());
    settings.insert("numerics_version".to_owned(), origin.numerics_version.to_string());
    settings.insert("weights".to_owned(), origin.weights_sha256.chars().take(8).collect());
    settings.insert("split".to_owned(), origin.split_sha256.chars().take(8).collect());
    settings
}
