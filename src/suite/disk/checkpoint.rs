//! A training in progress on disk: parameters, the optimiser's state, epoch and step, so that a kill at hour 9 loses a minute.
//!
//! One file, replaced in one step: safetensors with the rest as metadata, then the SHA-256 of all that. Easy to
//! get wrong: a damaged checkpoint must count as none, since numbers from it would look like any others.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::trained::serialise;
use crate::method::{Named, Parameters};
use crate::record::{Epoch, Store, StoreError};
use crate::train::{CheckpointState, EpochLog, Keeper, OptimiserState, TrainError};

/// Key of the metadata entry.
const STATE: &str = "state";
const HASH_BYTES: usize = 32;
/// Before the name of a parameter.
const PARAMETER: &str = "parameter.";
/// Names of the optimiser's buffers and of the average, before a number.
const BUFFER: &str = "optimiser";
const AVERAGE: &str = "average";
/// No header is longer: it holds some numbers an epoch and a line a tensor.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// The checkpoint of one training.
pub(in crate::suite) struct Checkpoint<'a> {
    store: &'a Store,
    path: String,
    device: &'a Device,
    every: Duration,
    last: Instant,
    /// Time the parts of the training before the last start took.
    earlier_secs: f64,
    started: Instant,
    /// Seconds that are timed elsewhere, and how many they were at the start.
    elsewhere: (&'a dyn Fn() -> f64, f64),
    /// Trainings that go on at the same time in the same products.
    sharers: usize,
}

/// What is not a tensor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    epoch: usize,
    step: usize,
    stage: usize,
    loss_total: f64,
    epochs: Vec<Epoch>,
    train_secs: f64,
    optimiser_steps: u64,
    /// The optimiser's buffers for each parameter.
    optimiser_buffers: usize,
    averaged: bool,
    /// Names of the trained parameters, in order.
    trained: Vec<String>,
}

fn path(key: &str) -> String {
    format!("checkpoints/{key}.checkpoint")
}

/// Removes the checkpoint of a training that is stored for good.
///
/// # Errors
/// [`StoreError`].
pub(in crate::suite) fn discard(store: &Store, key: &str) -> Result<(), StoreError> {
    store.remove(&path(key))
}

/// Finished epochs of the checkpoint of a training, from its header alone: for those who only look.
pub(in crate::suite) fn epoch(store: &Store, key: &str) -> Option<usize> {
    let mut file = std::fs::File::open(store.dir().join(path(key))).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    let mut header = Vec::new();
    file.take(length.min(MAX_HEADER_BYTES)).read_to_end(&mut header).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    let state: State = serde_json::from_str(header["__metadata__"][STATE].as_str()?).ok()?;
    Some(state.epoch)
}

impl<'a> Checkpoint<'a> {
    /// The checkpoint of the training `key`, due every `every`. What `elsewhere` counts is not its own time.
    pub fn new(
        store: &'a Store,
        key: &str,
        device: &'a Device,
        every: Duration,
        elsewhere: &'a dyn Fn() -> f64,
    ) -> Self {
        let (path, now, elsewhere) = (path(key), Instant::now(), (elsewhere, elsewhere()));
        Self { store, path, device, every, last: now, earlier_secs: 0.0, started: now, elsewhere, sharers: 1 }
    }

    /// One of `sharers` trainings in the same products: its time is an equal share of theirs.
    #[must_use]
    pub fn shared_by(self, sharers: usize) -> Self {
        Self { sharers: sharers.max(1), ..self }
    }

    /// Time spent on the training alone, interrupted parts included.
    pub fn seconds(&self) -> f64 {
        let (elsewhere, before) = self.elsewhere;
        let here = self.started.elapsed().as_secs_f64() - (elsewhere() - before);
        self.earlier_secs + here / self.sharers as f64
    }

    fn pack(&self, standing: &CheckpointState) -> Result<Vec<u8>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let state = State {
            epoch: standing.epoch,
            step: standing.step,
            stage: standing.stage,
            loss_total: standing.loss_total,
            epochs: standing.log.iter().map(Epoch::from).collect(),
            train_secs: self.seconds(),
            optimiser_steps: standing.optimiser.steps,
            optimiser_buffers: standing.optimiser.buffers.len() / standing.trained.len().max(1),
            averaged: !standing.average.is_empty(),
            trained: standing.trained.clone(),
        };
        let state = serde_json::to_string(&state).map_err(|error| text(&error))?;
        let mut tensors = BTreeMap::new();
        for (name, value) in standing.parameters.iter() {
            tensors.insert(format!("{PARAMETER}{name}"), value.clone());
        }
        for (name, list) in [(BUFFER, &standing.optimiser.buffers), (AVERAGE, &standing.average)] {
            for (index, tensor) in list.iter().enumerate() {
                tensors.insert(format!("{name}.{index}"), tensor.clone());
            }
        }
        let metadata = HashMap::from([(STATE.to_owned(), state)]);
        let mut bytes = serialise(tensors, Some(metadata)).map_err(|error| text(&error))?;
        bytes.extend(Sha256::digest(&bytes));
        Ok(bytes)
    }

    /// The state in `bytes`; `None` for anything damaged or of another shape than `parameters`.
    fn unpack(&self, bytes: &[u8], parameters: &Parameters) -> Option<(CheckpointState, f64)> {
        let (bytes, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH_BYTES)?)?;
        (Sha256::digest(bytes).as_slice() == hash).then_some(())?;
        let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
        let state: State = serde_json::from_str(header.metadata().as_ref()?.get(STATE)?).ok()?;
        let mut tensors = candle_core::safetensors::load_buffer(bytes, self.device).ok()?;
        let names: Vec<String> =
            tensors.keys().filter_map(|key| key.strip_prefix(PARAMETER)).map(str::to_owned).collect();
        let mut take = |key: String| tensors.remove(&key);
        let mut values = Vec::new();
        for name in names {
            values.push((name.clone(), take(format!("{PARAMETER}{name}"))?));
        }
        let values = Named::new(values);
        let mut like = |key: String, name: &str| {
            take(key).filter(|tensor: &Tensor| values.get(name, tensor.dims()).is_ok())
        };
        let (mut buffers, mut average) = (Vec::new(), Vec::new());
        for (index, name) in state.trained.iter().enumerate() {
            for buffer in 0..state.optimiser_buffers {
                let place = index * state.optimiser_buffers + buffer;
                buffers.push(like(format!("{BUFFER}.{place}"), name)?);
            }
            if state.averaged {
                average.push(like(format!("{AVERAGE}.{index}"), name)?);
            }
        }
        let standing = CheckpointState {
            epoch: state.epoch,
            step: state.step,
            stage: state.stage,
            loss_total: state.loss_total,
            log: state.epochs.iter().map(EpochLog::from).collect(),
            parameters: values,
            trained: state.trained,
            optimiser: OptimiserState { steps: state.optimiser_steps, buffers },
            average,
        };
        // A later stage has parameters of its own, which only it can say.
        (standing.stage > 0 || standing.fits(parameters)).then_some((standing, state.train_secs))
    }
}

