//! How a method trains, as data: optimiser, schedule, length, batches. A method's TOML says where it departs from
//! the common recipe (SGD under a warmed-up cosine, a rate an epoch).
//!
//! Long because it is every field of a recipe with its check.

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::optimiser::{Adam, Rule, Sgd};
use super::schedule::{Schedule, WARMUP_EPOCHS, WARMUP_LEARNING_RATE};

/// The family of the update rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimiserName {
    /// Momentum, decay in the gradient.
    #[default]
    Sgd,
    /// Adam, decay in the gradient.
    Adam,
    /// Adam, decay of the value itself.
    Adamw,
}

/// What becomes of an epoch's last, incomplete batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LastBatch {
    /// Dropped, unless it is the only one.
    #[default]
    Drop,
    /// Kept.
    Keep,
}

/// Numbers of one training run, checked.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Base learning rate.
    pub learning_rate: f64,
    /// Images per step.
    pub batch_size: usize,
    /// Epochs, warm-up counted; 0 where the length is given in steps.
    pub epochs: usize,
    /// Other numbers of epochs for some shots, such as `1:50, 2:100`; empty for none.
    #[serde(default)]
    pub epochs_by_shots: String,
    /// Length in steps for every shot; 0 where it is given in epochs.
    #[serde(default)]
    pub steps_per_shot: usize,
    /// Update rule.
    #[serde(default)]
    pub optimiser: OptimiserName,
    /// SGD's momentum.
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Weight decay: in the gradient, or with AdamW of the value.
    #[serde(default = "weight_decay")]
    pub weight_decay: f64,
    /// Adam's first decay rate.
    #[serde(default = "beta1")]
    pub beta1: f64,
    /// Adam's second decay rate.
    #[serde(default = "beta2")]
    pub beta2: f64,
    /// What Adam adds to the root.
    #[serde(default = "eps")]
    pub eps: f64,
    /// How the rate moves.
    #[serde(default)]
    pub schedule: Schedule,
    /// Epochs at 1e-5 before an epoch-wise cosine begins.
    #[serde(default = "warmup_epochs")]
    pub warmup_epochs: usize,
    /// Where a step-wise cosine ends.
    #[serde(default)]
    pub final_learning_rate: f64,
    /// What becomes of the last batch.
    #[serde(default)]
    pub last_batch: LastBatch,
    /// 0: an epoch is a pass over fresh views. n: batches come from a fixed pool of n views an image, and an epoch has as
    /// many as a pass over the images alone.
    #[serde(default)]
    pub pool_views: usize,
    /// Centre, in epochs from 1, of the Gaussian under which parameters are averaged over epochs.
    #[serde(default)]
    pub average_mean: f64,
    /// Its width in epochs; 0 for no average.
    #[serde(default)]
    pub average_std: f64,
}

fn momentum() -> f64 {
    super::optimiser::MOMENTUM
}

fn weight_decay() -> f64 {
    super::optimiser::WEIGHT_DECAY
}

fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn eps() -> f64 {
    1e-8
}

fn warmup_epochs() -> usize {
    WARMUP_EPOCHS
}

impl Recipe {
    /// The common recipe: SGD with momentum and decay, warm-up epoch, cosine.
    pub fn common(learning_rate: f64, batch_size: usize, epochs: usize) -> Self {
        Self {
            learning_rate,
            batch_size,
            epochs,
            epochs_by_shots: String::new(),
            steps_per_shot: 0,
            optimiser: OptimiserName::Sgd,
            momentum: momentum(),
            weight_decay: weight_decay(),
            beta1: beta1(),
            beta2: beta2(),
            eps: eps(),
            schedule: Schedule::EpochCosine,
            warmup_epochs: WARMUP_EPOCHS,
            final_learning_rate: 0.0,
            last_batch: LastBatch::Drop,
            pool_views: 0,
            average_mean: 0.0,
            average_std: 0.0,
        }
    }

