//! What a method does to the tokens themselves: their features after every block, with its prompts in place.
//!
//! Everything runs over whole padded sequences, whatever a faster engine would skip, so two sets of prompts of
//! one method give rows of one shape: where prompts cannot reach the tokens, the rows are equal bit for bit.

use candle_core::{DType, Tensor};

use super::error::MethodError;
use super::images::ImageBatch;
use crate::backbone::{Clip, LayoutError};

/// Token features after every block, `[rows, width]` each.
#[derive(Clone, Debug, Default)]
pub struct TokenRows {
    /// Text: SOS to EOS of every class, without the rows of trained prompts. A method whose texts depend on
    /// the image has these rows once per image.
    pub text: Vec<Tensor>,
    /// Vision: CLS and patches of every image.
    pub vision: Vec<Tensor>,
}

/// The towers whose tokens a method cannot touch, whatever is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untouched {
    /// The text tower's, SOS to EOS.
    pub text: bool,
    /// The vision tower's, CLS and patches.
    pub vision: bool,
}

impl Untouched {
    /// Neither tower's tokens can be touched.
    pub const BOTH: Self = Self { text: true, vision: true };
}

/// One text sequence, prompts included.
pub(super) struct Sequence {
    /// Embeddings `[rows, width]`, without positions.
    pub rows: Tensor,
    /// Per row, whether its position is added.
    pub positioned: Vec<bool>,
    /// The rows that are tokens, ascending.
    pub tokens: Vec<u32>,
}

impl Sequence {
    /// Words alone (token ids BOS … EOS).
    pub fn words(clip: &Clip, prompt: &[u32]) -> Result<Self, MethodError> {
        Ok(Self {
            rows: clip.text.embed(prompt)?,
            positioned: vec![true; prompt.len()],
            tokens: (0..prompt.len() as u32).collect(),
        })
    }

    fn len(&self) -> usize {
        self.positioned.len()
    }
}

/// Sees the rows of whole sequences before each block and gives those that go on.
pub(super) type Between<'a> = &'a mut dyn FnMut(usize, Tensor) -> candle_core::Result<Tensor>;

/// Token rows of text sequences after every block. `hidden(sequence, row, column)` says what attention must
/// not see beyond the causal order.
pub(super) fn text_rows(
    clip: &Clip,
    sequences: &[Sequence],
    hidden: &dyn Fn(usize, usize, usize) -> bool,
) -> Result<Vec<Tensor>, MethodError> {
    text_rows_between(clip, sequences, hidden, &mut |_, x| Ok(x))
}

/// The same with rows that change between blocks.
pub(super) fn text_rows_between(
    clip: &Clip,
    sequences: &[Sequence],
    hidden: &dyn Fn(usize, usize, usize) -> bool,
    between: Between<'_>,
) -> Result<Vec<Tensor>, MethodError> {
    let n = sequences.iter().map(Sequence::len).max().ok_or(LayoutError::NoClass)?;
    let limit = clip.config.context_length;
    if let Some(index) = sequences.iter().position(|sequence| sequence.len() > limit) {
        return Err(LayoutError::TooLong { index, length: sequences[index].len(), limit }.into());
    }
    let (device, dtype, width) = (clip.device(), clip.dtype(), clip.config.text.width);
    let (mut rows, mut positioned, mut mask) = (Vec::new(), Vec::new(), Vec::new());
    for (index, sequence) in sequences.iter().enumerate() {
        let padding = Tensor::zeros((n - sequence.len(), width), dtype, device)?;
        let parts = if sequence.len() < n { vec![&sequence.rows, &padding] } else { vec![&sequence.rows] };
        rows.push(Tensor::cat(&parts, 0)?);
        positioned
            .extend((0..n).map(|row| if sequence.positioned.get(row) == Some(&true) { 1f32 } else { 0.0 }));
        for (row, column) in (0..n * n).map(|i| (i / n, i % n)) {
            let blind = column > row || hidden(index, row, column);
            mask.push(if blind { f32::NEG_INFINITY } else { 0.0 });
        }
    }
    let count = sequences.len();
    let positioned = Tensor::from_vec(positioned, (count, n, 1), device)?.to_dtype(dtype)?;
    let mask = Tensor::from_vec(mask, (count, 1, n, n), device)?.to_dtype(dtype)?;
    let tokens = sequences
        .iter()
        .enumerate()
        .flat_map(|(index, sequence)| sequence.tokens.iter().map(move |token| (index * n) as u32 + token));
    let tokens = Tensor::new(tokens.collect::<Vec<u32>>(), device)?;
    let mut layers = Vec::new();
    clip.text.masked_between(&Tensor::stack(&rows, 0)?, &positioned, &mask, between, &mut |_, x| {
        layers.push(x.reshape((count * n, width))?.index_select(&tokens, 0)?);
        Ok(())
    })?;
    Ok(layers)
}

