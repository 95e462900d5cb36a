//! The second step, the trainings of a dataset: which are done, which files hold others, and the rest trained here. What can share
//! products goes in lockstep: the seeds of a method where that is asked for, and its variants where no bit depends on it.

use std::collections::BTreeMap;
use std::path::Path;

use super::cell::{CellRun, State, cell_error};
use super::fingerprint::Fingerprint;
use super::lane::Lane;
use crate::data::{DrawRule, KEPT_BYTES, KeptPictures};
use crate::method::Needs;
use crate::suite::disk::checkpoint;
use crate::suite::disk::saved::SavedPrompts;
use crate::suite::disk::trained::{self, Trained};
use crate::suite::error::SuiteError;
use crate::suite::plan::alike::alike;
use crate::suite::plan::cell::{CellPlan, Origin};
use crate::suite::plan::keys::trained_paths;
use crate::suite::run::event::Event;
use crate::suite::spec::seeds::Seeds;
use crate::suite::world::BenchDataset;
use crate::train::{Labelled, Sampling, TrainingImages, TrainingSet, readable};

/// What the trainings of one draw see.
pub(in crate::suite) struct Drawn<'a> {
    pub set: &'a TrainingSet<'a>,
    pub images: &'a TrainingImages<'a>,
    /// Drawn images that could not be read and were left out.
    pub skipped: u64,
    pub source: &'a Fingerprint<'a>,
}

