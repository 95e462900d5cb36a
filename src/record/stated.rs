//! What a record states besides its counts: whether another program made it, the percentages it was given, and whether
//! predictions lie beside it.

use super::imported::{Imported, Reported};
use super::schema::{Evaluation, RunRecord};

impl RunRecord {
    /// The mark of an imported record; `None` for one that was made here.
    pub fn imported(&self) -> Option<&Imported> {
        self.provenance.imported.as_ref()
    }

    /// The accuracy in percent that `evaluation` was reported with, where there are no counts behind it.
    pub fn reported_pct(&self, evaluation: &Evaluation) -> Option<f64> {
        let same = |one: &&Reported| (&one.dataset, one.classes) == (&evaluation.dataset, evaluation.classes);
        self.imported()?.reported.iter().find(same).map(|one| one.accuracy_pct)
    }
}

impl Evaluation {
    /// Whether predictions lie beside the record; logs and tables have none.
    pub fn has_predictions(&self) -> bool {
        !self.predictions_path.is_empty()
    }
}
