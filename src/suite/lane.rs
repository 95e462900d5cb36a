//! One dataset from draw to records: train what is missing, evaluate all of it together, record.
//!
//! Whatever goes wrong with one cell is that cell's record; only what concerns everybody stops the lane.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::cells::{CellPlan, Origin, Plan};
use super::checkpoint::{self, Checkpoint};
use super::error::SuiteError;
use super::fingerprint::Fingerprint;
use super::overrides::Resolved;
use super::partial;
use super::provenance::{CommandLine, provenance};
use super::readable::{Labelled, readable};
use super::run::Event;
use super::saved::{SavedPrompts, about};
use super::trained::{self, Trained, TrainingLog};
use super::world::{BenchDataset, World};
use crate::backbone::Precision;
use crate::data::Classes;
use crate::method::{ImageNeed, Parameters};
use crate::record::{
    Epoch, Evaluation, Measurement, Outcome, Redactor, RunRecord, SCHEMA_VERSION, Store, Timing,
};
use crate::rng::Stream;
use crate::train::{FeatureStore, Fit, TrainError, TrainingImages, TrainingSet, fit};

/// Everything a dataset's work needs.
pub(super) struct Lane<'a> {
    pub world: &'a World,
    pub plan: &'a Plan,
    pub store: &'a Store,
    /// Further datasets that every cell is tested on.
    pub others: &'a [Arc<BenchDataset>],
    /// Trains again what is trained already.
    pub fresh: bool,
    pub command: &'a CommandLine,
    pub redactor: &'a Redactor,
    /// Pooled features of views, shared by lanes.
    pub features: &'a FeatureStore,
    /// Time between two checkpoints of a training.
    pub checkpoint_every: Duration,
    pub stop: &'a (dyn Fn() -> bool + Sync),
    pub event: &'a (dyn Fn(Event) + Sync),
}

/// A cell on its way: trained, or failed with the error to record.
pub(super) struct Candidate<'a> {
    pub plan: &'a CellPlan,
    pub trained: Result<Option<Trained>, String>,
    pub evaluations: Vec<Evaluation>,
    pub measurements: Vec<Measurement>,
    pub timing: Timing,
}

/// What the cells of one draw are trained on.
struct Drawn<'a> {
    seed: u64,
    images: &'a TrainingImages<'a>,
    /// Drawn images that could not be read and were left out.
    skipped: u64,
    images_sha256: &'a dyn Fn() -> Result<String, TrainError>,
}

/// Errors that concern one cell go into its record; everything else stops the lane.
pub(super) fn cell_error(error: SuiteError) -> Result<String, SuiteError> {
    match error {
        SuiteError::Train(
            TrainError::NotFinite { .. }
            | TrainError::NoGradient(_)
            | TrainError::Logits { .. }
            | TrainError::Method(_),
        )
        | SuiteError::Method(_)
        | SuiteError::Load(_)
        | SuiteError::Prompts { .. }
        | SuiteError::Touched { .. } => Ok(error.to_string()),
        other => Err(other),
    }
}

impl<'a> Lane<'a> {
    /// Runs the pending cells of a dataset.
    pub fn run(&self, dataset: &BenchDataset, pending: &'a [CellPlan]) -> Result<(), SuiteError> {
        let mut candidates = self.train_all(dataset, pending)?;
        for target in std::iter::once(dataset).chain(self.others.iter().map(Arc::as_ref)) {
            for classes in &self.plan.suite.evaluate {
                self.evaluate_half(target, *classes, &mut candidates)?;
            }
        }
        self.measure(dataset, &mut candidates)?;
        for candidate in candidates {
            let record = self.record(dataset, candidate);
            // First, because nobody comes back to a recorded cell.
            for target in std::iter::once(dataset).chain(self.others.iter().map(Arc::as_ref)) {
                for classes in &self.plan.suite.evaluate {
                    partial::discard(self.store, &record.key, &target.id, *classes)?;
                }
            }
            self.store.save(&record)?;
            (self.event)(Event::CellDone { failed: record.outcome != Outcome::Complete });
        }
        Ok(())
    }

    pub fn method(&self, cell: &CellPlan) -> &Resolved {
        &self.plan.methods[cell.method]
    }

    /// Token ids of the prompts of a half's classes, as a method words them.
    pub fn prompts(
        &self,
        dataset: &BenchDataset,
        method: &Resolved,
        classes: Classes,
    ) -> Result<Vec<Vec<u32>>, SuiteError> {
        self.world.class_prompts(dataset, &method.style, classes)
    }

