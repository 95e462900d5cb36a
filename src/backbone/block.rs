//! One pre-norm transformer block: the weights it is built from, and its passes as a graph of operations.
//!
//! The graph serves trained weights and changed blocks; frozen blocks are run by `nn::run_frozen`.

use candle_core::{Result, Tensor};

use super::changes::{LowRank, Projection};
use super::config::TowerConfig;
use super::files::weights::{Weights, WeightsError};
use super::nn::{self, Block, BlockCall, LayerNorm, Linear};

impl Block {
    /// Reads the block under `prefix` (`vision_model.encoder.layers.0`).
    pub(super) fn load(
        weights: &Weights,
        prefix: &str,
        config: &TowerConfig,
    ) -> std::result::Result<Self, WeightsError> {
        let (d, hidden) = (config.width, config.mlp_width);
        let linear = |name: &str, outputs: usize, inputs: usize| -> std::result::Result<_, WeightsError> {
            Ok((
                weights.get(&format!("{prefix}.{name}.weight"), &[outputs, inputs])?,
                weights.get(&format!("{prefix}.{name}.bias"), &[outputs])?,
            ))
        };
        let single = |(weight, bias)| Linear::new(weight, Some(bias));
        let (k_weight, k_bias) = linear("self_attn.k_proj", d, d)?;
        let (v_weight, v_bias) = linear("self_attn.v_proj", d, d)?;
        let kv =
            Linear::new(Tensor::cat(&[k_weight, v_weight], 0)?, Some(Tensor::cat(&[k_bias, v_bias], 0)?));
        Ok(Self {
            ln1: layer_norm(weights, &format!("{prefix}.layer_norm1"), config)?,
            q: single(linear("self_attn.q_proj", d, d)?),
            kv,
            out: single(linear("self_attn.out_proj", d, d)?),
            ln2: layer_norm(weights, &format!("{prefix}.layer_norm2"), config)?,
            fc1: single(linear("mlp.fc1", hidden, d)?),
            fc2: single(linear("mlp.fc2", d, hidden)?),
            activation: config.activation,
        })
    }

    /// The block after attention: adds the attended rows and the MLP's output to `x`.
    fn finish(&self, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        let x = (x + self.out.forward(attended)?)?;
        let hidden = self.fc1.forward(&self.ln2.forward(&x)?)?;
        &x + self.fc2.forward(&nn::activate(&hidden, self.activation)?)?
    }

    /// Flat rows `[n, width]`: the rows that go on, and own keys and values. `added` joins the projections.
    pub(super) fn rows(
        &self,
        x: &Tensor,
        call: BlockCall,
        added: &[&LowRank],
    ) -> Result<(Tensor, Option<Tensor>)> {
        let normed = self.ln1.forward(x)?;
        let kv = call.own_keys.then(|| self.keys_and_values(&normed, added)).transpose()?;
        let (x, normed) = match &call.read {
            Some(rows) => {
                let rows: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
                let rows = Tensor::new(rows, x.device())?;
                (x.index_select(&rows, 0)?, normed.index_select(&rows, 0)?)
            }
            None => (x.clone(), normed),
        };
        let queries = added.iter().filter(|low| low.projection == Projection::Query);
        let q =
            queries.map(|low| low.forward(&normed)).try_fold(self.q.forward(&normed)?, |q, low| q + low?)?;
        let attended = nn::attend(&q, kv.as_ref(), call.attend)?;
        Ok((self.finish(&x, &attended)?, kv))
    }

    fn keys_and_values(&self, normed: &Tensor, added: &[&LowRank]) -> Result<Tensor> {
        let mut kv = self.kv.forward(normed)?;
        for low in added {
            let own = low.forward(normed)?;
            kv = match low.projection {
                Projection::Query => kv,
                Projection::Key => (kv + Tensor::cat(&[&own, &own.zeros_like()?], 1)?)?,
                Projection::Value => (kv + Tensor::cat(&[&own.zeros_like()?, &own], 1)?)?,
            };
        }
        Ok(kv)
    }

    /// Whole sequences `[batch, n, width]` with an additive mask that broadcasts to
    /// `[batch, heads, n, n]`.
    pub(super) fn dense(&self, x: &Tensor, mask: Option<&Tensor>, heads: usize) -> Result<Tensor> {
        let (batch, n, width) = x.dims3()?;
        let flat = x.reshape((batch * n, width))?;
        let normed = self.ln1.forward(&flat)?;
        let kv = self.kv.forward(&normed)?;
        let split = |t: Tensor| t.reshape((batch, n, heads, width / heads))?.transpose(1, 2)?.contiguous();
        let q = split(self.q.forward(&normed)?)?;
        let k = split(kv.narrow(1, 0, width)?.contiguous()?)?;
        let v = split(kv.narrow(1, width, width)?.contiguous()?)?;
        let scores =
            (nn::matmul(&q, &k.transpose(2, 3)?.contiguous()?)? * ((width / heads) as f64).powf(-0.5))?;
        let scores = match mask {
            Some(mask) => scores.broadcast_add(mask)?,
            None => scores,
        };
        let attended = nn::matmul(&nn::softmax(&scores)?, &v)?.transpose(1, 2)?.contiguous()?;
        self.finish(&flat, &attended.reshape((batch * n, width))?)?.reshape((batch, n, width))
    }
}

/// Reads `{name}.weight` and `{name}.bias`.
pub(super) fn layer_norm(
    weights: &Weights,
    name: &str,
    config: &TowerConfig,
) -> std::result::Result<LayerNorm, WeightsError> {
    Ok(LayerNorm::new(
        weights.get(&format!("{name}.weight"), &[config.width])?,
        weights.get(&format!("{name}.bias"), &[config.width])?,
        config.layer_norm_eps,
    ))
}
