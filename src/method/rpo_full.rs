//! RPO the long way: prompts as real rows of whole sequences, under a mask given as a value.
//!
//! With [`Visibility::ReadOnly`] this is the authors' formulation and the oracle of the cached engine.
//! With [`Visibility::Ordinary`] it is the "no mask" ablation: prompts are ordinary tokens (vision: full
//! attention; text: causal order only), which no cache can express.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::classifier::Classifier;
use super::contract::Head;
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::Named;
use super::parts::pairing::{Pairing, paired_logits};
use super::sets::{ClassifierSet, one_by_one};
use super::token_rows::{Sequence, TokenRows, text_rows, vision_rows};
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
        Self::padded(clip, prompts, k, 0)
    }

    /// As [`Self::new`], with at least `rows` rows a sequence.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn padded(clip: &Clip, prompts: &[Vec<u32>], k: usize, rows: usize) -> Result<Self, MethodError> {
        let n = (prompts.iter().map(Vec::len).max().ok_or(LayoutError::NoClass)? + k).max(rows);
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

/// Token rows of sequences that hold the prompts.
pub(super) fn prompted_rows(
    clip: &Clip,
    prompts: &[Vec<u32>],
    parameters: &Named,
    images: &ImageBatch,
    visibility: Visibility,
) -> Result<TokenRows, MethodError> {
    let text_prompt = parameters.get("text_prompt", &[0, clip.config.text.width])?;
    let k = text_prompt.dim(0)?;
    let visual = parameters.get("visual_prompt", &[k, clip.config.vision.width])?;
    let sequence = |prompt: &Vec<u32>| -> Result<Sequence, MethodError> {
        let words = Sequence::words(clip, prompt)?;
        let positioned = [words.positioned, vec![false; k]].concat();
        Ok(Sequence { rows: Tensor::cat(&[&words.rows, text_prompt], 0)?, positioned, tokens: words.tokens })
    };
    let sequences = prompts.iter().map(sequence).collect::<Result<Vec<_>, _>>()?;
    let hidden = |class: usize, _: usize, column: usize| {
        visibility == Visibility::ReadOnly && column >= prompts[class].len()
    };
    let mask =
        vision_mask(clip.config.image_tokens(), k, visibility, clip.device())?.to_dtype(clip.dtype())?;
    Ok(TokenRows {
        text: text_rows(clip, &sequences, &hidden)?,
        vision: vision_rows(clip, images, Some(visual), Some(&mask))?,
    })
}

/// RPO over whole sequences.
pub struct FullSequences {
    clip: Arc<Clip>,
    prompts: Vec<Vec<u32>>,
    visibility: Visibility,
    pairing: Pairing,
    /// Fewest rows of a text sequence.
    rows: usize,
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
        let (clip, prompts) = (clip.clone(), prompts.to_vec());
        Ok(Self { clip, prompts, visibility, pairing: Pairing::Matched, rows: 0 })
    }

    /// Which image prompt meets which text prompt.
    #[must_use]
    pub fn with_pairing(self, pairing: Pairing) -> Self {
        Self { pairing, ..self }
    }

    /// Pads every text sequence to `rows` rows.
    #[must_use]
    pub fn padded_to(self, rows: usize) -> Self {
        Self { rows, ..self }
    }
}

impl Head for FullSequences {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| self.one(each))
    }
}

impl FullSequences {
    fn one(&self, parameters: &Named) -> Result<Box<dyn Classifier>, MethodError> {
        let clip = &self.clip;
        let prompt = parameters.get("text_prompt", &[0, clip.config.text.width])?;
        let k = prompt.dim(0)?;
        let visual = parameters.get("visual_prompt", &[k, clip.config.vision.width])?.clone();
        let texts = PromptedTexts::padded(clip, &self.prompts, k, self.rows)?;
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
        let (visibility, pairing) = (self.visibility, self.pairing);
        Ok(Box::new(Full { clip: clip.clone(), visual, text, visibility, pairing }))
    }
}

struct Full {
    clip: Arc<Clip>,
    visual: Tensor,
    text: Tensor,
    visibility: Visibility,
    pairing: Pairing,
}

impl Classifier for Full {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let pixels = images.pixels()?;
        let (k, tokens) = (self.visual.dim(0)?, self.clip.config.image_tokens());
        let mask = vision_mask(tokens, k, self.visibility, pixels.device())?.to_dtype(self.clip.dtype())?;
        let rows = self.clip.vision.transformer()?.masked(
            pixels,
            Some(&self.visual),
            Some(&mask),
            &mut |_, _| Ok(()),
        )?;
        let image = l2_normalise(
            &self.clip.vision.transformer()?.project(&rows.narrow(1, tokens, k)?.contiguous()?)?,
        )?;
        paired_logits(&image, &self.text, self.clip.logit_scale(), self.pairing)
    }
}