impl Lane<'_> {
    /// Gives every claimed cell its parameters, trained here where they are missing.
    pub(super) fn train(&self, dataset: &BenchDataset, cells: &mut [CellRun]) -> Result<(), SuiteError> {
        // Cells are sorted by shots and seed, so those of one unit are neighbours.
        for unit in cells.chunk_by_mut(|a, b| self.plan.unit(&a.plan) == self.plan.unit(&b.plan)) {
            self.train_unit(dataset, unit)?;
        }
        Ok(())
    }

    fn train_unit(&self, dataset: &BenchDataset, unit: &mut [CellRun]) -> Result<(), SuiteError> {
        for cell in unit.iter_mut() {
            match &cell.plan.origin {
                Origin::Frozen | Origin::Initial => cell.trained(None)?,
                Origin::Missing(reason) => cell.fail(reason.clone())?,
                Origin::Trained if !self.fresh => self.take_up(cell)?,
                Origin::Trained | Origin::File(_) | Origin::OwnFile => {}
            }
        }
        let untrained =
            |cell: &CellRun| cell.plan.origin == Origin::Trained && matches!(cell.state(), State::Claimed(_));
        let missing: Vec<&mut CellRun> = unit.iter_mut().filter(|cell| untrained(cell)).collect();
        if self.plan.settings.globals.views_per_method {
            for mut training in self.trainings(dataset, missing) {
                let owner = training.first().map_or("", |cell| self.method(&cell.plan).id);
                self.train_cells(dataset, &mut training, owner)?;
            }
        } else {
            let mut alike: Vec<(Sampling, Vec<&mut CellRun>)> = Vec::new();
            for cell in missing {
                let own = self.method(&cell.plan).sampling;
                match alike.iter_mut().find(|(sampling, _)| *sampling == own) {
                    Some((_, cells)) => cells.push(cell),
                    None => alike.push((own, vec![cell])),
                }
            }
            for (_, cells) in &mut alike {
                self.train_cells(dataset, cells, "")?;
            }
        }
        // Last, since some of the files are those of the trainings above.
        unit.iter_mut().try_for_each(|cell| self.read_file(dataset, cell))
    }

    /// The training of a cell, where an earlier run stored it.
    fn take_up(&self, cell: &mut CellRun) -> Result<(), SuiteError> {
        let key = cell.plan.training_key.clone();
        let Some(trained) = trained::load(self.store, &key, self.world.clip.device())? else { return Ok(()) };
        // A kill between the two writes leaves both; the training is the one that counts.
        checkpoint::discard(self.store, &key)?;
        self.training_done(&cell.plan);
        cell.trained(Some(trained))
    }

    /// The parameters of a cell whose prompts come from a file.
    fn read_file(&self, dataset: &BenchDataset, cell: &mut CellRun) -> Result<(), SuiteError> {
        let path = match &cell.plan.origin {
            Origin::File(path) => path.clone(),
            Origin::OwnFile => {
                let [path, _] = trained_paths(&cell.plan.training_key);
                self.store.dir().join(path)
            }
            _ => return Ok(()),
        };
        match self.read_cell(dataset, &cell.plan, &path) {
            Ok(trained) => cell.trained(Some(trained)),
            Err(error) => cell.fail_with(error),
        }
    }

    fn read_cell(&self, dataset: &BenchDataset, cell: &CellPlan, path: &Path) -> Result<Trained, SuiteError> {
        let resolved = self.method(cell);
        let texts = self.texts(dataset, resolved, self.plan.suite.train_classes)?;
        let saved = SavedPrompts::read(path, Some(resolved.id))?;
        let parameters = saved.fitting(resolved, &self.world.clip, &texts)?;
        saved.keep(self.store, &cell.key, parameters)
    }

    /// Trains cells that share draws and views, or their products, and the number of their shots.
    fn train_cells(
        &self,
        dataset: &BenchDataset,
        cells: &mut [&mut CellRun],
        owner: &str,
    ) -> Result<(), SuiteError> {
        let pictures = KeptPictures::new(dataset.source.as_ref(), KEPT_BYTES);
        let source = Fingerprint::new(&pictures);
        let views = self.plan.settings.globals.views;
        let sampling = cells.first().map_or_else(Sampling::default, |cell| self.method(&cell.plan).sampling);
        let mut sets: Vec<(TrainingSet<'_>, u64)> = Vec::new();
        for cell in cells.iter().map(|cell| &cell.plan.cell) {
            let Some((seed, shots)) = cell.seed.zip(cell.shots) else { continue };
            if sets.iter().all(|(set, _)| set.seed != seed) {
                let (items, skipped) =
                    self.readable(dataset, self.drawn(dataset, sampling.draw, (seed, shots))?)?;
                let crop_scale = sampling.crop_scale;
                let set = TrainingSet {
                    dataset: &dataset.id,
                    seed,
                    owner,
                    items,
                    source: &source,
                    views,
                    crop_scale,
                };
                sets.push((set, skipped));
            }
        }
        let needs = cells.iter().map(|cell| self.method(&cell.plan).method.needs());
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
        for mut training in self.trainings(dataset, cells.iter_mut().map(|cell| &mut **cell).collect()) {
            let plans: Vec<&CellPlan> = training.iter().map(|cell| &cell.plan).collect();
            let outcomes = match self.fit(dataset, &plans, &drawn) {
                Ok(outcomes) => outcomes,
                // It concerns all of them, and may still be no more than theirs.
                Err(error) => {
                    let text = cell_error(error)?;
                    training.iter().map(|_| Err(text.clone())).collect()
                }
            };
            for (cell, outcome) in training.iter_mut().zip(outcomes) {
                self.training_done(&cell.plan);
                match outcome {
                    Ok(trained) => cell.trained(Some(trained))?,
                    Err(error) => cell.fail(error)?,
                }
            }
        }
        let seeds: Vec<Option<u64>> = cells.iter().map(|cell| cell.plan.cell.seed).collect();
        for (cell, seed) in cells.iter_mut().zip(&seeds) {
            let own = drawn.iter().find(|drawn| Some(drawn.set.seed) == *seed);
            let sharers = seeds.iter().filter(|other| *other == seed).count().max(1);
            cell.timing.shared_secs = own.map_or(0.0, |drawn| drawn.images.shared_secs()) / sharers as f64;
        }
        Ok(())
    }

    fn training_done(&self, cell: &CellPlan) {
        let place = &cell.cell;
        let (dataset, shots) = (place.dataset.clone(), place.shots);
        (self.event)(Event::TrainingDone { dataset, method: cell.method, shots });
    }

    /// Cells by what is trained in the same products: variants of a method that differ in their initial values alone, or the
    /// seeds of a method.
    fn trainings<'c>(
        &self,
        dataset: &BenchDataset,
        cells: Vec<&'c mut CellRun>,
    ) -> Vec<Vec<&'c mut CellRun>> {
        if self.plan.settings.globals.seeds != Seeds::Apart {
            let mut methods: BTreeMap<usize, Vec<&mut CellRun>> = BTreeMap::new();
            cells.into_iter().for_each(|cell| methods.entry(cell.plan.method).or_default().push(cell));
            return methods.into_values().collect();
        }
        let classes = dataset.labels(self.plan.suite.train_classes).labels().len();
        let mut groups: Vec<Vec<&mut CellRun>> = Vec::new();
        for cell in cells {
            let beside = |group: &&mut Vec<&mut CellRun>| self.alike(classes, group, cell);
            match groups.iter_mut().find(beside) {
                Some(group) => group.push(cell),
                None => groups.push(vec![cell]),
            }
        }
        groups
    }

    /// Whether a cell's training can share its products with those of a group, which it then leaves and finds as they are alone.
    fn alike(&self, classes: usize, group: &[&mut CellRun], cell: &CellRun) -> bool {
        let (first, own) = (&group[0].plan, &cell.plan);
        let at_most = alike(&self.world.clip, classes, self.method(first), self.method(own));
        group.len() < at_most
            && (first.cell.seed, first.cell.shots) == (own.cell.seed, own.cell.shots)
            && group.iter().all(|cell| cell.plan.training_key != own.training_key)
    }

    /// The drawn items of the trained half, in drawing order. The draw comes before the halving.
    fn drawn<'d>(
        &self,
        dataset: &'d BenchDataset,
        rule: DrawRule,
        (seed, shots): (u64, u32),
    ) -> Result<Labelled<'d>, SuiteError> {
        let map = dataset.labels(self.plan.suite.train_classes);
        let draw = dataset.draw(rule, shots, seed)?;
        let items = draw.positions.iter().map(|position| &dataset.split.train[*position]);
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