    /// Refuses what cannot train.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] naming the key and its value.
    pub fn check(self, method: &str) -> Result<Self, TrainError> {
        let fail = |reason| Err(TrainError::Recipe { method: method.to_owned(), reason });
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return fail(format!("learning_rate is {}: expected a number above 0", self.learning_rate));
        }
        if self.batch_size == 0 {
            return fail("batch_size is 0: expected at least 1".to_owned());
        }
        if self.epochs == 0 && self.steps_per_shot == 0 {
            return fail("epochs is 0: expected at least 1".to_owned());
        }
        if self.epochs > 0 && self.steps_per_shot > 0 {
            return fail(format!(
                "epochs is {} and steps_per_shot {}: expected at least 1 of exactly one of them",
                self.epochs, self.steps_per_shot
            ));
        }
        if self.steps_per_shot > 0 && self.schedule == Schedule::EpochCosine {
            return fail(
                "schedule is epoch_cosine, but the length is given in steps: use step_cosine".to_owned(),
            );
        }
        let below_one = [("momentum", self.momentum), ("beta1", self.beta1), ("beta2", self.beta2)];
        if let Some((key, value)) = below_one.into_iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
            return fail(format!("{key} is {value}: expected a number from 0 up to, but not, 1"));
        }
        let no_less_than_zero = [
            ("weight_decay", self.weight_decay),
            ("eps", self.eps),
            ("final_learning_rate", self.final_learning_rate),
            ("average_std", self.average_std),
        ];
        let refused = |value: &f64| !(value.is_finite() && *value >= 0.0);
        if let Some((key, value)) = no_less_than_zero.into_iter().find(|(_, value)| refused(value)) {
            return fail(format!("{key} is {value}: expected a number ≥ 0"));
        }
        if !self.average_mean.is_finite() {
            return fail(format!("average_mean is {}: expected an epoch", self.average_mean));
        }
        match by_shots(&self.epochs_by_shots) {
            Some(_) => Ok(self),
            None => {
                fail(format!("epochs_by_shots is {:?}: expected such as 1:50, 2:100", self.epochs_by_shots))
            }
        }
    }

    /// What the warm-up leaves of a short training, in words; `None` where at least two epochs follow it.
    pub fn caution(&self) -> Option<String> {
        let warmup = self.warmup_epochs.min(self.epochs);
        let after = self.epochs - warmup;
        let warms_up = self.schedule == Schedule::EpochCosine && warmup > 0;
        (warms_up && after < 2).then(|| {
            format!(
                "{warmup} of {} epochs is the warm-up at a learning rate of {WARMUP_LEARNING_RATE:e}; {after} at the base rate",
                self.epochs
            )
        })
    }

    /// The recipe for a number of shots: lengths that depend on it are settled.
    #[must_use]
    pub fn for_shots(&self, shots: u32) -> Self {
        let listed = by_shots(&self.epochs_by_shots).unwrap_or_default();
        let epochs = listed.iter().find(|(of, _)| *of == shots).map_or(self.epochs, |(_, epochs)| *epochs);
        let steps_per_shot = self.steps_per_shot * shots as usize;
        Self { epochs, steps_per_shot, epochs_by_shots: String::new(), ..self.clone() }
    }

    /// Learning rate of a step among `images` images; `epoch` and `step` within it count from 0. The recipe is
    /// [settled](Recipe::for_shots).
    pub fn learning_rate(&self, images: usize, (epoch, step): (usize, usize)) -> f64 {
        match self.schedule {
            Schedule::EpochCosine => super::schedule::epoch_cosine(
                self.learning_rate,
                self.epochs,
                (self.warmup_epochs, WARMUP_LEARNING_RATE),
                epoch,
            ),
            Schedule::StepCosine => super::schedule::step_cosine(
                (self.learning_rate, self.final_learning_rate),
                self.total_steps(images),
                epoch * self.full_steps(images) + step,
            ),
            Schedule::Constant => self.learning_rate,
        }
    }

    /// Steps of a whole epoch over `images` images.
    pub fn full_steps(&self, images: usize) -> usize {
        let steps = match self.last_batch {
            LastBatch::Drop => images / self.batch_size,
            LastBatch::Keep => images.div_ceil(self.batch_size),
        };
        steps.max(usize::from(images > 0))
    }

    /// Steps of `epoch`: fewer in the last one where the length is given in steps.
    pub fn steps(&self, images: usize, epoch: usize) -> usize {
        let full = self.full_steps(images);
        full.min(self.total_steps(images).saturating_sub(epoch * full))
    }

    /// Steps in all.
    pub fn total_steps(&self, images: usize) -> usize {
        if self.steps_per_shot > 0 { self.steps_per_shot } else { self.epochs * self.full_steps(images) }
    }

    /// Epochs over `images` images, a last incomplete one counted.
    pub fn epochs(&self, images: usize) -> usize {
        if self.steps_per_shot == 0 {
            return self.epochs;
        }
        self.steps_per_shot.div_ceil(self.full_steps(images).max(1))
    }

    /// Views that a training looks at.
    pub fn views(&self, images: usize) -> usize {
        if self.pool_views > 0 { self.pool_views } else { self.epochs(images) }
    }

    /// The recipes of a training over `images` images whose first stage takes this share of the steps, rounded down; a
    /// second stage takes the rest under a schedule of its own. The recipe is [settled](Recipe::for_shots).
    pub fn stages(&self, images: usize, share: f64) -> Vec<Self> {
        let (total, full) = (self.total_steps(images), self.full_steps(images).max(1));
        let first = ((share * total as f64) as usize).max(1);
        if first >= total {
            return vec![self.clone()];
        }
        let stage =
            |steps: usize| Self { epochs: steps.div_ceil(full), steps_per_shot: steps, ..self.clone() };
        vec![stage(first), stage(total - first)]
    }

    /// The update rule.
    pub fn rule(&self) -> Box<dyn Rule> {
        let adam = |decoupled| Adam {
            betas: [self.beta1, self.beta2],
            eps: self.eps,
            weight_decay: self.weight_decay,
            decoupled,
        };
        match self.optimiser {
            OptimiserName::Sgd => Box::new(Sgd { momentum: self.momentum, weight_decay: self.weight_decay }),
            OptimiserName::Adam => Box::new(adam(false)),
            OptimiserName::Adamw => Box::new(adam(true)),
        }
    }

    /// Weight of the parameters after `epoch` (from 0) in their average; `None` without one. All weights add up to 1.
    pub fn average_weight(&self, images: usize, epoch: usize) -> Option<f64> {
        if self.average_std <= 0.0 {
            return None;
        }
        let density = |epoch: usize| {
            let distance = (epoch as f64 + 1.0 - self.average_mean) / self.average_std;
            (-distance * distance / 2.0).exp()
        };
        // Far from the centre all densities vanish; then the last epoch is all there is to take.
        let total: f64 = (0..self.epochs(images)).map(density).sum();
        let last = if epoch + 1 == self.epochs(images) { 1.0 } else { 0.0 };
        Some(if total > 0.0 { density(epoch) / total } else { last })
    }
}

