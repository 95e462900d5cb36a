//! Update rules, and what they remember between steps.
//!
//! A rule sees one parameter at a time; the optimiser keeps its buffers, in the order of the parameters.

use candle_core::Tensor;

use super::error::TrainError;
use super::gradients::Gradients;
use crate::backbone::Precision;
use crate::method::Parameters;

/// Momentum of the common recipe.
pub const MOMENTUM: f64 = 0.9;
/// Weight decay of the common recipe, added to the gradient.
pub const WEIGHT_DECAY: f64 = 5e-4;

/// How one parameter moves.
pub trait Rule: Send {
    /// Buffers kept for every parameter.
    fn buffers(&self) -> usize;

    /// The parameter after step `step` (from 1) at rate `lr`. `buffers` hold what the last step left, nothing before
    /// the first; the new ones, through `round`, take their place before they move the value.
    ///
    /// # Errors
    /// Whatever candle reports.
    fn update(
        &self,
        value: &Tensor,
        gradient: &Tensor,
        buffers: &mut Vec<Tensor>,
        step: u64,
        lr: f64,
        round: &dyn Fn(Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor>;
}

/// SGD with momentum and weight decay, as PyTorch's `torch.optim.SGD` (dampening 0, no Nesterov). The first buffer is
/// the gradient itself.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// Share of the last buffer that goes on.
    pub momentum: f64,
    /// Added to the gradient, times the value.
    pub weight_decay: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { momentum: MOMENTUM, weight_decay: WEIGHT_DECAY }
    }
}

impl Rule for Sgd {
    fn buffers(&self) -> usize {
        1
    }

    fn update(
        &self,
        value: &Tensor,
        gradient: &Tensor,
        buffers: &mut Vec<Tensor>,
        _: u64,
        lr: f64,
        round: &dyn Fn(Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let gradient = (gradient + (value * self.weight_decay)?)?;
        let buffer = match buffers.first() {
            Some(last) => ((last * self.momentum)? + gradient)?,
            None => gradient,
        };
        let buffer = round(buffer)?;
        let value = (value - (&buffer * lr)?)?;
        *buffers = vec![buffer];
        Ok(value)
    }
}

/// Adam with bias correction and eps outside the root, as PyTorch's `Adam` and `AdamW`.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// Decay rates of the two moments.
    pub betas: [f64; 2],
    /// Added to the root.
    pub eps: f64,
    /// Strength of the decay.
    pub weight_decay: f64,
    /// The decay shrinks the value itself (AdamW); otherwise it is added to the gradient.
    pub decoupled: bool,
}

impl Rule for Adam {
    fn buffers(&self) -> usize {
        2
    }

    fn update(
        &self,
        value: &Tensor,
        gradient: &Tensor,
        buffers: &mut Vec<Tensor>,
        step: u64,
        lr: f64,
        round: &dyn Fn(Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let (value, gradient) = match self.decoupled {
            true => ((value * (1.0 - lr * self.weight_decay))?, gradient.clone()),
            false => (value.clone(), (gradient + (value * self.weight_decay)?)?),
        };
        let moments = [gradient.clone(), gradient.sqr()?];
        let mut next = Vec::with_capacity(2);
        for (index, (moment, beta)) in moments.iter().zip(self.betas).enumerate() {
            let share = (moment * (1.0 - beta))?;
            next.push(round(match buffers.get(index) {
                Some(last) => ((last * beta)? + share)?,
                None => share,
            })?);
        }
        let correction = self.betas.map(|beta| 1.0 - beta.powf(step as f64));
        let root = ((&next[1] / correction[1])?.sqrt()? + self.eps)?;
        let value = (value - ((&next[0] / correction[0])?.div(&root)? * lr)?)?;
        *buffers = next;
        Ok(value)
    }
}

/// What an optimiser remembers between two steps.
#[derive(Clone, Debug, Default)]
pub struct OptimiserState {
    /// Steps taken.
    pub steps: u64,
    /// Buffers of the first parameter, then those of the second, and so on; empty before the first step.
    pub buffers: Vec<Tensor>,
}

/// A rule with its memory.
pub struct Optimiser {
    rule: Box<dyn Rule>,
    storage: Precision,
    steps: u64,
    /// Per parameter.
    buffers: Vec<Vec<Tensor>>,
}

impl Optimiser {
    /// Before the first step.
    pub fn new(rule: Box<dyn Rule>) -> Self {
        Self { rule, storage: Precision::F32, steps: 0, buffers: Vec::new() }
    }

