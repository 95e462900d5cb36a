//! Scale and shift of the towers' LayerNorms, as in the repository of 2SFS. `outer` adds those before and behind the blocks,
//! which the published code means to train and does not.

use candle_core::Tensor;
use serde::Deserialize;

use crate::backbone::changes::Norm;
use crate::backbone::{Clip, TowerConfig};
use crate::method::error::MethodError;
use crate::method::parameters::Named;

/// Which towers train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    Both,
    Vision,
    Text,
}

/// Which LayerNorms train.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Norms {
    pub modality: Modality,
    /// First block of the vision tower that trains.
    pub vision_start: usize,
    /// First block of the text tower that trains.
    pub text_start: usize,
    /// Whether the LayerNorms outside the blocks train too.
    pub outer: bool,
}

/// LayerNorms outside the blocks: before the first and behind the last of the vision tower, behind the last of the text
/// tower.
const OUTER: [&str; 3] =
    ["vision_model.pre_layrnorm", "vision_model.post_layernorm", "text_model.final_layer_norm"];

fn norm_name(model: &str, block: usize, second: bool) -> String {
    format!("{model}.encoder.layers.{block}.layer_norm{}", 1 + usize::from(second))
}

/// Scale and shift.
type Pair = [Tensor; 2];

fn norm(parameters: &Named, name: &str, width: usize) -> Result<Pair, MethodError> {
    let get = |part: &str| -> Result<Tensor, MethodError> {
        Ok(parameters.get(&format!("{name}.{part}"), &[width])?.clone())
    };
    Ok([get("weight")?, get("bias")?])
}

fn named(name: String, [weight, bias]: [&Tensor; 2]) -> [(String, Tensor); 2] {
    [(format!("{name}.weight"), weight.clone()), (format!("{name}.bias"), bias.clone())]
}

impl Norms {
    /// The vision tower's initial values: those of the model.
    pub fn initial_vision(
        &self,
        clip: &Clip,
        (model, tower): (&str, &TowerConfig),
    ) -> Result<Vec<(String, Tensor)>, MethodError> {
        let transformer = clip.vision.transformer()?;
        let own = |block, second| transformer.norm(block, second);
        let mut all = blocks(model, self.vision_start..tower.layers, own);
        if self.outer {
            let [first, last] = transformer.outer_norms();
            all.extend(named(OUTER[0].to_owned(), first));
            all.extend(named(OUTER[1].to_owned(), last));
        }
        Ok(all)
    }

    /// The text tower's.
    pub fn initial_text(&self, clip: &Clip, (model, tower): (&str, &TowerConfig)) -> Vec<(String, Tensor)> {
        let mut all =
            blocks(model, self.text_start..tower.layers, |block, second| clip.text.norm(block, second));
        if self.outer {
            all.extend(named(OUTER[2].to_owned(), clip.text.outer_norm()));
        }
        all
    }

    /// The trained LayerNorms of one block.
    pub fn changed(
        parameters: &Named,
        (model, tower): (&str, &TowerConfig),
        block: usize,
    ) -> Result<Vec<Norm>, MethodError> {
        let one = |second| {
            let values = norm(parameters, &norm_name(model, block, second), tower.width)?;
            Ok(Norm { block, second, values })
        };
        [false, true].into_iter().map(one).collect()
    }

    /// The trained LayerNorms before and behind the blocks of the vision tower, where they train.
    pub fn outer_vision(&self, parameters: &Named, width: usize) -> Result<[Option<Pair>; 2], MethodError> {
        let of = |name: &str| self.outer.then(|| norm(parameters, name, width)).transpose();
        Ok([of(OUTER[0])?, of(OUTER[1])?])
    }

    /// The one behind the blocks of the text tower, where it trains.
    pub fn outer_text(&self, parameters: &Named, width: usize) -> Result<Option<Pair>, MethodError> {
        self.outer.then(|| norm(parameters, OUTER[2], width)).transpose()
    }
}

/// Names and values of the LayerNorms of some blocks.
fn blocks<'t>(
    model: &str,
    blocks: std::ops::Range<usize>,
    own: impl Fn(usize, bool) -> Option<[&'t Tensor; 2]>,
) -> Vec<(String, Tensor)> {
    let both = blocks.flat_map(|block| [(block, false), (block, true)]);
    let of = |(block, second)| own(block, second).map(|pair| named(norm_name(model, block, second), pair));
    both.filter_map(of).flatten().collect()
}
