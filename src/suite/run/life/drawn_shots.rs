//! The images of a draw as methods may read them before and after training: views of the training images, and other images
//! where a method chooses by them.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::lane::Lane;
use crate::backbone::Clip;
use crate::data::{ImageSource, fewshot};
use crate::method::{Head, MethodError, Needs, Pool, Selection, Shots};
use crate::record::ValidationUse;
use crate::suite::error::SuiteError;
use crate::suite::plan::resolve::Plan;
use crate::suite::spec::overrides::Resolved;
use crate::suite::world::BenchDataset;
use crate::train::{Labelled, Score, TrainError, TrainingImages, frozen_pass, test_pixels};

/// The images of each pool that a method chooses by.
pub(in crate::suite) type Pools<'d> = BTreeMap<Pool, Labelled<'d>>;

/// Training images, and those a method asked for to choose by.
pub(in crate::suite) struct DrawnShots<'a> {
    pub images: &'a TrainingImages<'a>,
    pub pools: Pools<'a>,
    pub source: &'a dyn ImageSource,
    pub clip: &'a Clip,
}

impl Shots for DrawnShots<'_> {
    fn labels(&self) -> Vec<u32> {
        Shots::labels(self.images)
    }

    fn pooled(&self, view: usize) -> Result<Tensor, MethodError> {
        Shots::pooled(self.images, view)
    }

    fn validation(&self, pool: Pool) -> Result<(Tensor, Vec<u32>), MethodError> {
        let Some(items) = self.pools.get(&pool).filter(|items| !items.is_empty()) else {
            let reason =
                "the dataset has no validation image of the trained classes to choose by; set fixed values";
            return Err(MethodError::Shots(reason.to_owned()));
        };
        let fail = |error: TrainError| match error {
            TrainError::Pixels(error) => MethodError::Pixels(error),
            TrainError::Method(error) => error,
            other => MethodError::Shots(other.to_string()),
        };
        let mut features = Vec::new();
        for chunk in items.chunks(self.clip.grid()) {
            let pixels = test_pixels(self.source, chunk, self.clip.config.image_size, self.clip.device());
            let batch = frozen_pass(self.clip, pixels.map_err(fail)?, Needs::POOLED).map_err(fail)?;
            features.push(batch.pooled()?.clone());
        }
        let labels = items.iter().map(|(_, label)| *label).collect();
        Ok((Tensor::cat(&features, 0)?, labels))
    }
}

impl Lane<'_> {
    /// The images that a method chooses by, those left out that cannot be read.
    pub(in crate::suite) fn pools<'d>(
        &self,
        dataset: &'d BenchDataset,
        resolved: &Resolved,
        draw: (u64, u32),
    ) -> Result<Pools<'d>, SuiteError> {
        let listed = listed_pools(dataset, self.plan, resolved, draw).into_iter();
        listed.map(|(pool, items)| Ok((pool, self.readable(dataset, items)?.0))).collect()
    }
}

/// As [`Lane::pools`], readable or not.
pub(in crate::suite) fn listed_pools<'d>(
    dataset: &'d BenchDataset,
    plan: &Plan,
    resolved: &Resolved,
    (seed, shots): (u64, u32),
) -> Pools<'d> {
    let map = dataset.labels(plan.suite.train_classes);
    let validation = &dataset.split.val;
    let drawn = |val_shots: u32| {
        let few = fewshot::draw_by(resolved.sampling.draw, &dataset.split, [shots, val_shots], seed);
        map.filter(few.val.into_iter().map(|place| &validation[place]))
    };
    let mut pools = Pools::new();
    for pool in resolved.method.selection().into_iter().flat_map(|selection| selection.pools) {
        let items = match used(dataset, *pool) {
            Pool::Few => drawn(fewshot::validation_shots(shots)),
            Pool::AsShots => drawn(shots),
            Pool::WholeSplit => map.filter(validation),
            Pool::Test => {
                pools.insert(
                    *pool,
                    dataset.of_half(&dataset.split.test, plan.suite.train_classes, plan.limit),
                );
                continue;
            }
        };
        pools.insert(*pool, items.into_iter().map(|local| (local.item, local.local_label)).collect());
    }
    pools
}

/// The pool whose images are taken for `pool` on this dataset.
fn used(dataset: &BenchDataset, pool: Pool) -> Pool {
    if pool == Pool::WholeSplit && dataset.split.val.is_empty() { Pool::Test } else { pool }
}

/// What a record says of them.
pub(in crate::suite) fn validation_use(
    dataset: &BenchDataset,
    selection: Option<Selection>,
    pools: &Pools<'_>,
) -> ValidationUse {
    let Some(selection) = selection else { return ValidationUse::default() };
    let mark = selection.pools.iter().filter_map(|pool| used(dataset, *pool).mark()).next_back();
    let images = pools.values().map(|items| items.len() as u64).sum();
    ValidationUse::new(images, selection.chooses, mark)
}

/// What a training chooses its epoch by, where it chooses one.
pub(in crate::suite) fn score<'h>(
    clip: &Clip,
    head: &'h dyn Head,
    selection: Option<Selection>,
    shots: &dyn Shots,
) -> Result<Option<Score<'h>>, TrainError> {
    let Some(pool) = selection.and_then(|selection| selection.epoch) else { return Ok(None) };
    Score::new(clip, head, shots.validation(pool)?).map(Some)
}