/// Token rows of images after every block, with `prompts` `[k, width]` appended under `mask`.
pub(super) fn vision_rows(
    clip: &Clip,
    images: &ImageBatch,
    prompts: Option<&Tensor>,
    mask: Option<&Tensor>,
) -> Result<Vec<Tensor>, MethodError> {
    vision_rows_between(clip, images, prompts, mask, &mut |_, x| Ok(x))
}

/// The same with rows that change between blocks.
pub(super) fn vision_rows_between(
    clip: &Clip,
    images: &ImageBatch,
    prompts: Option<&Tensor>,
    mask: Option<&Tensor>,
    between: Between<'_>,
) -> Result<Vec<Tensor>, MethodError> {
    let pixels = images.pixels()?;
    let (tokens, width) = (clip.config.image_tokens(), clip.config.vision.width);
    let mut layers = Vec::new();
    clip.vision.transformer()?.masked_between(pixels, prompts, mask, between, &mut |_, x| {
        let rows = x.dim(0)? * tokens;
        layers.push(x.narrow(1, 0, tokens)?.contiguous()?.reshape((rows, width))?);
        Ok(())
    })?;
    Ok(layers)
}

/// Token rows of the frozen model: words and images alone.
pub(super) fn frozen_rows(
    clip: &Clip,
    prompts: &[Vec<u32>],
    images: &ImageBatch,
) -> Result<TokenRows, MethodError> {
    let words = prompts.iter().map(|prompt| Sequence::words(clip, prompt)).collect::<Result<Vec<_>, _>>()?;
    Ok(TokenRows {
        text: text_rows(clip, &words, &|_, _, _| false)?,
        vision: vision_rows(clip, images, None, None)?,
    })
}

/// How far rows moved from where they were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shift {
    /// 1 − cosine, mean over the rows. Computed as half the squared distance of the directions, so that equal
    /// rows give exactly 0.
    pub one_minus_cosine_mean: f64,
    /// 1 − cosine, largest.
    pub one_minus_cosine_max: f64,
    /// Distance over the reference's length, mean over the rows.
    pub relative_l2_mean: f64,
    /// Distance over the reference's length, largest.
    pub relative_l2_max: f64,
}

impl Shift {
    /// Compares rows `[n, width]` with their reference, in double precision.
    ///
    /// # Errors
    /// Whatever candle reports; rows of another shape.
    pub fn between(rows: &Tensor, reference: &Tensor) -> Result<Self, MethodError> {
        if rows.dims() != reference.dims() {
            let reason = format!("compare rows {:?} with rows {:?}", rows.dims(), reference.dims());
            return Err(candle_core::Error::Msg(reason).into());
        }
        let numbers = |t: &Tensor| t.to_dtype(DType::F64)?.to_vec2::<f64>();
        let (rows, reference) = (numbers(rows)?, numbers(reference)?);
        let mut shift = Self::default();
        for (row, old) in rows.iter().zip(&reference) {
            let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            let (a, b) = (length(row), length(old));
            let square = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
                row.iter().zip(old).map(|(x, y)| f(*x, *y).powi(2)).sum()
            };
            let cosine = square(&|x, y| x / a - y / b) / 2.0;
            let distance = square(&|x, y| x - y).sqrt() / b;
            shift.one_minus_cosine_mean += cosine / rows.len() as f64;
            shift.one_minus_cosine_max = shift.one_minus_cosine_max.max(cosine);
            shift.relative_l2_mean += distance / rows.len() as f64;
            shift.relative_l2_max = shift.relative_l2_max.max(distance);
        }
        Ok(shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn equal_rows_have_not_moved_at_all_and_others_as_far_as_geometry_says() {
        let tensor =
            |values: &[[f32; 2]]| Tensor::from_vec(values.concat(), (values.len(), 2), &Device::Cpu).unwrap();
        let rows = tensor(&[[0.1, 0.7], [3.0, 4.0]]);
        assert_eq!(Shift::between(&rows, &rows).unwrap(), Shift::default());
        let turned = Shift::between(&tensor(&[[0.0, 2.0]]), &tensor(&[[1.0, 0.0]])).unwrap();
        assert!((turned.one_minus_cosine_max - 1.0).abs() < 1e-12);
        assert!((turned.relative_l2_mean - 5f64.sqrt()).abs() < 1e-12);
        assert!(Shift::between(&rows, &tensor(&[[1.0, 0.0]])).is_err());
    }
}
