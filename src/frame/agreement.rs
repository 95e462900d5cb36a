//! What all records of one table must agree in, because no label could tell them apart: the model's weights, the
//! lists of a dataset, and its test pictures.
//!
//! Two models, data folders or suites under one name would otherwise be averaged, or tested against each other.

use std::collections::BTreeMap;

use super::error::{FrameError, Mixing};
use crate::record::RunRecord;

/// Digits of a hash in messages.
const DIGITS: usize = 12;

/// One thing seen for the first time: the record's key and its value.
type Seen<'a, Place> = BTreeMap<Place, (&'a str, String)>;

/// Checks complete records.
///
/// # Errors
/// [`FrameError::Mixed`] naming two records and what differs.
pub(super) fn check(records: &[&RunRecord]) -> Result<(), FrameError> {
    let (mut models, mut lists, mut pictures, mut classes) =
        (Seen::new(), Seen::new(), Seen::new(), Seen::new());
    for record in records {
        let (cell, origin) = (&record.cell, &record.provenance);
        let world = (cell.suite.as_str(), cell.profile.as_str(), origin.data_kind.as_str());
        let agree = Agree { record };
        // What another program did not say cannot disagree.
        let imported = record.imported().is_some();
        if !imported {
            agree.on(&mut models, (world.0, world.1), short(origin.model()), "model", || {
                format!("the model called {}", cell.profile)
            })?;
        }
        let place = (world, cell.dataset.as_str());
        if !(imported && origin.split_sha256.is_empty()) {
            agree.on(&mut lists, place, short(&origin.split_sha256), "split", || {
                format!("the lists of {} (split_sha256)", cell.dataset)
            })?;
        }
        for evaluation in &record.evaluations {
            let (dataset, half) = (evaluation.dataset.as_str(), evaluation.classes);
            let place = (world, dataset, half, cell.limit);
            let words = || format!("the number of {half} classes of {dataset}");
            if !(imported && evaluation.class_count == 0) {
                agree.on(&mut classes, place, evaluation.class_count.to_string(), "class_count", words)?;
            }
            // Where unreadable pictures are left out, the count of them is on the page.
            let skips = record.switches.get("data.broken_images").is_some_and(|word| word == "skip");
            let Some(hash) = evaluation.images_sha256.as_ref().filter(|_| !skips) else { continue };
            let place = (place, origin.decoder.as_str());
            let words = || format!("the test pictures of {dataset} ({half} classes)");
            agree.on(&mut pictures, place, short(hash), "images", words)?;
        }
    }
    Ok(())
}

struct Agree<'a> {
    record: &'a RunRecord,
}

impl<'a> Agree<'a> {
    fn on<Place: Ord>(
        &self,
        seen: &mut Seen<'a, Place>,
        place: Place,
        value: String,
        key: &'static str,
        what: impl FnOnce() -> String,
    ) -> Result<(), FrameError> {
        let (first, known) = seen.entry(place).or_insert_with(|| (&self.record.key, value.clone()));
        if *known == value {
            return Ok(());
        }
        Err(FrameError::Mixed(Box::new(Mixing {
            first: (*first).to_owned(),
            second: self.record.key.clone(),
            what: what(),
            key,
            first_value: known.clone(),
            second_value: value,
        })))
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(DIGITS).collect()
}