impl Keeper for Checkpoint<'_> {
    fn resume(&mut self, parameters: &Parameters) -> Result<Option<CheckpointState>, TrainError> {
        let Ok(bytes) = self.store.read(&self.path) else { return Ok(None) };
        let found = self.unpack(&bytes, parameters);
        if let Some((_, seconds)) = &found {
            self.earlier_secs = *seconds;
        }
        Ok(found.map(|(standing, _)| standing))
    }

    fn due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    fn keep(&mut self, standing: &CheckpointState) -> Result<(), TrainError> {
        let fail = |reason: String| TrainError::Checkpoint { reason };
        let bytes = self.pack(standing).map_err(fail)?;
        self.store.write(&self.path, &bytes).map_err(|error| fail(error.to_string()))?;
        self.last = Instant::now();
        Ok(())
    }
}

impl From<&EpochLog> for Epoch {
    fn from(log: &EpochLog) -> Self {
        Self { learning_rate: log.learning_rate, steps: log.steps, mean_loss: log.mean_loss }
    }
}

impl From<&Epoch> for EpochLog {
    fn from(epoch: &Epoch) -> Self {
        Self { learning_rate: epoch.learning_rate, steps: epoch.steps, mean_loss: epoch.mean_loss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(values: &[f32]) -> Parameters {
        Parameters::new(vec![("context", Tensor::new(values, &Device::Cpu).unwrap())]).unwrap()
    }

    fn standing(parameters: &Parameters) -> CheckpointState {
        let log = vec![EpochLog { learning_rate: 1e-5, steps: 3, mean_loss: 0.1 + 0.2 }];
        let tensor = |values: [f32; 2]| Tensor::new(&values, &Device::Cpu).unwrap();
        let buffers = vec![tensor([1e-30, -0.0]), tensor([3.0, 4.0])];
        CheckpointState {
            epoch: 1,
            step: 2,
            stage: 0,
            loss_total: 1.0 / 3.0,
            log,
            parameters: parameters.values().unwrap(),
            trained: vec!["context".to_owned()],
            optimiser: OptimiserState { steps: 5, buffers },
            average: vec![tensor([0.5, f32::MIN_POSITIVE])],
        }
    }

    #[test]
    fn a_standing_comes_back_bit_for_bit_and_a_damaged_one_not_at_all() {
        let out = tempfile::tempdir().unwrap();
        let store = Store::new(out.path(), "s", "p");
        let params = parameters(&[0.1, 2.0]);
        let mut keeper = Checkpoint::new(&store, "k", &Device::Cpu, Duration::ZERO, &|| 0.0);
        assert!(keeper.resume(&params).unwrap().is_none());
        let kept = standing(&params);
        keeper.keep(&kept).unwrap();
        let back = keeper.resume(&params).unwrap().unwrap();
        assert_eq!((back.epoch, back.step, back.log), (1, 2, kept.log));
        assert_eq!((epoch(&store, "k"), epoch(&store, "other")), (Some(1), None));
        assert_eq!(back.loss_total.to_bits(), kept.loss_total.to_bits());
        let bits = |t: &Tensor| t.to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!((back.optimiser.steps, back.optimiser.buffers.len()), (5, 2));
        assert_eq!(bits(&back.optimiser.buffers[0]), bits(&kept.optimiser.buffers[0]));
        assert_eq!(bits(&back.optimiser.buffers[1]), bits(&kept.optimiser.buffers[1]));
        assert_eq!(bits(&back.average[0]), bits(&kept.average[0]));
        assert_eq!(bits(back.parameters.get("context", &[2]).unwrap()), [0.1f32.to_bits(), 2f32.to_bits()]);
        assert!(keeper.resume(&parameters(&[1.0; 3])).unwrap().is_none(), "another shape");

        let whole = store.read("checkpoints/k.checkpoint").unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(keeper.unpack(&damaged, &params).is_none(), "byte {at}");
            assert!(keeper.unpack(&whole[..at], &params).is_none(), "cut at {at}");
        }
        discard(&store, "k").unwrap();
        assert!(store.read("checkpoints/k.checkpoint").is_err());
    }
}
