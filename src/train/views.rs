//! Pixels of training and test views. A training view is drawn from a stream of its own.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::error::TrainError;
use super::features::{FeatureKey, KeyWriter};
use crate::data::{ImageSource, Item};
use crate::preprocess::{View, draw_view, normalize, test_transform, train_transform};
use crate::util::rng::Stream;

/// How many different views an item has in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Views {
    /// A new one every epoch (the published protocol).
    Fresh,
    /// A bank of this many; epoch e uses view e mod n. Their frozen passes are kept.
    Bank(usize),
}

/// One view of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The image's place in the drawn list.
    pub index: usize,
    /// Which of its views; a bank repeats its own.
    pub view: usize,
}

/// The drawn training images of one seed.
pub struct TrainingSet<'a> {
    /// Dataset id: part of every stream's name.
    pub dataset: &'a str,
    /// Seed: part of every stream's name.
    pub seed: u64,
    /// Further words of the stream's name; empty where all methods of a seed share their views.
    pub owner: &'a str,
    /// Items in drawing order, with their labels among the trained classes.
    pub items: Vec<(&'a Item, u32)>,
    /// Where pixels come from.
    pub source: &'a dyn ImageSource,
    /// Number of views.
    pub views: Views,
    /// The least share of an image's area that a view's crop covers.
    pub crop_scale: f64,
}

impl TrainingSet<'_> {
    /// The view an epoch uses.
    pub fn view_of(&self, epoch: usize) -> usize {
        match self.views {
            Views::Fresh => epoch,
            Views::Bank(n) => epoch % n.max(1),
        }
    }

    /// The stream a view is drawn from, named by seed, view and the item's place in the drawn list.
    fn view_name<'n>(&'n self, [seed, view, index]: [&'n str; 3]) -> [&'n str; 6] {
        ["view", self.dataset, seed, self.owner, view, index]
    }

    /// Key of the features of view `view` of the items at `indices`.
    ///
    /// # Errors
    /// [`TrainError::Pixels`] naming the image.
    pub(super) fn key(
        &self,
        indices: &[usize],
        view: usize,
        mut key: KeyWriter,
    ) -> Result<FeatureKey, TrainError> {
        let (seed, view) = (self.seed.to_string(), view.to_string());
        let pixels = pixels_sha256(self.source, indices, |index| self.items[*index].0)?;
        for (index, pixels) in indices.iter().zip(&pixels) {
            key.image(pixels, &self.view_name([&seed, &view, &index.to_string()]));
        }
        Ok(key.finish())
    }

    /// Box and flip of a view of an image of this width and height.
    pub fn view(&self, pick: Pick, size: (usize, usize)) -> View {
        let seed = self.seed.to_string();
        let (view, index) = (self.view_of(pick.view).to_string(), pick.index.to_string());
        let mut stream = Stream::new(&self.view_name([&seed, &view, &index]));
        draw_view(&mut stream, size, self.crop_scale)
    }

    /// Normalised pixels `[picks, 3, side, side]` of views.
    ///
    /// An item's stream is named by its place in the drawn list, not by its path: the same images in
    /// another layout give the same views.
    ///
    /// # Errors
    /// [`TrainError::Pixels`] naming the image.
    pub fn pixels(&self, picks: &[Pick], side: usize, device: &Device) -> Result<Tensor, TrainError> {
        stack(picks, side, device, |pick| {
            let item = self.items[pick.index].0;
            let image = self.source.image(item)?;
            let drawn = self.view(*pick, (image.width(), image.height()));
            let cut = train_transform(&image, drawn.crop, drawn.flip, side)
                .map_err(|error| TrainError::View { path: item.path.clone(), reason: error.to_string() })?;
            Ok(normalize(&cut))
        })
    }
}

/// Normalised pixels `[items, 3, side, side]` of the test transform.
///
/// # Errors
/// [`TrainError::Pixels`] naming the image.
pub fn test_pixels(
    source: &dyn ImageSource,
    items: &[(&Item, u32)],
    side: usize,
    device: &Device,
) -> Result<Tensor, TrainError> {
    stack(items, side, device, |(item, _)| Ok(normalize(&test_transform(&source.image(item)?, side))))
}

/// Content of images, in their order.
pub(super) fn pixels_sha256<'i, T: Sync>(
    source: &dyn ImageSource,
    items: &[T],
    item: impl Fn(&T) -> &'i Item + Sync,
) -> Result<Vec<[u8; 32]>, TrainError> {
    // Whatever is not known yet is decoded for it.
    Ok(items.par_iter().map(|each| source.pixels_sha256(item(each))).collect::<Result<_, _>>()?)
}

fn stack<T: Sync>(
    items: &[T],
    side: usize,
    device: &Device,
    pixels: impl Fn(&T) -> Result<Vec<f32>, TrainError> + Sync,
) -> Result<Tensor, TrainError> {
    let rows = items.par_iter().map(&pixels).collect::<Result<Vec<_>, _>>()?;
    Ok(Tensor::from_vec(rows.concat(), (items.len(), 3, side, side), device)?)
}
