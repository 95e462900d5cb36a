//! RPO the long way: prompts as real rows of whole sequences, under a mask given as a value.
//!
//! With [`Visibility::ReadOnly`] this is the authors' formulation and the oracle of the cached engine.
//! With [`Visibility::Ordinary`] it is the "no mask" ablation: prompts are ordinary tokens (vision: full
//! attention; text: causal order only), which no cache can express.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::contract::{Classifier, Head, ImageBatch};
use super::error::MethodError;
use super::parameters::Named;
use super::rpo::paired_logits;
use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, LayoutError};

/// Who may attend to a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Nobody, not even the prompt itself (RPO).
    ReadOnly,
    /// Everybody the tower's own order allows.
    Ordinary,
}

/// Additive vision mask `[n, n]` for `tokens` tokens followed by `k` prompts: entry (row, column) is −∞
/// where the row must not attend to the column.
///
/// # Errors
/// Whatever candle reports.
pub fn vision_mask(
    tokens: usize,
    k: usize,
    visibility: Visibility,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let n = tokens + k;
    let hidden = |column: usize| visibility == Visibility::ReadOnly && column >= tokens;
    let mask = (0..n * n).map(|i| if hidden(i % n) { f32::NEG_INFINITY } else { 0.0 }).collect::<Vec<_>>();
    Tensor::from_vec(mask, (n, n), device)
}

/// Additive text masks `[classes, 1, n, n]`; class c has its EOS at `eos[c]` and its prompts behind it.
///
/// # Errors
/// Whatever candle reports.
pub fn text_mask(
    eos: &[usize],
    n: usize,
    visibility: Visibility,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let mut mask = Vec::with_capacity(eos.len() * n * n);
    for end in eos {
        for (row, column) in (0..n * n).map(|i| (i / n, i % n)) {
            let hidden = column > row || (visibility == Visibility::ReadOnly && column > *end);
            mask.push(if hidden { f32::NEG_INFINITY } else { 0.0 });
        }
    }
    Tensor::from_vec(mask, (eos.len(), 1, n, n), device)
}

/// Padded text sequences with room for prompts behind EOS.
#[derive(Clone, Debug)]
pub struct PromptedTexts {
    /// Word embeddings `[classes, n, width]`, zero behind EOS.
    embeddings: Tensor,
    /// 1 for word rows, 0 behind EOS: prompts carry no position. `[classes, n, 1]`.
    positioned: Tensor,
    /// Position of EOS per class.
    eos: Vec<usize>,
    k: usize,
}

impl PromptedTexts {
    /// Lays out prompts (BOS … EOS) with `k` free rows behind the longest EOS.
    ///
    /// # Errors
    /// [`LayoutError`] when there is no class or the rows exceed the model's positions.
    pub fn new(clip: &Clip, prompts: &[Vec<u32>], k: usize) -> Result<Self, MethodError> {
        let n = prompts.iter().map(Vec::len).max().ok_or(LayoutError::NoClass)? + k;
        let limit = clip.config.context_length;
        if let Some(index) = prompts.iter().position(|p| p.len() + k > limit) {
            return Err(LayoutError::TooLong { index, length: prompts[index].len() + k, limit }.into());
        }
        let width = clip.config.text.width;
        let (mut rows, mut positioned) = (Vec::new(), Vec::new());
        for prompt in prompts {
            let padding = Tensor::zeros((n - prompt.len(), width), clip.dtype(), clip.device())?;
            rows.push(Tensor::cat(&[clip.text.embed(prompt)?, padding], 0)?);
            positioned.extend((0..n).map(|i| if i < prompt.len() { 1f32 } else { 0.0 }));
        }
        let positioned = Tensor::from_vec(positioned, (prompts.len(), n, 1), clip.device())?;
        Ok(Self {
            embeddings: Tensor::stack(&rows, 0)?,
            positioned: positioned.to_dtype(clip.dtype())?,
            eos: prompts.iter().map(|p| p.len() - 1).collect(),
            k,
        })
    }

