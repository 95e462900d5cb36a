//! The measures of every evaluation, from its predictions, read once and a file at a time: of an evaluation its numbers
//! are kept, of a cell what its intervals and diagrams are made of. No prediction stays in memory.

use std::collections::BTreeMap;

use crate::data::Classes;
use crate::frame::{Frame, Row, SummaryRow};
use crate::record::Prediction;
use crate::stats::grouped::Term;
use crate::stats::measures::{
    BINS, Bin, Classified, MeasuredRow, NamedMeasure, Numbers, SetMeasures, SetNumbers,
};

/// Measures by row of the table, and by cell.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    rows: Vec<Option<SetNumbers>>,
    /// By position of the cell's first row in the table, and group of classes.
    cells: BTreeMap<(usize, Classes), CellMeasures>,
}

impl Measured {
    /// Reads the predictions behind every row of the table (`read` has the record's key and the row); those that are
    /// absent or damaged are left out.
    pub fn read(frame: &Frame, read: impl Fn(&str, &Row) -> Option<Vec<Prediction>>) -> Self {
        let mut measured = Self::default();
        for rows in frame.cells() {
            let first = measured.rows.len();
            let mut halves: BTreeMap<Classes, Seeds> = BTreeMap::new();
            for (row, key) in rows {
                let set = read(key, row).and_then(|rows| SetMeasures::new(&measured_rows(&rows)));
                measured.rows.push(set.as_ref().map(SetMeasures::numbers));
                halves.entry(row.classes).or_default().add(row.seed, set);
            }
            let cells = halves.into_iter().filter_map(|(classes, seeds)| Some((classes, seeds.over()?)));
            measured.cells.extend(cells.map(|(classes, cell)| ((first, classes), cell)));
        }
        measured
    }

    /// By row of the table; `None` where predictions are absent.
    pub fn rows(&self) -> &[Option<SetNumbers>] {
        &self.rows
    }

    /// The measures of a cell over its seeds; `None` where the predictions of one are missing.
    pub fn cell(&self, frame: &Frame, row: &SummaryRow, classes: Classes) -> Option<&CellMeasures> {
        self.cells.get(&(frame.position(row), classes))
    }
}

/// What the measures need of predictions.
fn measured_rows(predictions: &[Prediction]) -> Vec<MeasuredRow> {
    let row = |row: &Prediction| MeasuredRow {
        classified: Classified { label: row.label, predicted: row.predicted },
        p_true: f64::from(row.p_true),
        p_predicted: row.confidence.map(|sure| f64::from(sure.p_predicted)),
    };
    predictions.iter().map(row).collect()
}

/// The seeds of a cell as they are read.
#[derive(Default)]
struct Seeds {
    cell: CellMeasures,
    is_missing: bool,
    is_uneven: bool,
}

impl Seeds {
    fn add(&mut self, seed: Option<u64>, set: Option<SetMeasures>) {
        let Some(set) = set else {
            self.is_missing = true;
            return;
        };
        let cell = &mut self.cell;
        if cell.values.is_empty() {
            (cell.images, cell.bins, cell.without) = (set.images, set.bins, set.without.clone());
        } else {
            self.is_uneven |= cell.without.len() != set.without.len();
            let numbers = cell.without.iter_mut().flatten().zip(set.without.iter().flatten());
            numbers.for_each(|(sum, own)| *sum += own);
            cell.bins = cell.bins.zip(set.bins).map(|(mut bins, own)| {
                bins.iter_mut().zip(&own).for_each(|(bin, own)| bin.join(own));
                bins
            });
        }
        cell.seeds.extend(seed);
        cell.values.push(set.numbers().numbers);
    }

    fn over(self) -> Option<CellMeasures> {
        let mut cell = self.cell;
        if self.is_missing || cell.values.is_empty() {
            return None;
        }
        // A single seed of a method that draws has no interval, and so no use for these: most of what a cell holds.
        if self.is_uneven || cell.seeds.len() == 1 {
            cell.without = Vec::new();
        }
        let seeds = cell.values.len() as f64;
        cell.without.iter_mut().flatten().for_each(|sum| *sum /= seeds);
        cell.without.shrink_to_fit();
        Some(cell)
    }
}

/// The measures of one cell among one group of classes, over its seeds.
#[derive(Clone, Debug, Default)]
pub struct CellMeasures {
    /// Ascending; none of a cell that draws nothing.
    pub seeds: Vec<u64>,
    /// Test images.
    pub images: u64,
    /// Bins of equal width over the confidences of all seeds together; `None` where confidences are missing.
    pub bins: Option<[Bin; BINS]>,
    /// By seed; one entry of a cell that draws nothing.
    values: Vec<Numbers>,
    /// Means over seeds without each group of images.
    without: Vec<Numbers>,
}

impl CellMeasures {
    /// A measure by seed, and without each group of images; `None` where it is undefined.
    pub fn term(&self, measure: NamedMeasure) -> Option<Term> {
        let of = |rows: &[Numbers]| -> Option<Vec<f64>> {
            rows.iter().map(|row| Some(row[measure as usize]).filter(|value| !value.is_nan())).collect()
        };
        Some(Term { weight: 1.0, values: of(&self.values)?, without: of(&self.without)? })
    }
}
