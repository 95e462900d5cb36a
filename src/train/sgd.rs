//! SGD with momentum and weight decay, as PyTorch's `torch.optim.SGD` (dampening 0, no Nesterov).

use candle_core::Tensor;

use super::error::TrainError;
use super::step::Gradients;
use crate::backbone::Precision;
use crate::method::Parameters;

/// Momentum of every published run.
pub const MOMENTUM: f64 = 0.9;
/// Weight decay of every published run, added to the gradient.
pub const WEIGHT_DECAY: f64 = 5e-4;

/// Momentum buffers, in the order of the parameters. The first buffer is the gradient itself.
#[derive(Clone, Debug, Default)]
pub struct Sgd {
    buffers: Vec<Tensor>,
    storage: Precision,
}

impl Sgd {
    /// Continues with saved buffers (in parameter order).
    pub fn resume(buffers: Vec<Tensor>) -> Self {
        Self { buffers, storage: Precision::F32 }
    }

    /// Holds parameters and buffers as numbers of this format, as half-precision trainings without master
    /// weights do: every update is computed in f32 and rounded.
    #[must_use]
    pub fn stored_as(self, storage: Precision) -> Self {
        Self { storage, ..self }
    }

    fn rounded(&self, tensor: Tensor) -> candle_core::Result<Tensor> {
        match self.storage {
            Precision::F32 => Ok(tensor),
            coarse => tensor.to_dtype(coarse.dtype())?.to_dtype(tensor.dtype()),
        }
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
            let value = self.rounded(var.as_tensor().detach())?;
            let gradient = (self.rounded(gradients.tensors[i].clone())? + (&value * WEIGHT_DECAY)?)?;
            let buffer = if first { gradient } else { ((&self.buffers[i] * MOMENTUM)? + gradient)? };
            let buffer = self.rounded(buffer)?;
            var.set(&self.rounded((value - (&buffer * lr)?)?)?)?;
            match self.buffers.get_mut(i) {
                Some(slot) => *slot = buffer,
                None => self.buffers.push(buffer),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    /// Three steps from 1 under a gradient of 0.3; the value and the buffer.
    fn trained(storage: Precision) -> [f32; 2] {
        let one = Tensor::ones(1, DType::F32, &Device::Cpu).unwrap();
        let parameters = Parameters::new(vec![("p", one.clone())]).unwrap();
        let mut sgd = Sgd::default().stored_as(storage);
        for _ in 0..3 {
            let gradients = Gradients { loss: 0.0, tensors: vec![(&one * 0.3).unwrap()] };
            sgd.step(&parameters, &gradients, 1e-3).unwrap();
        }
        let number = |t: &Tensor| t.to_vec1::<f32>().unwrap()[0];
        let value = parameters.values().unwrap().get("p", &[1]).unwrap().clone();
        [number(&value), number(&sgd.buffers()[0])]
    }

    #[test]
    fn coarse_storage_holds_only_numbers_of_its_format() {
        let exact = trained(Precision::F32);
        for precision in [Precision::Bf16, Precision::F16] {
            let dtype = precision.dtype();
            let stored = trained(precision);
            let tensor = Tensor::new(&stored, &Device::Cpu).unwrap();
            let again = tensor.to_dtype(dtype).unwrap().to_dtype(DType::F32).unwrap();
            assert_eq!(again.to_vec1::<f32>().unwrap(), stored, "{precision}");
            assert!(
                stored != exact && (stored[1] - exact[1]).abs() < 0.01,
                "{precision}: {stored:?} {exact:?}"
            );
        }
        // Steps below half a unit in the last place are lost: why master weights exist.
        assert_eq!(trained(Precision::Bf16)[0], 1.0);
        assert!(exact[0] < 0.999);
    }
}
