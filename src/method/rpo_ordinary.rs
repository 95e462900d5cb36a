//! RPO without its mask, through the engine: prompts are ordinary tokens, but only what they change is computed.
//!
//! Texts: prompts stand behind EOS and attention is causal, so words never see them. Their keys and values are the frozen
//! model's, and a class costs its K prompt rows alone. Images: every token sees the prompts, so whole sequences are run,
//! but as one operation without a graph inside, from what the first block made of the image's own tokens before, and of the
//! last block only the prompts' rows.
//! [`super::rpo_full::FullSequences`] is the same written out, and its oracle.

use std::ops::Range;
use std::sync::Arc;

use candle_core::Tensor;

use super::classifier::Classifier;
use super::contract::Head;
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::Named;
use super::parts::pairing::{Pairing, paired_logits};
use super::sets::{ClassifierSet, one_by_one};
use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, TextLayout, TokenCache};

/// Class prompts, encoded, for prompts that are ordinary tokens behind them.
pub struct OrdinaryHead {
    clip: Arc<Clip>,
    cache: TokenCache,
    keys: Vec<Vec<Range<usize>>>,
    pairing: Pairing,
}

impl OrdinaryHead {
    /// Encodes class prompts (token ids BOS … EOS).
    ///
    /// # Errors
    /// No class; a prompt longer than the model's positions.
    pub fn new(clip: &Arc<Clip>, prompts: &[Vec<u32>], pairing: Pairing) -> Result<Self, MethodError> {
        let layout = TextLayout::shared(prompts, clip.config.context_length)?;
        let texts = clip.text.encode(&layout)?;
        Ok(Self { clip: clip.clone(), cache: texts.cache, keys: texts.keys, pairing })
    }

    fn one(&self, parameters: &Named) -> Result<Box<dyn Classifier>, MethodError> {
        let config = &self.clip.config;
        let prompt = parameters.get("text_prompt", &[0, config.text.width])?;
        let visual = parameters.get("visual_prompt", &[prompt.dim(0)?, config.vision.width])?.clone();
        let text = l2_normalise(&self.clip.text.follow(prompt, &self.cache, &self.keys)?)?;
        Ok(Box::new(Ordinary { clip: self.clip.clone(), visual, text, pairing: self.pairing }))
    }
}

impl Head for OrdinaryHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| self.one(each))
    }
}

struct Ordinary {
    clip: Arc<Clip>,
    /// `[k, width]`.
    visual: Tensor,
    /// `[classes, k, joint]`, l2-normalised.
    text: Tensor,
    pairing: Pairing,
}

impl Classifier for Ordinary {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let tower = self.clip.vision.transformer()?;
        let image = l2_normalise(&tower.encode_beside(images.entering()?, &self.visual)?)?;
        paired_logits(&image, &self.text, self.clip.logit_scale(), self.pairing)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::super::images::Needs;
    use super::super::rpo_full::{FullSequences, Visibility};
    use super::super::setup::ClassTexts;
    use super::*;
    use crate::check::bench::{ModelShape, class_prompts, random_clip};
    use crate::train::{Gradients, frozen_pass, loss_and_gradients};
    use crate::util::rng::Stream;

    /// Loss and gradients of both ways agree; those under the mask are far away.
    #[test]
    fn ordinary_prompts_are_those_of_whole_sequences() {
        let mut config = ModelShape::find("tiny").unwrap().config();
        config.vocab_size = 49_408;
        let clip = random_clip(&config, &Device::Cpu).unwrap();
        let prompts = class_prompts(6);
        let entry = super::super::registry::find("rpo").unwrap();
        let table = super::super::settings::SettingsTable::split(entry.default_table().unwrap()).own;
        let method = (entry.build)(table).unwrap();
        let texts = ClassTexts::of(&prompts);
        let parameters = method.init(&clip, &texts, None, &mut Stream::new(&["ordinary"])).unwrap();
        let mut stream = Stream::new(&["ordinary", "pixels"]);
        let side = config.image_size;
        let pixels: Vec<f32> = (0..2 * 3 * side * side).map(|_| stream.normal() as f32).collect();
        let pixels = Tensor::from_vec(pixels, (2, 3, side, side), &Device::Cpu).unwrap();
        let images = frozen_pass(&clip, pixels, Needs::ENTERING.or(Needs::PIXELS)).unwrap();
        let labels = Tensor::new(&[5u32, 2], &Device::Cpu).unwrap();
        let step = |head: &dyn Head| loss_and_gradients(head, &parameters, &images, &labels, (0, 0)).unwrap();
        let whole = |visibility| step(&FullSequences::new(&clip, &prompts, visibility).unwrap());
        let distance = |a: &Gradients, b: &Gradients| {
            let square = |t: &Tensor| t.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            let pairs = a.tensors.iter().zip(&b.tensors);
            let far: f32 = pairs.map(|(a, b)| square(&(a - b).unwrap())).sum();
            (far / b.tensors.iter().map(square).sum::<f32>()).sqrt()
        };
        let ours = step(&OrdinaryHead::new(&clip, &prompts, Pairing::Matched).unwrap());
        let expected = whole(Visibility::Ordinary);
        assert!((ours.loss - expected.loss).abs() < 1e-4 * expected.loss.abs().max(1.0));
        assert!(distance(&ours, &expected) < 1e-3, "{}", distance(&ours, &expected));
        assert!(distance(&whole(Visibility::ReadOnly), &expected) > 1e-2);
    }
}
