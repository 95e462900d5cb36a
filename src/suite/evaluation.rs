//! One pass over the test images of one half of one dataset, for every cell that is still sound.

use std::time::Instant;

use super::cells::CellPlan;
use super::error::SuiteError;
use super::fingerprint::Fingerprint;
use super::lane::{Candidate, Lane, cell_error};
use super::overrides::Resolved;
use super::partial::Partial;
use super::trained::Trained;
use super::world::BenchDataset;
use crate::data::Classes;
use crate::method::{Classifier, ImageNeed, Named};
use crate::record::{Evaluation, Prediction, predictions_csv};
use crate::train::{TestImages, TrainError, evaluate};

impl<'a> Lane<'a> {
    /// One pass over a half's test images for every candidate that is still sound.
    pub fn evaluate_half(
        &self,
        dataset: &BenchDataset,
        classes: Classes,
        candidates: &mut [Candidate<'a>],
    ) -> Result<(), SuiteError> {
        let listed = dataset.of_half(&dataset.split.test, classes, self.plan.limit);
        let (items, skipped) = self.readable(dataset, listed)?;
        if items.is_empty() {
            let reason = match skipped {
                0 => format!("no test image among its {classes} classes"),
                _ => format!("all {skipped} test images of its {classes} classes are unreadable"),
            };
            return Err(SuiteError::Dataset { id: dataset.id.clone(), reason });
        }
        let (mut active, mut classifiers, mut need) = (Vec::new(), Vec::new(), ImageNeed::Features);
        for (index, candidate) in candidates.iter_mut().enumerate() {
            let Ok(trained) = &candidate.trained else { continue };
            let resolved = self.method(candidate.plan);
            match self.classifier(dataset, resolved, classes, trained.as_ref()) {
                Ok(classifier) => {
                    need = need.max(resolved.method.needs());
                    active.push(index);
                    classifiers.push(classifier);
                }
                Err(error) => candidate.trained = Err(cell_error(error)?),
            }
        }
        let started = Instant::now();
        let source = Fingerprint::new(dataset.source.as_ref());
        let stop = || (self.stop)();
        let keys = active.iter().map(|index| candidates[*index].plan.key.as_str());
        let half = (dataset.id.as_str(), classes);
        let mut partial = Partial::new(self.store, keys, half, &items, self.checkpoint_every);
        let features = Some(self.features).filter(|store| store.persists());
        let images = TestImages { clip: &self.world.clip, source: &source, items: &items, need, features };
        let predictions = evaluate(&images, &classifiers, &mut partial, &stop)?;
        let images_sha256 = source.digest(items.iter().map(|(item, _)| *item)).map_err(TrainError::from)?;
        let seconds = started.elapsed().as_secs_f64();
        for (index, predictions) in active.into_iter().zip(predictions) {
            candidates[index].timing.shared_secs += seconds;
            match predictions {
                Ok(rows) => {
                    let evaluation =
                        self.write_evaluation(dataset, candidates[index].plan, classes, &rows)?;
                    let images_sha256 = Some(images_sha256.clone());
                    candidates[index].evaluations.push(Evaluation { images_sha256, skipped, ..evaluation });
                }
                Err(error) => candidates[index].trained = Err(cell_error(error.into())?),
            }
        }
        Ok(())
    }

    fn classifier(
        &self,
        dataset: &BenchDataset,
        resolved: &Resolved,
        classes: Classes,
        trained: Option<&Trained>,
    ) -> Result<Box<dyn Classifier>, SuiteError> {
        let prompts = self.prompts(dataset, resolved, classes)?;
        let head = resolved.method.bind(&self.world.clip, &prompts)?;
        let none = Named::default();
        Ok(head.classifier(trained.map_or(&none, |trained| &trained.parameters))?)
    }

    fn write_evaluation(
        &self,
        dataset: &BenchDataset,
        cell: &CellPlan,
        classes: Classes,
        predictions: &[Prediction],
    ) -> Result<Evaluation, SuiteError> {
        let path = format!("predictions/{}-{}-{classes}.csv", cell.key, dataset.id);
        let sha256 = self.store.write(&path, predictions_csv(predictions).as_bytes())?;
        Ok(Evaluation {
            dataset: dataset.id.clone(),
            classes,
            class_count: dataset.labels(classes).labels().len() as u64,
            correct: predictions.iter().filter(|row| row.label == row.predicted).count() as u64,
            total: predictions.len() as u64,
            skipped: 0,
            predictions_path: path,
            predictions_sha256: sha256,
            images_sha256: None,
        })
    }
}
