//! Training images after the frozen pass: a bank of views kept in memory, or fresh ones, whose pooled features
//! every method of a seed shares.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{DType, Tensor};

use super::error::TrainError;
use super::features::FeatureStore;
use super::prefetch::Prefetch;
use super::views::{Pick, TrainingSet, Views};
use crate::backbone::halving::in_halves;
use crate::backbone::{Clip, FrozenImages};
use crate::method::{ImageBatch, MethodError, Needs, Shots};

/// Normalised pixels `[batch, 3, side, side]` prepared for `needs`, with a frozen pass where they want one; in halves where
/// a device's memory does not suffice.
///
/// # Errors
/// Whatever candle reports.
pub fn frozen_pass(clip: &Clip, pixels: Tensor, needs: Needs) -> Result<ImageBatch, TrainError> {
    let pixels = pixels.to_dtype(clip.dtype())?;
    let parts = in_halves(0..pixels.dim(0)?, &mut |images| {
        let pixels = pixels.narrow(0, images.start, images.len())?;
        let frozen = needs.frozen_pass().then(|| clip.vision.encode(&pixels, needs.tokens)).transpose()?;
        let entering = || clip.vision.transformer()?.entering(&pixels);
        let entering = needs.entering.then(entering).transpose()?;
        Ok(ImageBatch { frozen, entering, pixels: needs.pixels.then_some(pixels) })
    })?;
    match <[ImageBatch; 1]>::try_from(parts) {
        Ok([batch]) => Ok(batch),
        Err(parts) => Ok(ImageBatch::cat(&parts.iter().collect::<Vec<_>>())?),
    }
}

/// Serves the batches of one training set.
pub struct TrainingImages<'a> {
    clip: &'a Clip,
    set: &'a TrainingSet<'a>,
    features: &'a FeatureStore,
    stop: &'a dyn Fn() -> bool,
    /// Per view, per item; empty for fresh views.
    bank: Vec<Vec<ImageBatch>>,
    /// Time spent on what several trainings share.
    shared: Cell<Duration>,
}

impl<'a> TrainingImages<'a> {
    /// Prepares the images; a bank is computed here, once for all methods that share it, for all of `needs`.
    ///
    /// # Errors
    /// An image that cannot be had; whatever candle reports; [`TrainError::Interrupted`].
    pub fn new(
        clip: &'a Clip,
        set: &'a TrainingSet<'a>,
        needs: Needs,
        features: &'a FeatureStore,
        stop: &'a dyn Fn() -> bool,
    ) -> Result<Self, TrainError> {
        let started = Instant::now();
        let mut images = Self { clip, set, features, stop, bank: Vec::new(), shared: Cell::default() };
        let Views::Bank(views) = set.views else { return Ok(images) };
        let all: Vec<usize> = (0..set.items.len()).collect();
        for view in 0..views {
            let mut items = Vec::with_capacity(all.len());
            for chunk in all.chunks(clip.grid()) {
                images.go_on()?;
                let batch = images.encode(&picks(chunk, view), needs)?;
                for index in 0..chunk.len() {
                    items.push(batch.single(index)?);
                }
            }
            images.bank.push(items);
        }
        images.shared.set(started.elapsed());
        Ok(images)
    }

    fn go_on(&self) -> Result<(), TrainError> {
        if (self.stop)() { Err(TrainError::Interrupted) } else { Ok(()) }
    }

    fn encode(&self, picks: &[Pick], needs: Needs) -> Result<ImageBatch, TrainError> {
        let pixels = self.set.pixels(picks, self.clip.config.image_size, self.clip.device())?;
        frozen_pass(self.clip, pixels, needs)
    }

    /// The view behind an epoch's number: a bank repeats its own.
    pub fn view_of(&self, epoch: usize) -> usize {
        self.set.view_of(epoch)
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.set.items.len()
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.set.items.is_empty()
    }

    /// The drawn images.
    pub(super) fn set(&self) -> &'a TrainingSet<'a> {
        self.set
    }

    /// Whether every step of a method with these needs starts from pixels of its own.
    pub(super) fn reads_pixels(&self, needs: Needs) -> bool {
        self.bank.is_empty() && !needs.only_pooled()
    }

    /// Side of the model's pictures.
    pub(super) fn side(&self) -> usize {
        self.clip.config.image_size
    }

    /// Seconds spent so far on what the trainings of this set share: banks, pooled features.
    pub fn shared_secs(&self) -> f64 {
        self.shared.get().as_secs_f64()
    }

    /// Views, prepared for `needs`, and their labels `[batch]`.
    ///
    /// # Errors
    /// An image that cannot be had; whatever candle reports; [`TrainError::Interrupted`].
    pub fn batch(&self, picks: &[Pick], needs: Needs) -> Result<(ImageBatch, Tensor), TrainError> {
        let labels = self.labels(picks)?;
        let batch = if !self.bank.is_empty() {
            // What the bank holds for other methods is not copied for this one.
            let banked = |pick: &Pick| self.bank[self.set.view_of(pick.view)][pick.index].only(needs);
            let parts: Vec<ImageBatch> = picks.iter().map(banked).collect();
            ImageBatch::cat(&parts.iter().collect::<Vec<_>>())?
        } else if needs.only_pooled() {
            self.stored(picks)?
        } else {
            self.encode(picks, needs)?
        };
        Ok((batch, labels))
    }

    fn labels(&self, picks: &[Pick]) -> Result<Tensor, TrainError> {
        let labels: Vec<u32> = picks.iter().map(|pick| self.set.items[pick.index].1).collect();
        Ok(Tensor::new(labels, self.clip.device())?)
    }

