//! One training, or several in lockstep, from initial parameters to the stored ones.

use std::collections::BTreeMap;

use super::cell::cell_error;
use super::drawn_shots::{DrawnShots, score, validation_use};
use super::lane::Lane;
use super::train::Drawn;
use crate::backbone::Precision;
use crate::method::{Parameters, Shots};
use crate::record::{Epoch, ValidationUse};
use crate::suite::disk::checkpoint::{self, Checkpoint};
use crate::suite::disk::saved::about;
use crate::suite::disk::trained::{self, Trained, TrainingLog};
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::run::event::{Event, StepNews};
use crate::suite::spec::overrides::Resolved;
use crate::suite::spec::seeds::Seeds;
use crate::suite::world::BenchDataset;
use crate::train::{EpochLog, Fit, Member, Slots, StepDone, TrainError, fit};
use crate::util::rng::Stream;

impl Lane<'_> {
    /// The parameters a training starts from. Variants of a method start from the same draws.
    pub(super) fn initial(
        &self,
        dataset: &BenchDataset,
        resolved: &Resolved,
        seed: u64,
        shots: Option<&dyn Shots>,
    ) -> Result<Parameters, SuiteError> {
        let texts = self.texts(dataset, resolved, self.plan.suite.train_classes)?;
        let mut stream = Stream::new(&["init", &dataset.id, &seed.to_string(), resolved.id]);
        Ok(resolved.method.init(&self.world.clip, &texts, shots, &mut stream).map_err(TrainError::from)?)
    }

    /// Trains cells that share their products, a seed each or variants of one seed, and stores what becomes of them.
    pub(super) fn fit(
        &self,
        dataset: &BenchDataset,
        cells: &[&CellPlan],
        drawn: &[Drawn<'_>],
    ) -> Result<Vec<Result<Trained, String>>, SuiteError> {
        let Some(resolved) = cells.first().map(|cell| self.method(cell)) else { return Ok(Vec::new()) };
        let (clip, globals) = (&self.world.clip, &self.plan.settings.globals);
        let own = |cell: &&CellPlan| drawn.iter().find(|drawn| Some(drawn.set.seed) == cell.cell.seed);
        let drawn: Vec<&Drawn<'_>> = cells.iter().filter_map(own).collect();
        // Variants of one seed have its images in common.
        let first = |at: &usize| drawn[..*at].iter().all(|other| !std::ptr::eq(*other, drawn[*at]));
        let apart: Vec<usize> = (0..drawn.len()).filter(first).collect();
        let shared = || apart.iter().map(|at| drawn[*at].images.shared_secs()).sum::<f64>();
        let keeper = |cell: &&CellPlan| {
            let keeper = Checkpoint::new(
                self.store,
                &cell.training_key,
                clip.device(),
                self.checkpoint_every,
                &shared,
            );
            keeper.shared_by(cells.len())
        };
        let mut keepers: Vec<Checkpoint<'_>> = cells.iter().map(keeper).collect();
        let texts = self.texts(dataset, resolved, self.plan.suite.train_classes)?;
        let shots = cells.first().and_then(|cell| cell.cell.shots).unwrap_or(0);
        let selection = resolved.method.selection();
        let read = drawn.iter().map(|drawn| {
            let pools = self.pools(dataset, resolved, (drawn.set.seed, shots))?;
            Ok(DrawnShots { images: drawn.images, pools, source: dataset.source.as_ref(), clip })
        });
        let read = read.collect::<Result<Vec<_>, SuiteError>>()?;
        let parameters = cells.iter().zip(drawn.iter().zip(&read)).map(|(cell, (drawn, shots))| {
            self.initial(dataset, self.method(cell), drawn.set.seed, Some(shots))
        });
        let mut parameters = parameters.collect::<Result<Vec<_>, _>>()?;
        let trains = resolved.recipe.as_ref();
        let head = trains.map(|_| resolved.method.bind(clip, &texts)).transpose()?;
        let scores = read.iter().map(|shots| match &head {
            Some(head) => score(clip, head.as_ref(), selection, shots),
            None => Ok(None),
        });
        let scores = scores.collect::<Result<Vec<_>, _>>()?;
        let names: Vec<String> = drawn.iter().map(|drawn| drawn.set.seed.to_string()).collect();
        let mut members = Vec::new();
        for ((((drawn, name), parameters), keeper), score) in
            drawn.iter().zip(&names).zip(&mut parameters).zip(&mut keepers).zip(&scores)
        {
            let slot = globals.seeds.slot(Some(drawn.set.seed));
            let stream = [dataset.id.as_str(), name, resolved.id];
            let score = score.as_ref();
            members.push(Member { slot, images: drawn.images, stream, parameters, keeper, score });
        }
        let outcomes = match trains.zip(head.as_ref()) {
            Some((recipe, head)) => {
                let storage = if globals.rounded_parameters { clip.precision() } else { Precision::F32 };
                let needs = resolved.method.needs();
                let slots = match globals.seeds {
                    Seeds::Apart => Slots::Alike,
                    _ => Slots::Fixed(globals.seeds.slots()),
                };
                let recipe = &recipe.for_shots(shots);
                let ahead = !clip.device().is_cpu();
                let run = Fit { head: head.as_ref(), recipe, needs, storage, slots, ahead };
                let trainings = cells.iter().zip(&drawn).map(|(cell, drawn)| (cell.method, drawn.set.seed));
                let trainings: Vec<(usize, u64)> = trainings.collect();
                let news = |step: StepDone| StepNews {
                    dataset: dataset.id.clone(),
                    method_id: resolved.id,
                    shots: cells[0].cell.shots,
                    trainings: trainings.clone(),
                    step,
                };
                fit(&run, &mut members, &|| (self.stop)(), &mut |step| (self.event)(Event::Step(news(step))))?
            }
            // Nothing is trained: what follows from the images is all there is.
            None => members.iter().map(|_| Ok(Vec::new())).collect(),
        };
        let mut trained = Vec::new();
        for (((index, cell), outcome), parameters) in cells.iter().enumerate().zip(outcomes).zip(parameters) {
            let (seconds, shots) = (keepers[index].seconds(), &read[index]);
            let settle = |parameters| {
                let resolved = self.method(cell);
                resolved.method.settle(clip, &texts, shots, parameters).map_err(TrainError::from)
            };
            let outcome = outcome.and_then(|epochs| Ok((settle(parameters)?, epochs)));
            trained.push(match outcome {
                Ok((parameters, epochs)) => {
                    let validated = validation_use(dataset, selection, &shots.pools);
                    let done = (&parameters, epochs.as_slice(), validated);
                    Ok(self.keep(dataset, cell, drawn[index], done, seconds)?)
                }
                Err(error) => Err(cell_error(error.into())?),
            });
        }
        Ok(trained)
    }

    /// Stores a finished training.
    fn keep(
        &self,
        dataset: &BenchDataset,
        cell: &CellPlan,
        drawn: &Drawn<'_>,
        (parameters, epochs, validation): (&Parameters, &[EpochLog], ValidationUse),
        seconds: f64,
    ) -> Result<Trained, SuiteError> {
        let items = drawn.set.items.iter().map(|(item, _)| *item);
        let log = TrainingLog {
            images: drawn.images.len() as u64,
            skipped: drawn.skipped,
            images_sha256: drawn.source.digest(items).map_err(TrainError::from)?,
            epochs: epochs.iter().map(Epoch::from).collect(),
            validation,
            seconds,
        };
        let about = self.about(dataset, cell);
        let trained = trained::save(self.store, &cell.training_key, parameters, &about, log)?;
        checkpoint::discard(self.store, &cell.training_key)?;
        Ok(trained)
    }

    /// What the file of trained parameters says of itself: nothing that changes from run to run.
    fn about(&self, dataset: &BenchDataset, cell: &CellPlan) -> BTreeMap<String, String> {
        let labels = dataset.labels(self.plan.suite.train_classes);
        let names: Vec<&str> =
            labels.labels().iter().map(|label| dataset.class_names[*label as usize].as_str()).collect();
        let resolved = self.method(cell);
        let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
        let entries = [
            (about::METHOD, resolved.id.to_owned()),
            (about::DATASET, dataset.id.clone()),
            (about::TRAIN_CLASSES, self.plan.suite.train_classes.to_string()),
            (about::CLASS_NAMES, serde_json::json!(names).to_string()),
            (about::SEED, number(cell.cell.seed)),
            (about::SHOTS, number(cell.cell.shots.map(u64::from))),
            (about::WEIGHTS, self.world.identity.weights_sha256.clone()),
            (about::CONFIG, serde_json::json!(resolved.config).to_string()),
        ];
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}