    fn train_all(
        &self,
        dataset: &BenchDataset,
        pending: &'a [CellPlan],
    ) -> Result<Vec<Candidate<'a>>, SuiteError> {
        let mut candidates = Vec::new();
        let mut rest = pending;
        while let Some(first) = rest.first() {
            // Cells are sorted by draw, so the cells of one draw share their views.
            let draw = (first.cell.shots, first.cell.seed);
            let count = rest.iter().take_while(|cell| (cell.cell.shots, cell.cell.seed) == draw).count();
            let (group, others) = rest.split_at(count);
            self.train_group(dataset, group, &mut candidates)?;
            rest = others;
        }
        Ok(candidates)
    }

    fn train_group(
        &self,
        dataset: &BenchDataset,
        group: &'a [CellPlan],
        out: &mut Vec<Candidate<'a>>,
    ) -> Result<(), SuiteError> {
        let device = self.world.clip.device();
        let (mut missing, mut from_file) = (Vec::new(), Vec::new());
        for cell in group {
            match &cell.origin {
                Origin::Frozen | Origin::Initial => out.push(Candidate::new(cell, Ok(None))),
                Origin::Missing(reason) => out.push(Candidate::new(cell, Err(reason.clone()))),
                Origin::File(path) => from_file.push((cell, path.clone())),
                Origin::OwnFile => {
                    let [path, _] = trained::paths(&cell.training_key);
                    from_file.push((cell, self.store.dir().join(path)));
                }
                Origin::Trained if self.fresh => missing.push(cell),
                Origin::Trained => match trained::load(self.store, &cell.training_key, device)? {
                    Some(trained) => {
                        // A kill between the two writes leaves both; the training is the one that counts.
                        checkpoint::discard(self.store, &cell.training_key)?;
                        (self.event)(Event::TrainingDone);
                        out.push(Candidate::new(cell, Ok(Some(trained))));
                    }
                    None => missing.push(cell),
                },
            }
        }
        if self.plan.settings.globals.views_per_method {
            for cell in missing {
                self.train_cells(dataset, &[cell], self.method(cell).id, out)?;
            }
        } else {
            self.train_cells(dataset, &missing, "", out)?;
        }
        // Last, since some of the files are those of the trainings above.
        for (cell, path) in from_file {
            let trained = match self.read_cell(dataset, cell, &path) {
                Ok(trained) => Ok(Some(trained)),
                Err(error) => Err(cell_error(error)?),
            };
            out.push(Candidate::new(cell, trained));
        }
        Ok(())
    }

    /// The parameters of a cell whose prompts come from a file.
    fn read_cell(&self, dataset: &BenchDataset, cell: &CellPlan, path: &Path) -> Result<Trained, SuiteError> {
        let resolved = self.method(cell);
        let prompts = self.prompts(dataset, resolved, self.plan.suite.train_classes)?;
        let saved = SavedPrompts::read(path)?;
        let parameters = saved.fitting(resolved, &self.world.clip, &prompts)?;
        saved.keep(self.store, &cell.key, parameters)
    }

    /// Trains cells that share their draw and their views.
    fn train_cells(
        &self,
        dataset: &BenchDataset,
        cells: &[&'a CellPlan],
        owner: &str,
        out: &mut Vec<Candidate<'a>>,
    ) -> Result<(), SuiteError> {
        let Some((seed, shots)) = cells.first().and_then(|cell| Some((cell.cell.seed?, cell.cell.shots?)))
        else {
            return Ok(());
        };
        let drawn = self.drawn(dataset, seed, shots)?;
        let (items, skipped) = self.readable(dataset, drawn)?;
        let views = self.plan.settings.globals.views;
        let source = Fingerprint::new(dataset.source.as_ref());
        let set = TrainingSet { dataset: &dataset.id, seed, owner, items, source: &source, views };
        let need =
            cells.iter().map(|cell| self.method(cell).method.needs()).max().unwrap_or(ImageNeed::Features);
        let stop = || (self.stop)();
        let images = TrainingImages::new(&self.world.clip, &set, need, self.features, &stop)?;
        let first = out.len();
        let images_sha256 = || Ok(source.digest(set.items.iter().map(|(item, _)| *item))?);
        for cell in cells {
            let set = Drawn { seed, images: &images, skipped, images_sha256: &images_sha256 };
            let trained = self.train_cell(dataset, cell, &set);
            let trained = match trained {
                Ok(trained) => Ok(Some(trained)),
                Err(error) => Err(cell_error(error)?),
            };
            (self.event)(Event::TrainingDone);
            out.push(Candidate::new(cell, trained));
        }
        for candidate in &mut out[first..] {
            candidate.timing.shared_secs = images.shared_secs();
        }
        Ok(())
    }

    /// The drawn items of the trained half, in drawing order. The draw comes before the halving.
    fn drawn<'d>(
        &self,
        dataset: &'d BenchDataset,
        seed: u64,
        shots: u32,
    ) -> Result<Labelled<'d>, SuiteError> {
        let map = dataset.labels(self.plan.suite.train_classes);
        let draw = dataset.training_draw(shots, seed)?;
        let items = draw.iter().map(|position| &dataset.split.train[*position]);
        Ok(map.filter(items).into_iter().map(|local| (local.item, local.local_label)).collect())
    }

    /// The items to work with under the policy for broken images, and how many were left out.
    pub fn readable<'d>(
        &self,
        dataset: &'d BenchDataset,
        items: Labelled<'d>,
    ) -> Result<(Labelled<'d>, u64), SuiteError> {
        let policy = self.plan.settings.globals.broken_images;
        let (items, errors) = readable(policy, dataset.source.as_ref(), items, &|| (self.stop)())?;
        for error in &errors {
            let reason = error.to_string();
            (self.event)(Event::LeftOut { dataset: dataset.id.clone(), reason });
        }
        Ok((items, errors.len() as u64))
    }

    /// The parameters a training starts from. Variants of a method start from the same draws.
    pub fn initial(
        &self,
        dataset: &BenchDataset,
        resolved: &Resolved,
        seed: u64,
    ) -> Result<Parameters, SuiteError> {
        let prompts = self.prompts(dataset, resolved, self.plan.suite.train_classes)?;
        let mut stream = Stream::new(&["init", &dataset.id, &seed.to_string(), resolved.id]);
        Ok(resolved.method.init(&self.world.clip, &prompts, &mut stream)?)
    }

    fn train_cell(
        &self,
        dataset: &BenchDataset,
        cell: &CellPlan,
        drawn: &Drawn<'_>,
    ) -> Result<Trained, SuiteError> {
        let resolved = self.method(cell);
        let recipe = resolved
            .recipe
            .as_ref()
            .ok_or_else(|| SuiteError::Usage(format!("{} has no recipe", resolved.id)))?;
        let device = self.world.clip.device();
        let shared = || drawn.images.shared_secs();
        let mut keeper =
            Checkpoint::new(self.store, &cell.training_key, device, self.checkpoint_every, &shared);
        let prompts = self.prompts(dataset, resolved, self.plan.suite.train_classes)?;
        let parameters = self.initial(dataset, resolved, drawn.seed)?;
        let (images, seed) = (drawn.images, drawn.seed.to_string());
        let head = resolved.method.bind(&self.world.clip, &prompts)?;
        let stream = [dataset.id.as_str(), &seed, resolved.id];
        let storage = match self.plan.settings.globals.rounded_parameters {
            true => self.world.clip.precision(),
            false => Precision::F32,
        };
        let need = resolved.method.needs();
        let run = Fit { head: head.as_ref(), recipe, images, need, storage, stream };
        let log = fit(&run, &parameters, &mut keeper, &|| (self.stop)(), &mut |_, _| {})?;
        let log = TrainingLog {
            images: images.len() as u64,
            skipped: drawn.skipped,
            images_sha256: (drawn.images_sha256)()?,
            epochs: log.iter().map(Epoch::from).collect(),
            seconds: keeper.seconds(),
        };
        let trained =
            trained::save(self.store, &cell.training_key, &parameters, &self.about(dataset, cell), log)?;
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
            (about::WEIGHTS, self.world.weights_sha256.clone()),
            (about::CONFIG, serde_json::json!(resolved.config).to_string()),
        ];
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn record(&self, dataset: &BenchDataset, candidate: Candidate<'_>) -> RunRecord {
        let resolved = self.method(candidate.plan);
        let (outcome, trained) = match candidate.trained {
            Ok(trained) => (Outcome::Complete, trained),
            Err(error) => (Outcome::Failed { error: self.redactor.text(&error) }, None),
        };
        let complete = outcome == Outcome::Complete;
        let train_secs = trained.as_ref().map_or(0.0, |trained| trained.seconds);
        RunRecord {
            schema_version: SCHEMA_VERSION,
            key: candidate.plan.key.clone(),
            cell: candidate.plan.cell.clone(),
            outcome,
            config: resolved.config.clone(),
            switches: resolved.switches.clone(),
            training: trained.map(|trained| trained.training),
            evaluations: if complete { candidate.evaluations } else { Vec::new() },
            measurements: if complete { candidate.measurements } else { Vec::new() },
            provenance: provenance(self.world, dataset, candidate.plan.draw_sha256.clone(), self.command),
            timing: Timing { train_secs, ..candidate.timing },
            record_sha256: String::new(),
        }
    }
}

impl<'a> Candidate<'a> {
    fn new(plan: &'a CellPlan, trained: Result<Option<Trained>, String>) -> Self {
        let (evaluations, measurements) = (Vec::new(), Vec::new());
        Self { plan, trained, evaluations, measurements, timing: Timing::default() }
    }
}
