//! CLIP-LoRA's additions: W + (α/√r)·B·A on the queries, keys and values of every block. The surprising fact is the root.

use candle_core::Tensor;
use serde::Deserialize;

use super::draws::{linear_bound, uniform};
use crate::backbone::changes::{LowRank, Projection};
use crate::backbone::{Clip, TowerConfig};
use crate::method::error::MethodError;
use crate::method::parameters::Named;
use crate::util::rng::Stream;

/// Sizes of the additions.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lora {
    pub rank: usize,
    pub alpha: f64,
    /// Share of the additions' input that a training step leaves out.
    pub dropout: f64,
}

fn projection_name(model: &str, block: usize, projection: Projection) -> String {
    let letter = match projection {
        Projection::Query => "q",
        Projection::Key => "k",
        Projection::Value => "v",
    };
    format!("{model}.encoder.layers.{block}.self_attn.{letter}_proj")
}

impl Lora {
    /// Initial values of a tower's additions: A as PyTorch's linear layers, B zero.
    pub fn initial(
        &self,
        clip: &Clip,
        (model, tower): (&str, &TowerConfig),
        stream: &mut Stream,
    ) -> Result<Vec<(String, Tensor)>, MethodError> {
        let (width, mut all) = (tower.width, Vec::new());
        for block in 0..tower.layers {
            for projection in Projection::ALL {
                let name = projection_name(model, block, projection);
                let a = uniform(&[self.rank, width], linear_bound(width), stream, clip.device())?;
                all.push((format!("{name}.lora_a"), a.to_dtype(clip.dtype())?));
                let zeros = Tensor::zeros((width, self.rank), clip.dtype(), clip.device())?;
                all.push((format!("{name}.lora_b"), zeros));
            }
        }
        Ok(all)
    }

    /// What is added to one block.
    pub fn additions(
        &self,
        parameters: &Named,
        (model, tower): (&str, &TowerConfig),
        block: usize,
    ) -> Result<Vec<LowRank>, MethodError> {
        let (rank, width) = (self.rank, tower.width);
        let one = |projection| {
            let name = projection_name(model, block, projection);
            let a = parameters.get(&format!("{name}.lora_a"), &[rank, width])?.clone();
            let b = parameters.get(&format!("{name}.lora_b"), &[width, rank])?.clone();
            let scale = self.alpha / (rank as f64).sqrt();
            Ok(LowRank { block, projection, a, b, scale, dropout: None })
        };
        Projection::ALL.into_iter().map(one).collect()
    }
}
