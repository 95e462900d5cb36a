//! A dataset ready to run: lists, class names, where pixels come from, and what seeds draw from it.

use std::sync::Arc;

use super::draws::{Draw, Draws};
use crate::data::{Classes, DataError, DrawFiles, DrawRule, ImageSource, Item, LabelMap, Split, fewshot};

/// A dataset ready to run.
#[derive(Clone)]
pub struct BenchDataset {
    /// Dataset id.
    pub id: String,
    /// Class names by full label.
    pub class_names: Vec<String>,
    /// The lists.
    pub split: Arc<Split>,
    /// SHA-256 of the lists in their order.
    pub split_sha256: String,
    /// Hand-written zero-shot template.
    pub template: String,
    /// Where pixels come from.
    pub source: Arc<dyn ImageSource>,
    /// Draws that somebody published, in place of CoOp's own.
    pub draw_files: Option<DrawFiles>,
    /// What a reader of results should be told about this copy of the data.
    pub(super) notes: Vec<String>,
    pub(super) draws: Arc<Draws>,
}

impl BenchDataset {
    /// The map from full to local labels of a half.
    pub fn labels(&self, classes: Classes) -> LabelMap {
        LabelMap::new(classes, 0..self.class_names.len() as u32)
    }

    /// What a seed draws from the training list by this rule; published draws take the place of any. It is computed once,
    /// however many methods ask.
    ///
    /// # Errors
    /// [`DataError::Draw`] for a published draw that does not fit; a rule never fails.
    pub fn draw(&self, rule: DrawRule, shots: u32, seed: u64) -> Result<Arc<Draw>, DataError> {
        self.draws.get((rule, shots, seed), || {
            let positions = match &self.draw_files {
                Some(files) => files.draw(&self.split, shots, seed)?,
                None => {
                    let shots = [shots, fewshot::validation_shots(shots)];
                    fewshot::draw_by(rule, &self.split, shots, seed).train
                }
            };
            Ok(Draw::new(positions, &self.split.train))
        })
    }

    /// One sentence on the classes that have fewer training images than `shots`; none where all have enough.
    pub(super) fn short_note(&self, shots: u32) -> Option<String> {
        let counts = fewshot::class_counts(&self.split.train);
        let fewest = counts.values().filter(|count| **count < shots as usize).min()?;
        let short = fewshot::short_classes(&self.split.train, shots);
        Some(format!(
            "{short} of {} classes have fewer than {shots} training images (the smallest {fewest}); all of theirs are used",
            counts.len()
        ))
    }

    /// Items of a list that belong to a half, with their local labels; at most `limit` a class.
    pub fn of_half<'a>(
        &self,
        items: &'a [Item],
        classes: Classes,
        limit: Option<u32>,
    ) -> Vec<(&'a Item, u32)> {
        let map = self.labels(classes);
        let mut taken = vec![0u32; map.labels().len()];
        let mut kept = Vec::new();
        for local in map.filter(items) {
            let count = &mut taken[local.local_label as usize];
            if limit.is_none_or(|limit| *count < limit) {
                *count += 1;
                kept.push((local.item, local.local_label));
            }
        }
        kept
    }
}