/// `1:50, 2:100` as pairs; `None` for anything else.
fn by_shots(text: &str) -> Option<Vec<(u32, usize)>> {
    let pair = |part: &str| {
        let (shots, epochs) = part.split_once(':')?;
        let epochs: usize = epochs.trim().parse().ok()?;
        (epochs > 0).then_some((shots.trim().parse().ok()?, epochs))
    };
    text.split(',').filter(|part| !part.trim().is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_epochs_and_in_steps() {
        let drop = Recipe::common(0.1, 4, 3);
        assert_eq!([drop.full_steps(10), drop.full_steps(3), drop.full_steps(0)], [2, 1, 0]);
        let keep = Recipe { last_batch: LastBatch::Keep, ..drop.clone() };
        assert_eq!([keep.full_steps(10), keep.full_steps(3), keep.full_steps(0)], [3, 1, 0]);
        let steps = Recipe { epochs: 0, steps_per_shot: 5, schedule: Schedule::StepCosine, ..keep };
        let two = steps.check("m").unwrap().for_shots(2);
        assert_eq!((two.total_steps(12), two.epochs(12)), (10, 4));
        assert_eq!([0, 1, 2, 3, 4].map(|epoch| two.steps(12, epoch)), [3, 3, 3, 1, 0]);
    }

    #[test]
    fn two_stages_share_the_steps_and_begin_their_schedules_anew() {
        let steps = Recipe { steps_per_shot: 5, schedule: Schedule::StepCosine, ..Recipe::common(0.1, 4, 0) };
        let stages = steps.for_shots(1).stages(8, 0.6);
        assert_eq!(stages.iter().map(|stage| stage.total_steps(8)).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(stages.iter().map(|stage| stage.epochs(8)).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(stages[1].learning_rate(8, (0, 0)), 0.1);
        assert_eq!(steps.for_shots(1).stages(8, 1.0), [steps.for_shots(1)]);
        let by_epochs = Recipe::common(0.1, 4, 5).stages(8, 0.5);
        assert_eq!(by_epochs.iter().map(|stage| stage.total_steps(8)).collect::<Vec<_>>(), [5, 5]);
    }

    #[test]
    fn shots_choose_their_epochs() {
        let recipe = Recipe { epochs_by_shots: "1:50, 2:100".to_owned(), ..Recipe::common(0.1, 4, 200) };
        let recipe = recipe.check("m").unwrap();
        assert_eq!([1, 2, 16].map(|shots| recipe.for_shots(shots).epochs), [50, 100, 200]);
        for wrong in ["1", "1:0", "a:2", "1:2;3"] {
            let recipe = Recipe { epochs_by_shots: wrong.to_owned(), ..recipe.clone() };
            assert!(recipe.check("m").unwrap_err().to_string().contains("epochs_by_shots"), "{wrong}");
        }
    }

    #[test]
    fn averages_weigh_epochs_by_a_gaussian() {
        let recipe = Recipe { average_mean: 3.0, average_std: 1.5, ..Recipe::common(0.1, 1, 5) };
        let weights: Vec<f64> = (0..5).filter_map(|epoch| recipe.average_weight(4, epoch)).collect();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((weights[1] / weights[2] - (-1.0f64 / 4.5).exp()).abs() < 1e-12);
        assert_eq!(Recipe::common(0.1, 1, 5).average_weight(4, 0), None);
        let far = Recipe { average_mean: 1e6, ..recipe };
        assert_eq!([far.average_weight(4, 3), far.average_weight(4, 4)], [Some(0.0), Some(1.0)]);
    }

    #[test]
    fn what_cannot_train_is_refused_by_name() {
        let good = Recipe::common(0.1, 4, 1);
        assert!(good.clone().check("m").is_ok());
        for (key, wrong) in [
            ("learning_rate", Recipe { learning_rate: 0.0, ..good.clone() }),
            ("batch_size", Recipe { batch_size: 0, ..good.clone() }),
            ("epochs", Recipe { epochs: 0, ..good.clone() }),
            ("steps_per_shot", Recipe { steps_per_shot: 3, ..good.clone() }),
            ("momentum", Recipe { momentum: 1.0, ..good.clone() }),
            ("beta2", Recipe { beta2: f64::NAN, ..good.clone() }),
            ("eps", Recipe { eps: -1.0, ..good.clone() }),
            ("average_std", Recipe { average_std: f64::INFINITY, ..good }),
        ] {
            assert!(wrong.check("m").unwrap_err().to_string().contains(key), "{key}");
        }
    }
}
