//! Class features of one or several wordings, and the rules by which published code averages them.

use candle_core::Tensor;

use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, TextLayout};
use crate::method::error::MethodError;
use crate::method::setup::ClassTexts;

/// Frozen features of prompts, one a class, as the tower gives them: `[classes, joint]`, not l2-normalised.
pub fn raw(clip: &Clip, prompts: &[Vec<u32>]) -> Result<Tensor, MethodError> {
    let layout = TextLayout::shared(prompts, clip.config.context_length)?;
    Ok(clip.text.encode(&layout)?.features)
}

/// The mean of the wordings' raw features: normalised neither before nor after.
pub fn raw_mean(clip: &Clip, texts: &ClassTexts) -> Result<Tensor, MethodError> {
    let each = texts.wordings().iter().map(|prompts| raw(clip, prompts));
    let each = each.collect::<Result<Vec<_>, _>>()?;
    match each.as_slice() {
        [only] => Ok(only.clone()),
        all => Ok(Tensor::stack(all, 0)?.mean(0)?),
    }
}

/// Each wording's features normalised, their mean, normalised again; a single wording's once.
pub fn mean_of_directions(clip: &Clip, texts: &ClassTexts) -> Result<Tensor, MethodError> {
    let each = texts.wordings().iter().map(|prompts| Ok(l2_normalise(&raw(clip, prompts)?)?));
    let each = each.collect::<Result<Vec<_>, MethodError>>()?;
    match each.as_slice() {
        [only] => Ok(only.clone()),
        all => Ok(l2_normalise(&Tensor::stack(all, 0)?.mean(0)?)?),
    }
}

/// The first wording's features, l2-normalised: what a teacher knows.
pub fn first_wording(clip: &Clip, texts: &ClassTexts) -> Result<Tensor, MethodError> {
    let first = texts.wordings().first().map_or(&[] as &[_], Vec::as_slice);
    Ok(l2_normalise(&raw(clip, first)?)?)
}
