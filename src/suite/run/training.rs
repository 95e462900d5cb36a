//! The trainings of a dataset: which are done, which files hold others, and the rest trained here, one by one or the
//! seeds of a method in lockstep.

use std::collections::BTreeMap;
use std::path::Path;

use super::event::Event;
use super::fingerprint::Fingerprint;
use super::lane::{Candidate, Lane, cell_error};
use crate::data::{KEPT_BYTES, KeptPictures};
use crate::method::Needs;
use crate::suite::disk::checkpoint;
use crate::suite::disk::saved::SavedPrompts;
use crate::suite::disk::trained::{self, Trained};
use crate::suite::error::SuiteError;
use crate::suite::plan::cells::trained_paths;
use crate::suite::plan::cells::{CellPlan, Origin};
use crate::suite::spec::seeds::Seeds;
use crate::suite::world::BenchDataset;
use crate::train::{Labelled, readable};
use crate::train::{TrainingImages, TrainingSet};

/// What the trainings of one draw see.
pub(in crate::suite) struct Drawn<'a> {
    pub set: &'a TrainingSet<'a>,
    pub images: &'a TrainingImages<'a>,
    /// Drawn images that could not be read and were left out.
    pub skipped: u64,
    pub source: &'a Fingerprint<'a>,
}

impl<'a> Lane<'a> {
    /// Every pending cell with its parameters, trained here where they are missing.
    pub fn train_all(
        &self,
        dataset: &BenchDataset,
        pending: &'a [CellPlan],
    ) -> Result<Vec<Candidate<'a>>, SuiteError> {
        let mut candidates = Vec::new();
        let mut rest = pending;
        while let Some(first) = rest.first() {
            // Cells are sorted by shots and seed, so those of one unit are neighbours.
            let unit = self.plan.unit(first);
            let count = rest.iter().take_while(|cell| self.plan.unit(cell) == unit).count();
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
                    let [path, _] = trained_paths(&cell.training_key);
                    from_file.push((cell, self.store.dir().join(path)));
                }
                Origin::Trained if self.fresh => missing.push(cell),
                Origin::Trained => match trained::load(self.store, &cell.training_key, device)? {
                    Some(trained) => {
                        // A kill between the two writes leaves both; the training is the one that counts.
                        checkpoint::discard(self.store, &cell.training_key)?;
                        self.training_done(cell);
                        out.push(Candidate::new(cell, Ok(Some(trained))));
                    }
                    None => missing.push(cell),
                },
            }
        }
        if self.plan.settings.globals.views_per_method {
            for training in self.trainings(&missing) {
                let owner = training.first().map_or("", |cell| self.method(cell).id);
                self.train_cells(dataset, &training, owner, out)?;
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
        let texts = self.texts(dataset, resolved, self.plan.suite.train_classes)?;
        let saved = SavedPrompts::read(path)?;
        let parameters = saved.fitting(resolved, &self.world.clip, &texts)?;
        saved.keep(self.store, &cell.key, parameters)
    }

    /// Trains cells that share their views, or their products, and the number of their shots.
    fn train_cells(
        &self,
        dataset: &BenchDataset,
        cells: &[&'a CellPlan],
        owner: &str,
        out: &mut Vec<Candidate<'a>>,
    ) -> Result<(), SuiteError> {
        let pictures = KeptPictures::new(dataset.source.as_ref(), KEPT_BYTES);
        let source = Fingerprint::new(&pictures);
        let views = self.plan.settings.globals.views;
        let mut sets: Vec<(TrainingSet<'_>, u64)> = Vec::new();
        for cell in cells {
            let Some((seed, shots)) = cell.cell.seed.zip(cell.cell.shots) else { continue };
            if sets.iter().all(|(set, _)| set.seed != seed) {
                let (items, skipped) = self.readable(dataset, self.drawn(dataset, seed, shots)?)?;
                let set = TrainingSet { dataset: &dataset.id, seed, owner, items, source: &source, views };
                sets.push((set, skipped));
            }
        }
        let needs = cells.iter().map(|cell| self.method(cell).method.needs());
        let needs = needs.fold(Needs::default(), Needs::or);
        let stop = || (self.stop)();
        let images = sets
            .iter()
            .map(|(set, _)| TrainingImages::new(&self.world.clip, set, needs, self.features, &stop))
            .collect::<Result<Vec<_>, _>>()?;
        let mut drawn = Vec::new();
        for ((set, skipped), images) in sets.iter().zip(&images) {
            drawn.push(Drawn { set, images, skipped: *skipped, source: &source });
        }
        let first = out.len();
        for training in self.trainings(cells) {
            let outcomes = match self.train(dataset, &training, &drawn) {
                Ok(outcomes) => outcomes,
                // It concerns all of them, and may still be no more than theirs.
                Err(error) => {
                    let text = cell_error(error)?;
                    training.iter().map(|_| Err(text.clone())).collect()
                }
            };
            for (cell, trained) in training.iter().zip(outcomes) {
                self.training_done(cell);
                out.push(Candidate::new(cell, trained.map(Some)));
            }
        }
        let seeds: Vec<Option<u64>> = out[first..].iter().map(|candidate| candidate.plan.cell.seed).collect();
        for candidate in &mut out[first..] {
            let seed = candidate.plan.cell.seed;
            let own = drawn.iter().find(|drawn| Some(drawn.set.seed) == seed);
            let sharers = seeds.iter().filter(|other| **other == seed).count().max(1);
            candidate.timing.shared_secs =
                own.map_or(0.0, |drawn| drawn.images.shared_secs()) / sharers as f64;
        }
        Ok(())
    }

    fn training_done(&self, cell: &CellPlan) {
        let place = &cell.cell;
        let (dataset, shots) = (place.dataset.clone(), place.shots);
        (self.event)(Event::TrainingDone { dataset, method: cell.method, shots });
    }

    /// Cells by what is trained in the same products: each alone, or the seeds of a method.
    fn trainings(&self, cells: &[&'a CellPlan]) -> Vec<Vec<&'a CellPlan>> {
        if self.plan.settings.globals.seeds == Seeds::Apart {
            return cells.iter().map(|cell| vec![*cell]).collect();
        }
        let mut methods: BTreeMap<usize, Vec<&CellPlan>> = BTreeMap::new();
        cells.iter().for_each(|cell| methods.entry(cell.method).or_default().push(cell));
        methods.into_values().collect()
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
}
