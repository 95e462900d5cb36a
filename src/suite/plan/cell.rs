//! The cells of a plan: one for every dataset, method, variant, seed and number of shots, with the keys of its numbers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::resolve::Plan;
use crate::record::Cell;
use crate::suite::error::SuiteError;
use crate::suite::spec::overrides::Resolved;
use crate::suite::spec::prompt_files;
use crate::suite::spec::seeds::Seeds;
use crate::suite::world::{BenchDataset, World};

/// Where the parameters of a cell come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The method trains nothing.
    Frozen,
    /// This program trains them.
    Trained,
    /// Nothing is evaluated, so nothing need be trained: measurements take initial values.
    Initial,
    /// The file that another cell of this run writes when it is trained.
    OwnFile,
    /// A file of the prompts folder.
    File(PathBuf),
    /// A file that is not there, and why.
    Missing(String),
}

/// One cell and its keys.
#[derive(Clone, Debug)]
pub struct CellPlan {
    /// Coordinates.
    pub cell: Cell,
    /// Index into [`Plan::methods`].
    pub method: usize,
    /// Where its parameters come from.
    pub origin: Origin,
    /// Settings that the suite gives this dataset alone, with the value its other datasets have.
    pub set_for_dataset: BTreeMap<String, String>,
    /// Key of the training alone; the same training serves many evaluations.
    pub training_key: String,
    /// Key of the whole cell.
    pub key: String,
    /// SHA-256 of the drawn training list, in drawing order.
    pub draw_sha256: Option<String>,
}

impl Plan {
    /// What keeps cells together on one machine and one thread: a draw, whose views they share, or all draws of as
    /// many shots where seeds share products.
    pub(in crate::suite) fn unit(&self, cell: &CellPlan) -> (Option<u32>, Option<u64>) {
        (cell.cell.shots, cell.cell.seed.filter(|_| self.settings.globals.seeds == Seeds::Apart))
    }

    /// The coordinates of every cell, without opening a dataset.
    pub fn coordinates(&self, profile: &str) -> Vec<Cell> {
        let suite = &self.suite;
        let mut cells = Vec::new();
        for dataset in &suite.datasets {
            for index in self.methods_of(dataset) {
                let method = &self.methods[index];
                let cell = |draw: Option<(u64, u32)>, from_file: bool| Cell {
                    suite: suite.name.clone(),
                    profile: profile.to_owned(),
                    dataset: dataset.clone(),
                    method: method.id.to_owned(),
                    variant: variant_of(method, from_file),
                    seed: draw.map(|d| d.0),
                    shots: draw.map(|d| d.1),
                    train_classes: suite.train_classes,
                    limit: self.limit,
                };
                if !method.method.draws() {
                    cells.push(cell(None, false));
                    continue;
                }
                for shots in &suite.shots {
                    for seed in &suite.seeds {
                        let kinds: &[bool] = match &suite.prompts {
                            None => &[false],
                            Some(files) if files.train_without_folder => &[false, true],
                            Some(_) => &[true],
                        };
                        cells.extend(kinds.iter().map(|from_file| cell(Some((*seed, *shots)), *from_file)));
                    }
                }
            }
        }
        cells
    }

    /// The cells of one dataset, in table order. `others` are the further datasets tested on.
    ///
    /// # Errors
    /// A prompts file that is there but cannot be read, a published draw that does not fit.
    pub fn cells(
        &self,
        world: &World,
        dataset: &BenchDataset,
        others: &[Arc<BenchDataset>],
    ) -> Result<Vec<CellPlan>, SuiteError> {
        let mut cells = Vec::new();
        for index in self.methods_of(&dataset.id) {
            let method = &self.methods[index];
            if !method.method.draws() {
                cells.push(self.cell((world, dataset, others), index, None, Origin::Frozen)?);
                continue;
            }
            for shots in &self.suite.shots {
                for seed in &self.suite.seeds {
                    for origin in self.origins(&dataset.id, *seed, *shots) {
                        let draw = Some((
                            *seed,
                            *shots,
                            dataset.draw(method.sampling.draw, *shots, *seed)?.sha256.clone(),
                        ));
                        cells.push(self.cell((world, dataset, others), index, draw, origin)?);
                    }
                }
            }
        }
        Ok(cells)
    }

    /// Where the parameters of a trained method come from in this suite, at one draw.
    fn origins(&self, dataset: &str, seed: u64, shots: u32) -> Vec<Origin> {
        if self.suite.evaluate.is_empty() {
            return vec![Origin::Initial];
        }
        match (&self.suite.prompts, &self.prompts_dir) {
            (None, _) => vec![Origin::Trained],
            (Some(_), None) => vec![Origin::Trained, Origin::OwnFile],
            (Some(files), Some(dir)) => vec![match files.find(dir, dataset, seed, shots) {
                Ok(path) => Origin::File(path),
                Err(error) => Origin::Missing(error.to_string()),
            }],
        }
    }

    fn cell(
        &self,
        (world, dataset, others): (&World, &BenchDataset, &[Arc<BenchDataset>]),
        index: usize,
        draw: Option<(u64, u32, String)>,
        origin: Origin,
    ) -> Result<CellPlan, SuiteError> {
        let method = &self.methods[index];
        let (draw, drawn) = draw.map(|(seed, shots, hash)| ((seed, shots), hash)).unzip();
        let training_key = self.training_key(world, dataset, method, draw, drawn.as_deref())?;
        let key = self.cell_key(&training_key, method, &origin, others)?;
        // Where prompts come from is the only thing that two cells of one training can differ in.
        let from_file = !matches!(origin, Origin::Frozen | Origin::Trained | Origin::Initial);
        let variant = variant_of(method, from_file);
        let draw_sha256 = drawn.filter(|_| matches!(origin, Origin::Trained | Origin::OwnFile));
        let cell = Cell {
            suite: self.suite.name.clone(),
            profile: world.profile.clone(),
            dataset: dataset.id.clone(),
            method: method.id.to_owned(),
            variant,
            seed: draw.map(|d| d.0),
            shots: draw.map(|d| d.1),
            train_classes: self.suite.train_classes,
            limit: self.limit,
        };
        let set_for_dataset = self.set_for_dataset(&dataset.id, index);
        Ok(CellPlan { cell, method: index, origin, set_for_dataset, training_key, key, draw_sha256 })
    }
}

/// The variant's name of a cell.
fn variant_of(method: &Resolved, from_file: bool) -> BTreeMap<String, String> {
    let mut variant = method.variant.clone();
    if from_file {
        variant.insert(prompt_files::VARIANT.to_owned(), prompt_files::FROM_FILE.to_owned());
    }
    variant
}
