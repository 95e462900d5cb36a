//! SGD with momentum and weight decay, as PyTorch's `torch.optim.SGD` (dampening 0, no Nesterov).

use candle_core::Tensor;

use super::error::TrainError;
use super::step::Gradients;
use crate::method::Parameters;

/// Momentum of every published run.
pub const MOMENTUM: f64 = 0.9;
/// Weight decay of every published run, added to the gradient.
pub const WEIGHT_DECAY: f64 = 5e-4;

/// Momentum buffers, in the order of the parameters. The first buffer is the gradient itself.
#[derive(Clone, Debug, Default)]
pub struct Sgd {
    buffers: Vec<Tensor>,
}

impl Sgd {
    /// Continues with saved buffers (in parameter order).
    pub fn resume(buffers: Vec<Tensor>) -> Self {
        Self { buffers }
    }

    /// The momentum buffers, in parameter order; empty before the first step.
    pub fn buffers(&self) -> &[Tensor] {
        &self.buffers
    }

    /// g ← gradient + decay·p; buffer ← momentum·buffer + g; p ← p − lr·buffer.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn step(
        &mut self,
        parameters: &Parameters,
        gradients: &Gradients,
        lr: f64,
    ) -> Result<(), TrainError> {
        let first = self.buffers.is_empty();
        for (i, (_, var)) in parameters.iter().enumerate() {
            let value = var.as_tensor().detach();
            let gradient = (&gradients.tensors[i] + (&value * WEIGHT_DECAY)?)?;
            let buffer = if first { gradient } else { ((&self.buffers[i] * MOMENTUM)? + gradient)? };
            var.set(&(value - (&buffer * lr)?)?)?;
            match self.buffers.get_mut(i) {
                Some(slot) => *slot = buffer,
                None => self.buffers.push(buffer),
            }
        }
        Ok(())
    }
}
