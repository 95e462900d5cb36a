//! What was measured of moved tokens, by arm: the ground of the section on representation shift and of its second part.

use std::collections::BTreeSet;

use crate::record::{Measurement, Outcome, RunRecord};
use crate::report::arm::Arm;
use crate::report::context::Context;

/// The measured cells of every arm.
pub struct Measured<'a> {
    /// Arms in page order.
    pub arms: Vec<Arm>,
    /// Every measured record with its arm.
    pub records: Vec<(Arm, &'a RunRecord)>,
}

impl<'a> Measured<'a> {
    /// Of the complete records that have measurements.
    pub fn new(context: &Context<'a>) -> Self {
        let complete: Vec<&RunRecord> =
            context.records.iter().copied().filter(|r| r.outcome == Outcome::Complete).collect();
        let records: Vec<(Arm, &RunRecord)> = complete
            .into_iter()
            .filter(|record| !record.measurements.is_empty())
            .map(|record| (context.arm_of_record(record), record))
            .collect();
        let arms: BTreeSet<Arm> = records.iter().map(|(arm, _)| arm.clone()).collect();
        Self { arms: arms.into_iter().collect(), records }
    }

    /// Records of an arm.
    pub fn of(&self, arm: &Arm) -> impl Iterator<Item = &'a RunRecord> {
        self.records.iter().filter(move |(other, _)| other == arm).map(|(_, record)| *record)
    }
}

/// The measurements of one quantity at one place; an absent word matches any.
pub fn values<'a>(
    record: &'a RunRecord,
    quantity: &'a str,
    place: &'a [(&'a str, &'a str)],
) -> impl Iterator<Item = (u32, f64)> + 'a {
    let here = move |m: &&Measurement| {
        m.quantity == quantity
            && place.iter().all(|(key, word)| m.place.get(*key).is_some_and(|found| found == word))
    };
    let layer = |m: &Measurement| m.place.get("layer").and_then(|layer| layer.parse().ok()).unwrap_or(0);
    record.measurements.iter().filter(here).map(move |m| (layer(m), m.value))
}

/// A number that may be very small; an exact zero is `0`.
pub fn small(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value < 1e-3 => format!("{value:.1e}").replace('-', "−"),
        value => format!("{value:.4}"),
    }
}
