//! Deep prompts: rows that every token attends to, overwritten before the first blocks.
//!
//! Image side: n rows behind CLS and patches, without position. Text side: the n words behind SOS, the first of them
//! with positions, the deeper ones without. Depth counts the first; behind the last overwritten block they flow on.

use candle_core::Tensor;

use crate::backbone::changes::{TextChanges, TextRows, VisionChanges};
use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, TextLayout};
use crate::method::error::MethodError;
use crate::method::images::ImageBatch;
use crate::method::parameters::Named;
use crate::method::token_rows::{
    Between, Sequence, TokenRows, frozen_rows, text_rows_between, vision_rows_between,
};

/// Prompts of one tower, `[n, width]` each: of the input, then of each further block in order.
#[derive(Clone, Debug)]
pub struct Prompts {
    /// Of the input.
    pub first: Tensor,
    /// Before block 1, 2, …
    pub deeper: Vec<Tensor>,
}

impl Prompts {
    /// From parameters: the name of the first, and of the one before each block from 1 on.
    pub fn named(
        parameters: &Named,
        [n, width, depth]: [usize; 3],
        first: &str,
        deeper: impl Fn(usize) -> String,
    ) -> Result<Self, MethodError> {
        let get = |name: &str| Ok(parameters.get(name, &[n, width])?.clone());
        let deeper = (1..depth).map(|block| get(&deeper(block)));
        Ok(Self { deeper: deeper.collect::<Result<_, MethodError>>()?, first: get(first)? })
    }

    fn rows(&self) -> Result<usize, MethodError> {
        Ok(self.first.dim(0)?)
    }

    fn overwritten(&self) -> impl Iterator<Item = (usize, &Tensor)> {
        self.deeper.iter().enumerate().map(|(index, values)| (index + 1, values))
    }

    /// As changes of the vision tower.
    pub fn of_vision(&self) -> VisionChanges {
        VisionChanges {
            appended: Some(self.first.clone()),
            overwritten: self.overwritten().map(|(block, values)| (block, values.clone())).collect(),
            ..VisionChanges::default()
        }
    }

    /// As changes of the text tower.
    pub fn of_text(&self, clip: &Clip) -> Result<TextChanges, MethodError> {
        let n = self.rows()?;
        let first = (&self.first + clip.text.positions(1, n)?)?;
        let row = |block, values: Tensor| TextRows { block, first: 1, values };
        let deeper = self.overwritten().map(|(block, values)| row(block, values.clone()));
        Ok(TextChanges {
            rows: std::iter::once(row(0, first)).chain(deeper).collect(),
            ..TextChanges::default()
        })
    }
}

/// l2-normalised class features `[classes, joint]` of class prompts whose words behind SOS are prompts.
pub fn text_features(clip: &Clip, prompts: &[Vec<u32>], deep: &Prompts) -> Result<Tensor, MethodError> {
    let layout = TextLayout::new(prompts, 1 + deep.rows()?, clip.config.context_length)?;
    Ok(l2_normalise(&clip.text.encode_changed(&layout, &deep.of_text(clip)?)?)?)
}

/// l2-normalised image features `[batch, joint]`.
pub fn image_features(clip: &Clip, images: &ImageBatch, deep: &Prompts) -> Result<Tensor, MethodError> {
    Ok(l2_normalise(&clip.vision.transformer()?.encode_changed(images.pixels()?, &deep.of_vision())?)?)
}

/// Token rows with prompts in one or both towers, over whole sequences.
pub fn token_rows(
    clip: &Clip,
    prompts: &[Vec<u32>],
    images: &ImageBatch,
    text: Option<&Prompts>,
    vision: Option<&Prompts>,
) -> Result<TokenRows, MethodError> {
    let frozen = || frozen_rows(clip, prompts, images);
    let text = match text {
        Some(deep) => text_tokens(clip, prompts, deep)?,
        None => frozen()?.text,
    };
    let vision = match vision {
        Some(deep) => {
            let tokens = clip.config.image_tokens();
            vision_rows_between(clip, images, Some(&deep.first), None, &mut |block, x| {
                overwrite(&x, deep, block, tokens)
            })?
        }
        None => frozen()?.vision,
    };
    Ok(TokenRows { text, vision })
}

/// Rows `start..` of whole sequences `[batch, n, width]` replaced by the prompts of a block, if it has any.
fn overwrite(x: &Tensor, deep: &Prompts, block: usize, start: usize) -> candle_core::Result<Tensor> {
    let Some((_, values)) = deep.overwritten().find(|(own, _)| *own == block) else { return Ok(x.clone()) };
    let (k, width) = values.dims2()?;
    replace_rows(x, &values.unsqueeze(0)?.broadcast_as((x.dim(0)?, k, width))?.contiguous()?, start)
}

/// Rows `start..` of whole sequences `[batch, n, width]` replaced by `[batch, k, width]`.
pub fn replace_rows(x: &Tensor, values: &Tensor, start: usize) -> candle_core::Result<Tensor> {
    let (n, k) = (x.dim(1)?, values.dim(1)?);
    let parts = [x.narrow(1, 0, start)?, values.clone(), x.narrow(1, start + k, n - start - k)?];
    let parts: Vec<&Tensor> = parts.iter().filter(|part| part.dims()[1] > 0).collect();
    Tensor::cat(&parts, 1)
}

fn text_tokens(clip: &Clip, prompts: &[Vec<u32>], deep: &Prompts) -> Result<Vec<Tensor>, MethodError> {
    text_tokens_between(clip, prompts, &deep.first, &mut |block, x| overwrite(&x, deep, block, 1))
}

/// Token rows of class prompts whose words behind SOS are `first` `[n, width]`, with rows that change between blocks.
pub fn text_tokens_between(
    clip: &Clip,
    prompts: &[Vec<u32>],
    first: &Tensor,
    between: Between<'_>,
) -> Result<Vec<Tensor>, MethodError> {
    let n = first.dim(0)?;
    let sequence = |prompt: &Vec<u32>| -> Result<Sequence, MethodError> {
        let words = Sequence::words(clip, prompt)?;
        let behind = words.rows.narrow(0, 1 + n, prompt.len() - 1 - n)?;
        let rows = Tensor::cat(&[&words.rows.narrow(0, 0, 1)?, first, &behind], 0)?;
        let tokens = std::iter::once(0).chain(1 + n as u32..prompt.len() as u32).collect();
        Ok(Sequence { rows, positioned: words.positioned, tokens })
    };
    let sequences = prompts.iter().map(sequence).collect::<Result<Vec<_>, _>>()?;
    text_rows_between(clip, &sequences, &|_, _, _| false, between)
}
