//! One pre-norm transformer block, and the weights it is built from.

use candle_core::{Result, Tensor};

use super::config::{Activation, TowerConfig};
use super::nn::{self, Attend, LayerNorm, Linear};
use super::weights::{Weights, WeightsError};

/// x += attention(LN(x)); x += MLP(LN(x)). Keys and values come from one fused linear layer.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub ln1: LayerNorm,
    pub q: Linear,
    /// `[2·width, width]`: keys, then values.
    pub kv: Linear,
    pub out: Linear,
    ln2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    activation: Activation,
}

impl Block {
    /// Reads the block under `prefix` (`vision_model.encoder.layers.0`).
    pub fn load(
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

    /// Flat rows `[n, width]`. `keys` says where the plan's keys live, `read` which rows go on.
    pub fn rows(
        &self,
        x: &Tensor,
        call: Attend,
        own: OwnKeys,
        read: Option<&Tensor>,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let normed = self.ln1.forward(x)?;
        let kv = match own {
            OwnKeys::Computed => Some(self.kv.forward(&normed)?),
            OwnKeys::None => None,
        };
        let (x, normed) = match read {
            Some(rows) => (x.index_select(rows, 0)?, normed.index_select(rows, 0)?),
            None => (x.clone(), normed),
        };
        let attended = nn::attend(&self.q.forward(&normed)?, kv.as_ref(), call)?;
        Ok((self.finish(&x, &attended)?, kv))
    }

    /// Whole sequences `[batch, n, width]` with an additive mask that broadcasts to
    /// `[batch, heads, n, n]`.
    pub fn dense(&self, x: &Tensor, mask: Option<&Tensor>, heads: usize) -> Result<Tensor> {
        let (batch, n, width) = x.dims3()?;
        let flat = x.reshape((batch * n, width))?;
        let normed = self.ln1.forward(&flat)?;
        let kv = self.kv.forward(&normed)?;
        let split = |t: Tensor| t.reshape((batch, n, heads, width / heads))?.transpose(1, 2)?.contiguous();
        let q = split(self.q.forward(&normed)?)?;
        let k = split(kv.narrow(1, 0, width)?.contiguous()?)?;
        let v = split(kv.narrow(1, width, width)?.contiguous()?)?;
        let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? * ((width / heads) as f64).powf(-0.5))?;
        let scores = match mask {
            Some(mask) => scores.broadcast_add(mask)?,
            None => scores,
        };
        let attended = nn::softmax(&scores)?.matmul(&v)?.transpose(1, 2)?.contiguous()?;
        self.finish(&flat, &attended.reshape((batch * n, width))?)?.reshape((batch, n, width))
    }
}

/// Whether a block computes keys and values of its own rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnKeys {
    /// The plan refers to own rows.
    Computed,
    /// Readers: nobody attends to them, so their keys and values are dead.
    None,
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
