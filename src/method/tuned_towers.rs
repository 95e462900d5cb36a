//! Towers with trained weights, bound to a class set.

use std::sync::Arc;

use candle_core::Tensor;

use super::classifier::Classifier;
use super::contract::Head;
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::Named;
use super::parts::trained_weights::TrainedWeights;
use super::sets::{ClassifierSet, OneByOne, one_by_one};
use super::setup::ClassTexts;
use super::zero_shot::{CosineHead, text_features};
use crate::backbone::changes::VisionChanges;
use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, TextLayout};

/// Towers with trained weights, and a class set.
pub(super) struct WeightsHead {
    pub clip: Arc<Clip>,
    /// Token ids BOS … EOS of every class.
    pub prompts: Vec<Vec<u32>>,
    layout: TextLayout,
    /// Text features, where the text tower stays frozen.
    frozen: Option<Tensor>,
    weights: TrainedWeights,
}

impl WeightsHead {
    /// Binds to a class set.
    pub fn new(weights: TrainedWeights, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Self, MethodError> {
        let frozen = match weights.towers()[1] {
            false => Some(text_features(clip, &texts.prompts)?),
            true => None,
        };
        let layout = TextLayout::shared(&texts.prompts, clip.config.context_length)?;
        Ok(Self { clip: clip.clone(), prompts: texts.prompts.clone(), layout, frozen, weights })
    }

    /// The model with the trained weights of the vision and the text tower, as wanted, in place of its own.
    pub fn tuned(
        &self,
        parameters: &Named,
        [of_vision, of_text]: [bool; 2],
    ) -> Result<Arc<Clip>, MethodError> {
        let (vision, text) = self.weights.changes(&self.clip, parameters)?;
        let (vision, text) = (vision.filter(|_| of_vision), text.filter(|_| of_text));
        Ok(Arc::new(self.clip.merged(vision.as_ref(), text.as_ref())?))
    }

    /// A classifier of these class features `[classes, joint]`, l2-normalised, over the image tower as it is trained.
    pub fn frozen_at(&self, parameters: &Named, text: Tensor) -> Result<Tuned, MethodError> {
        let changed = self.weights.towers()[0];
        Ok(Tuned {
            clip: self.tuned(parameters, [true, false])?,
            cosine: CosineHead { text, scale: self.clip.logit_scale().clone() },
            vision: changed.then(VisionChanges::default),
            merged: true,
        })
    }

    /// Parameters that carry a graph go through the changed tower; plain ones are merged into a frozen one, which is
    /// faster and, with nothing changed, zero-shot to the bit.
    pub fn one(&self, parameters: &Named) -> Result<Tuned, MethodError> {
        self.in_step(parameters, None)
    }

    /// The same within a training step with these random numbers.
    fn in_step(&self, parameters: &Named, noise: Option<&str>) -> Result<Tuned, MethodError> {
        let trained = parameters.iter().any(|(_, tensor)| tensor.track_op());
        if !trained {
            let text = match &self.frozen {
                Some(frozen) => frozen.clone(),
                None => text_features(&*self.tuned(parameters, [false, true])?, &self.prompts)?,
            };
            return self.frozen_at(parameters, text);
        }
        let mut changes = self.weights.changes(&self.clip, parameters)?;
        if let Some(noise) = noise {
            self.weights.drop_out(&mut changes, noise);
        }
        let (vision, text) = changes;
        let features = match (&text, &self.frozen) {
            (Some(changes), _) => l2_normalise(&self.clip.text.encode_changed(&self.layout, changes)?)?,
            (None, Some(frozen)) => frozen.clone(),
            (None, None) => text_features(&self.clip, &self.prompts)?,
        };
        let scale = self.clip.logit_scale().clone();
        Ok(Tuned {
            clip: self.clip.clone(),
            cosine: CosineHead { text: features, scale },
            vision,
            merged: false,
        })
    }
}

impl Head for WeightsHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| Ok(Box::new(self.one(each)?)))
    }

    fn step_classifiers(
        &self,
        parameters: &[Named],
        noise: &[Option<&str>],
    ) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let each = parameters.iter().zip(noise);
        let each = each.map(|(each, noise)| Ok(Box::new(self.in_step(each, *noise)?) as Box<dyn Classifier>));
        Ok(Box::new(OneByOne(each.collect::<Result<_, MethodError>>()?)))
    }
}

/// A classifier over towers with trained weights.
pub(super) struct Tuned {
    clip: Arc<Clip>,
    cosine: CosineHead,
    /// Changes of the vision tower; absent where it stays frozen.
    vision: Option<VisionChanges>,
    /// The changes are in the tower's weights already.
    merged: bool,
}

impl Classifier for Tuned {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        match &self.vision {
            None => self.cosine.logits(images),
            Some(_) if self.merged => {
                self.cosine.of_features(&self.clip.vision.encode(images.pixels()?, false)?.features)
            }
            Some(changes) => self
                .cosine
                .of_features(&self.clip.vision.transformer()?.encode_changed(images.pixels()?, changes)?),
        }
    }
}
