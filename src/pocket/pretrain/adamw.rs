//! AdamW over named variables: decoupled decay on matrices, bias correction, global gradient clipping.

use std::collections::BTreeMap;

use candle_core::{DType, Tensor, Var};

use super::error::PretrainError;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.98;
const EPS: f64 = 1e-6;
const WEIGHT_DECAY: f64 = 0.05;
/// Largest global gradient norm applied.
const CLIP_NORM: f64 = 1.0;

/// First and second moments per weight.
#[derive(Clone, Debug, Default)]
pub(super) struct AdamW {
    pub moments: BTreeMap<String, (Tensor, Tensor)>,
    pub steps: u64,
}

impl AdamW {
    /// One update at learning rate `lr`.
    pub fn step(
        &mut self,
        vars: &BTreeMap<String, Var>,
        grads: &BTreeMap<String, Tensor>,
        lr: f64,
    ) -> Result<(), PretrainError> {
        let scale = self.clip_factor(vars, grads)?;
        self.steps += 1;
        let exponent = self.steps as f64;
        let (c1, c2) = (1.0 - BETA1.powf(exponent), 1.0 - BETA2.powf(exponent));
        for (name, var) in vars {
            let Some(gradient) = grads.get(name) else {
                return Err(PretrainError::Setting(format!("no gradient reached {name}")));
            };
            let gradient = (gradient * scale)?;
            let (m, v) = match self.moments.get(name) {
                Some((m, v)) => (
                    ((m * BETA1)? + (&gradient * (1.0 - BETA1))?)?,
                    ((v * BETA2)? + (gradient.sqr()? * (1.0 - BETA2))?)?,
                ),
                None => ((&gradient * (1.0 - BETA1))?, (gradient.sqr()? * (1.0 - BETA2))?),
            };
            let value = var.as_tensor().detach();
            let update = (&m / c1)?.div(&((&v / c2)?.sqrt()? + EPS)?)?;
            let decay = if value.dims().len() > 1 { lr * WEIGHT_DECAY } else { 0.0 };
            var.set(&((value * (1.0 - decay))? - (update * lr)?)?)?;
            self.moments.insert(name.clone(), (m, v));
        }
        Ok(())
    }

    fn clip_factor(
        &self,
        vars: &BTreeMap<String, Var>,
        grads: &BTreeMap<String, Tensor>,
    ) -> Result<f64, PretrainError> {
        let mut squares = 0.0;
        for name in vars.keys() {
            if let Some(gradient) = grads.get(name) {
                let square = gradient.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
                if !square.is_finite() {
                    return Err(PretrainError::NotFinite { tensor: name.clone(), step: self.steps });
                }
                squares += square;
            }
        }
        Ok((CLIP_NORM / squares.sqrt().max(1e-12)).min(1.0))
    }
}