    /// Goes on from a saved state.
    #[must_use]
    pub fn resume(self, state: OptimiserState) -> Self {
        let count = self.rule.buffers().max(1);
        let buffers = state.buffers.chunks(count).map(<[Tensor]>::to_vec).collect();
        Self { steps: state.steps, buffers, ..self }
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

    /// What a checkpoint has to keep.
    pub fn state(&self) -> OptimiserState {
        OptimiserState { steps: self.steps, buffers: self.buffers.concat() }
    }

    /// One update of every trained parameter at rate `lr`.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn step(
        &mut self,
        parameters: &Parameters,
        gradients: &Gradients,
        lr: f64,
    ) -> Result<(), TrainError> {
        self.steps += 1;
        self.buffers.resize(gradients.tensors.len(), Vec::new());
        for (index, (_, var)) in parameters.iter().enumerate() {
            let value = self.rounded(var.as_tensor().detach())?;
            let gradient = self.rounded(gradients.tensors[index].clone())?;
            let mut buffers = std::mem::take(&mut self.buffers[index]);
            let round = |tensor| self.rounded(tensor);
            let value = self.rule.update(&value, &gradient, &mut buffers, self.steps, lr, &round)?;
            var.set(&self.rounded(value)?)?;
            self.buffers[index] = buffers;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    fn number(tensor: &Tensor) -> f32 {
        tensor.to_vec1::<f32>().unwrap()[0]
    }

    /// `steps` steps from 1 under a gradient of 0.3: the value, and the optimiser.
    fn trained(optimiser: Optimiser, steps: usize, lr: f64) -> (f32, Optimiser) {
        let one = Tensor::ones(1, DType::F32, &Device::Cpu).unwrap();
        let parameters = Parameters::new(vec![("p", one.clone())]).unwrap();
        let mut optimiser = optimiser;
        for _ in 0..steps {
            let gradients = Gradients::plain(0.0, vec![(&one * 0.3).unwrap()]);
            optimiser.step(&parameters, &gradients, lr).unwrap();
        }
        let value = parameters.values().unwrap().get("p", &[1]).unwrap().clone();
        (number(&value), optimiser)
    }

    #[test]
    fn coarse_storage_holds_only_numbers_of_its_format() {
        let run = |storage| {
            let sgd = Optimiser::new(Box::new(Sgd::default())).stored_as(storage);
            let (value, optimiser) = trained(sgd, 3, 1e-3);
            [value, number(&optimiser.state().buffers[0])]
        };
        let exact = run(Precision::F32);
        for precision in [Precision::Bf16, Precision::F16] {
            let dtype = precision.dtype();
            let stored = run(precision);
            let tensor = Tensor::new(&stored, &Device::Cpu).unwrap();
            let again = tensor.to_dtype(dtype).unwrap().to_dtype(DType::F32).unwrap();
            assert_eq!(again.to_vec1::<f32>().unwrap(), stored, "{precision}");
            assert!(
                stored != exact && (stored[1] - exact[1]).abs() < 0.01,
                "{precision}: {stored:?} {exact:?}"
            );
        }
        // Steps below half a unit in the last place are lost: why master weights exist.
        assert_eq!(run(Precision::Bf16)[0], 1.0);
        assert!(exact[0] < 0.999);
    }

    /// With a constant gradient both moments' ratio is its sign, so every step of Adam has the length of the rate; the two
    /// kinds of decay differ.
    #[test]
    fn adam_takes_steps_of_the_rate_and_decays_in_two_ways() {
        let adam = |weight_decay, decoupled| {
            let rule = Adam { betas: [0.9, 0.999], eps: 0.0, weight_decay, decoupled };
            trained(Optimiser::new(Box::new(rule)), 3, 0.01).0
        };
        assert!((adam(0.0, false) - 0.97).abs() < 1e-6);
        assert_eq!(adam(0.0, false), adam(0.0, true));
        let shrunk = ((0.999f32 - 0.01) * 0.999 - 0.01) * 0.999 - 0.01;
        assert!((adam(0.1, true) - shrunk).abs() < 1e-6);
        assert!((adam(0.1, false) - 0.97).abs() < 1e-4, "the sign of the gradient is what counts");
    }

    #[test]
    fn a_state_that_is_taken_up_again_goes_on_bit_for_bit() {
        let rule = || Box::new(Adam { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.1, decoupled: true });
        let one = Tensor::ones(1, DType::F32, &Device::Cpu).unwrap();
        let run = |broken: bool| {
            let parameters = Parameters::new(vec![("p", one.clone())]).unwrap();
            let mut optimiser = Optimiser::new(rule());
            for step in 0..4 {
                if broken && step == 2 {
                    optimiser = Optimiser::new(rule()).resume(optimiser.state());
                }
                let gradients = Gradients::plain(0.0, vec![(&one * f64::from(step - 1)).unwrap()]);
                optimiser.step(&parameters, &gradients, 0.01).unwrap();
            }
            let value = parameters.values().unwrap().get("p", &[1]).unwrap().clone();
            number(&value).to_bits()
        };
        assert_eq!(run(true), run(false));
    }
}
