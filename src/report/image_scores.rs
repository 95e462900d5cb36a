//! Which test images a method gets right, seed by seed: what tests within a dataset are made of.

use super::context::Context;
use crate::data::Classes;
use crate::frame::SummaryRow;

/// Correctness of every test image of one dataset and group of classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageScores {
    /// Item paths in test order.
    paths: Vec<String>,
    /// Per seed (none for zero-shot) whether each image is right, ascending by seed.
    pub by_seed: Vec<(Option<u64>, Vec<bool>)>,
}

impl ImageScores {
    /// Reads the predictions behind `row`'s accuracy among `classes`. `None` where the file of any seed is
    /// absent, is not what was recorded, or is about other images.
    pub fn of(context: &Context<'_>, row: &SummaryRow, classes: Classes) -> Option<Self> {
        let mut scores: Option<Self> = None;
        for (seed, _) in &row.accuracy(classes).by_seed {
            let key = context.frame.record_key(row, *seed, classes)?;
            let record = context.records.iter().find(|r| r.key == key)?;
            let fits =
                |e: &&crate::record::Evaluation| e.dataset == row.place.dataset && e.classes == classes;
            let predictions = (context.predictions)(record, record.evaluations.iter().find(fits)?)?;
            let right = predictions.iter().map(|p| p.label == p.predicted).collect();
            let paths: Vec<String> = predictions.into_iter().map(|p| p.path).collect();
            let scores = scores.get_or_insert_with(|| Self { paths: paths.clone(), by_seed: Vec::new() });
            if scores.paths != paths {
                return None;
            }
            scores.by_seed.push((*seed, right));
        }
        scores
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.paths.len()
    }

    /// Whether both are about the same images in the same order.
    pub fn same_images(&self, other: &Self) -> bool {
        self.paths == other.paths
    }

    /// Correctness of every image in 0..=1, averaged over seeds.
    pub fn averaged(&self) -> Vec<f64> {
        let n = self.by_seed.len().max(1) as f64;
        let right = |image: usize| self.by_seed.iter().filter(|(_, seed)| seed[image]).count() as f64;
        (0..self.paths.len()).map(|image| right(image) / n).collect()
    }
}
