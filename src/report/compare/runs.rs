//! Two runs against each other, cell by cell, paired by seed.
//!
//! Equal counts are called equal; everything else gets a paired interval and an exact sign-flip p, which
//! with three seeds cannot fall below 0.25.

use std::collections::BTreeMap;

use crate::data::Classes;
use crate::frame::{Accuracy, Frame, Row};
use crate::record::RunRecord;
use crate::report::error::ReportError;
use crate::report::latex::pairs;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, dataset_order, method_name, method_order};
use crate::report::number::{NONE, interval, p, signed, with_spread};
use crate::stats::Interval;
use crate::stats::describe::mean;
use crate::stats::paired::sign_flip_p;
use crate::stats::t_tests::MeanDifference;

/// One cell in both runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLine {
    /// Coordinates of the cell, without suite, profile and seed.
    pub place: Row,
    /// Accuracies in the first run, if it has the cell.
    pub first: Option<Accuracy>,
    /// Accuracies in the second run, if it has the cell.
    pub second: Option<Accuracy>,
}

impl RunLine {
    /// Differences second − first at common seeds, in points.
    pub fn differences(&self) -> Vec<f64> {
        let both = self.first.as_ref().zip(self.second.as_ref());
        both.map_or_else(Vec::new, |(a, b)| pairs(a, b).into_iter().map(|(a, b)| b - a).collect())
    }

    /// 95 % paired t interval of the mean difference.
    pub fn interval(&self) -> Option<Interval> {
        MeanDifference::paired(&self.differences()).ok()?.interval(0.95).ok()
    }
}

/// Every cell of either run, in page order. Suite, profile, type and kind of data may differ between the
/// runs: that is what is compared.
///
/// # Errors
/// [`ReportError::Empty`] if either has no record, [`ReportError::Frame`] for contradictory records.
pub fn between_runs(first: &[RunRecord], second: &[RunRecord]) -> Result<Vec<RunLine>, ReportError> {
    if first.is_empty() || second.is_empty() {
        return Err(ReportError::Empty);
    }
    let (first, second) = (cells(first)?, cells(second)?);
    let mut places: Vec<Row> = first.keys().chain(second.keys()).cloned().collect();
    places.sort_by_key(|r| (method_order(&r.method), dataset_order(&r.dataset), r.clone()));
    places.dedup();
    let line = |place: Row| RunLine {
        first: first.get(&place).cloned(),
        second: second.get(&place).cloned(),
        place,
    };
    Ok(places.into_iter().map(line).collect())
}

fn cells(records: &[RunRecord]) -> Result<BTreeMap<Row, Accuracy>, ReportError> {
    let mut cells = BTreeMap::new();
    for row in Frame::from_records(records)?.summary() {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            if row.accuracy(classes).n() > 0 {
                let mut place = Row { classes, trainable_parameters: 0, ..row.place.clone() };
                for word in [&mut place.suite, &mut place.profile, &mut place.data, &mut place.dtype] {
                    word.clear();
                }
                cells.insert(place, row.accuracy(classes).clone());
            }
        }
    }
    Ok(cells)
}

/// The comparison as Markdown.
pub fn markdown(lines: &[RunLine]) -> String {
    let header = [
        "method",
        "dataset",
        "classes",
        "shots",
        "first",
        "second",
        "seeds",
        "difference",
        "95 % (paired t)",
        "p (sign flips)",
    ];
    let mut table = Table::new(header).left(3);
    for line in lines {
        let differences = line.differences();
        let text = |a: &Option<Accuracy>| {
            a.as_ref().map_or_else(|| NONE.to_owned(), |a| with_spread(a.mean(), a.std()))
        };
        let variant =
            if line.place.variant.is_empty() { String::new() } else { format!(" ({})", line.place.variant) };
        let equal = !differences.is_empty() && differences.iter().all(|d| d.abs() < 1e-9);
        table.row([
            format!("{}{variant}", method_name(&line.place.method)),
            dataset_name(&line.place.dataset).to_owned(),
            line.place.classes.to_string(),
            line.place.shots.map_or_else(String::new, |s| s.to_string()),
            text(&line.first),
            text(&line.second),
            differences.len().to_string(),
            if equal {
                "equal".to_owned()
            } else {
                mean(&differences).map_or_else(|| NONE.to_owned(), signed)
            },
            interval(line.interval()),
            sign_flip_p(&differences).map_or_else(|_| NONE.to_owned(), p),
        ]);
    }
    format!(
        "{}\n_Accuracy in percent, mean ± sample standard deviation; difference: second − first at common \
            seeds, in points; \
         equal: the same accuracy at every common seed. p is exact over all sign patterns and not \
         corrected._\n",
        table.markdown()
    )
}
