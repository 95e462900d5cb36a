//! Pretraining in small: the same settings give the same bytes, interrupted or not, and a checkpoint of
//! other settings is refused.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::cell::Cell;
use std::path::Path;

use rpo_bench::backbone::ClipFolder;
use rpo_bench::pocket::pretrain::{PretrainError, PretrainSettings, pretrain};

const STEPS: u64 = 5;

fn settings(seed: u64) -> PretrainSettings {
    PretrainSettings { pairs: 8 * STEPS, batch: 8, learning_rate: 1e-3, seed, checkpoint_every: 2 }
}

/// Runs until `stop_after` steps are done, or to the end.
fn run(out: &Path, settings: &PretrainSettings, stop_after: u64) -> Result<Vec<f64>, PretrainError> {
    let (mut losses, done) = (Vec::new(), Cell::new(0));
    let mut hear = |step: rpo_bench::pocket::pretrain::PretrainProgress| {
        losses.push(step.loss);
        done.set(step.step);
    };
    pretrain(out, settings, &mut hear, &|| done.get() >= stop_after).map(|_| losses)
}

fn files(out: &Path) -> Vec<Vec<u8>> {
    let names = ["model.safetensors", "log.csv", "loss.png", "config.json", "vocab.json", "merges.txt"];
    names.iter().map(|name| std::fs::read(out.join(name)).unwrap()).collect()
}

#[test]
fn interrupted_pretraining_ends_in_the_same_bytes() {
    let [whole, parts, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let losses = run(whole.path(), &settings(1), u64::MAX).unwrap();
    assert_eq!(losses.len() as u64, STEPS);
    assert!(losses.iter().all(|loss| loss.is_finite() && *loss > 0.0), "{losses:?}");
    assert!(ClipFolder::open(whole.path()).unwrap().load().is_ok());

    let stopped = run(parts.path(), &settings(1), 3).unwrap_err();
    assert!(matches!(stopped, PretrainError::Interrupted), "{stopped}");
    let wrong = run(parts.path(), &settings(2), u64::MAX).unwrap_err().to_string();
    assert!(wrong.contains("seed 1") && wrong.contains("seed 2"), "{wrong}");
    let rest = run(parts.path(), &settings(1), u64::MAX).unwrap();
    assert_eq!(rest, losses[3..], "only the steps that were missing");
    assert!(files(parts.path()) == files(whole.path()), "an interruption changed the result");

    run(other.path(), &settings(2), u64::MAX).unwrap();
    assert_ne!(files(other.path())[0], files(whole.path())[0], "the seed changes nothing");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let out = tempfile::tempdir().unwrap();
    for (pairs, batch) in [(8, 3), (8, 0), (2, 4)] {
        let settings = PretrainSettings { pairs, batch, ..settings(1) };
        let error = run(out.path(), &settings, u64::MAX).unwrap_err();
        assert!(matches!(error, PretrainError::Setting(_)), "{error}");
    }
}
