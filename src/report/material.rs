//! What a report may ask for besides the records: predictions, class names, small pictures. Everything may be absent.

use crate::record::{Evaluation, Prediction, RunRecord};

/// Gives the per-image predictions of an evaluation, or `None` where the file is absent.
pub type PredictionSource<'a> = &'a dyn Fn(&RunRecord, &Evaluation) -> Option<Vec<Prediction>>;
/// Gives the names of the classes that competed, by label.
pub type ClassNameSource<'a> = &'a dyn Fn(&Evaluation) -> Option<Vec<String>>;
/// Gives a small picture of an image (dataset, item path) as a JPEG.
pub type ThumbnailSource<'a> = &'a dyn Fn(&str, &str) -> Option<Vec<u8>>;

/// Where a report's material comes from.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    /// Predictions.
    pub predictions: PredictionSource<'a>,
    /// Names of classes.
    pub class_names: ClassNameSource<'a>,
    /// Small pictures.
    pub thumbnails: ThumbnailSource<'a>,
    /// The folder of record files as seen from the report's folder, ending in `/`; `None` where no link leads there.
    pub records_link: Option<&'a str>,
}

impl<'a> Material<'a> {
    /// Predictions and nothing else.
    pub fn of(predictions: PredictionSource<'a>) -> Self {
        Self { predictions, class_names: &|_| None, thumbnails: &|_, _| None, records_link: None }
    }
}