    /// Every block's input and output rows with prompts `[k, width]` written behind EOS: the last
    /// block's output `[classes, n, width]`. `observe` sees every block's output.
    ///
    /// # Errors
    /// Whatever candle reports, and whatever `observe` returns.
    pub fn run(
        &self,
        clip: &Clip,
        prompts: &Tensor,
        mask: &Tensor,
        observe: &mut dyn FnMut(usize, &Tensor) -> candle_core::Result<()>,
    ) -> candle_core::Result<Tensor> {
        let (n, width) = (self.embeddings.dim(1)?, self.embeddings.dim(2)?);
        let rows = self
            .eos
            .iter()
            .enumerate()
            .map(|(class, end)| {
                let words = self.embeddings.get(class)?.narrow(0, 0, end + 1)?;
                let padding = Tensor::zeros((n - end - 1 - self.k, width), words.dtype(), words.device())?;
                Tensor::cat(&[&words, prompts, &padding], 0)
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        clip.text.masked(&Tensor::stack(&rows, 0)?, &self.positioned, mask, observe)
    }

    /// Positions of EOS, per class.
    pub fn eos(&self) -> &[usize] {
        &self.eos
    }

    /// Rows of a sequence.
    pub fn length(&self) -> usize {
        self.embeddings.dims()[1]
    }
}

/// RPO over whole sequences.
pub struct FullSequences {
    clip: Arc<Clip>,
    prompts: Vec<Vec<u32>>,
    visibility: Visibility,
}

impl FullSequences {
    /// Binds class prompts (token ids BOS … EOS).
    ///
    /// # Errors
    /// [`LayoutError::NoClass`].
    pub fn new(clip: &Arc<Clip>, prompts: &[Vec<u32>], visibility: Visibility) -> Result<Self, MethodError> {
        if prompts.is_empty() {
            return Err(LayoutError::NoClass.into());
        }
        Ok(Self { clip: clip.clone(), prompts: prompts.to_vec(), visibility })
    }
}

impl Head for FullSequences {
    fn classifier(&self, parameters: &Named) -> Result<Box<dyn Classifier>, MethodError> {
        let clip = &self.clip;
        let prompt = parameters.get("text_prompt", &[0, clip.config.text.width])?;
        let k = prompt.dim(0)?;
        let visual = parameters.get("visual_prompt", &[k, clip.config.vision.width])?.clone();
        let texts = PromptedTexts::new(clip, &self.prompts, k)?;
        let mask =
            text_mask(texts.eos(), texts.length(), self.visibility, clip.device())?.to_dtype(clip.dtype())?;
        let rows = texts.run(clip, prompt, &mask, &mut |_, _| Ok(()))?;
        let read = texts
            .eos()
            .iter()
            .enumerate()
            .map(|(class, end)| clip.text.project(&rows.get(class)?.narrow(0, end + 1, k)?))
            .collect::<candle_core::Result<Vec<_>>>()?;
        let text = l2_normalise(&Tensor::stack(&read, 0)?)?;
        Ok(Box::new(Full { clip: clip.clone(), visual, text, visibility: self.visibility }))
    }
}

struct Full {
    clip: Arc<Clip>,
    visual: Tensor,
    text: Tensor,
    visibility: Visibility,
}

impl Classifier for Full {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let pixels = images.pixels.as_ref().ok_or(MethodError::Images("pixels"))?;
        let (k, tokens) = (self.visual.dim(0)?, self.clip.config.image_tokens());
        let mask = vision_mask(tokens, k, self.visibility, pixels.device())?.to_dtype(self.clip.dtype())?;
        let rows = self.clip.vision.masked(pixels, Some(&self.visual), Some(&mask), &mut |_, _| Ok(()))?;
        let image = l2_normalise(&self.clip.vision.project(&rows.narrow(1, tokens, k)?.contiguous()?)?)?;
        paired_logits(&image, &self.text, self.clip.logit_scale())
    }
}