    /// Pooled features alone, from the store. They are computed in chunks of [`Clip::grid`] in item order, whatever the
    /// batch: a feature's bits depend neither on the method nor on what is stored already.
    fn stored(&self, picks: &[Pick]) -> Result<ImageBatch, TrainError> {
        let (started, joint, grid) = (Instant::now(), self.clip.config.projection_dim, self.clip.grid());
        let mut chunks = BTreeMap::new();
        let name = |pick: &Pick| (pick.view, pick.index / grid);
        for pick in picks {
            if let Entry::Vacant(place) = chunks.entry(name(pick)) {
                place.insert(self.chunk(pick.index / grid, pick.view)?);
            }
        }
        let mut rows = Vec::with_capacity(picks.len() * joint);
        for pick in picks {
            let start = pick.index % grid * joint;
            rows.extend_from_slice(&chunks[&name(pick)][start..start + joint]);
        }
        self.shared.set(self.shared.get() + started.elapsed());
        pooled_batch(self.clip, rows)
    }

    /// Features of chunk `number` of the grid, row by row.
    fn chunk(&self, number: usize, view: usize) -> Result<Arc<[f32]>, TrainError> {
        let start = number * self.clip.grid();
        let items: Vec<usize> = (start..(start + self.clip.grid()).min(self.len())).collect();
        let key = self.set.key(
            &items,
            view,
            self.features.key(self.clip.config.image_size, self.set.crop_scale),
        )?;
        self.features.get_or(&key, items.len() * self.clip.config.projection_dim, || {
            self.go_on()?;
            feature_rows(&self.encode(&picks(&items, view), Needs::POOLED)?)
        })
    }
}

/// View `view` of each image.
fn picks(indices: &[usize], view: usize) -> Vec<Pick> {
    indices.iter().map(|index| Pick { index: *index, view }).collect()
}

impl Shots for TrainingImages<'_> {
    fn labels(&self) -> Vec<u32> {
        self.set.items.iter().map(|(_, label)| *label).collect()
    }

    fn pooled(&self, view: usize) -> Result<Tensor, MethodError> {
        let all: Vec<usize> = (0..self.len()).collect();
        let batch = match self.bank.is_empty() {
            true => self.stored(&picks(&all, view)),
            false => self.batch(&picks(&all, view), Needs::POOLED).map(|(batch, _)| batch),
        };
        match batch {
            Ok(batch) => Ok(batch.pooled()?.clone()),
            Err(TrainError::Interrupted) => Err(MethodError::Interrupted),
            Err(TrainError::Pixels(error)) => Err(MethodError::Pixels(error)),
            Err(TrainError::Method(error)) => Err(error),
            Err(other) => Err(MethodError::Shots(other.to_string())),
        }
    }
}

/// The batches of several trainings as one, in order, and the labels of each. Fresh views go through one frozen pass
/// together, from pixels that may wait in `prefetch`; the same training may stand in several places and is prepared once.
///
/// # Errors
/// As [`TrainingImages::batch`].
pub(super) fn joint_batch(
    parts: &[(&TrainingImages<'_>, &[Pick])],
    needs: Needs,
    prefetch: &mut Prefetch<'_>,
) -> Result<(ImageBatch, Vec<Tensor>), TrainError> {
    let labels = parts.iter().map(|(images, picks)| images.labels(picks)).collect::<Result<_, _>>()?;
    let places = places(parts);
    let distinct = places.iter().enumerate().filter(|(index, place)| index == *place).map(|(index, _)| index);
    match parts.iter().find(|(images, _)| images.reads_pixels(needs)) {
        Some((TrainingImages { clip, .. }, _)) => {
            let mut pixels = BTreeMap::new();
            for index in distinct {
                let (images, picks) = parts[index];
                pixels.insert(index, prefetch.take(images.set, picks)?.to_device(clip.device())?);
            }
            let rows: Vec<_> = places.iter().map(|place| &pixels[place]).collect();
            Ok((frozen_pass(clip, Tensor::cat(&rows, 0)?, needs)?, labels))
        }
        None => {
            let mut batches = BTreeMap::new();
            for index in distinct {
                batches.insert(index, parts[index].0.batch(parts[index].1, needs)?.0);
            }
            match places.as_slice() {
                [only] => Ok((batches[only].clone(), labels)),
                _ => {
                    let all: Vec<_> = places.iter().map(|place| &batches[place]).collect();
                    Ok((ImageBatch::cat(&all)?, labels))
                }
            }
        }
    }
}

/// For each part the first one with the same images.
fn places(parts: &[(&TrainingImages<'_>, &[Pick])]) -> Vec<usize> {
    let first = |index: usize| {
        let same = |(images, _): &(&TrainingImages<'_>, &[Pick])| std::ptr::eq(*images, parts[index].0);
        parts.iter().position(same).unwrap_or(index)
    };
    (0..parts.len()).map(first).collect()
}

/// Features of a batch, row by row, as the store keeps them.
pub(super) fn feature_rows(batch: &ImageBatch) -> Result<Vec<f32>, TrainError> {
    Ok(batch.pooled()?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

/// A batch of nothing but features, from their rows.
pub(super) fn pooled_batch(clip: &Clip, rows: Vec<f32>) -> Result<ImageBatch, TrainError> {
    let joint = clip.config.projection_dim;
    let features = Tensor::from_vec(rows, ((), joint), clip.device())?.to_dtype(clip.dtype())?;
    let frozen = FrozenImages { features, cache: None, tokens: clip.config.image_tokens() };
    Ok(ImageBatch { frozen: Some(frozen), entering: None, pixels: None })
}
