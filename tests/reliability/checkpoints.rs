//! A training stopped between any two steps and taken up again gives the same bits.

use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{Device, Tensor};
use rpo_bench::backbone::Precision;
use rpo_bench::method::{self, ClassTexts, Parameters};
use rpo_bench::preprocess::CROP_SCALE;
use rpo_bench::suite::{Plan, RunOptions, SuiteError, SuiteFile, World, run};
use rpo_bench::train::{
    CheckpointState, FeatureStore, Fit, Keeper, Member, Slots, TrainError, TrainingImages, TrainingSet,
    Views, fit,
};

use super::program::{files, run_dir};

/// Runs the smoke suite's EuroSAT; asked for the `stop_at`-th time whether to stop, it says yes.
fn eurosat(world: &World, out: &std::path::Path, stop_at: usize) -> (Result<(), SuiteError>, usize) {
    let mut suite = SuiteFile::find("smoke").unwrap();
    suite.datasets = vec!["eurosat".to_owned()];
    let plan = Plan::new(suite, &[], None).unwrap();
    let asked = AtomicUsize::new(0);
    let options = RunOptions {
        stop: &|| asked.fetch_add(1, Ordering::Relaxed) + 1 >= stop_at,
        ..RunOptions::quiet(out)
    };
    let result = run(world, &plan, &options).map(|_| ());
    (result, asked.into_inner())
}

#[test]
fn a_suite_stopped_anywhere_goes_on_from_the_same_step() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let whole = tempfile::tempdir().unwrap();
    let (result, questions) = eurosat(&world, whole.path(), usize::MAX);
    result.unwrap();
    let output = |out: &std::path::Path| {
        let mut all = files(&run_dir(out).join("trained"));
        all.retain(|name, _| name.ends_with(".safetensors"));
        all.extend(files(&run_dir(out).join("predictions")));
        all
    };
    let expected = output(whole.path());

    let mut with_checkpoint = 0;
    for part in 1..8 {
        let out = tempfile::tempdir().unwrap();
        let stop_at = questions * part / 8;
        let (result, _) = eurosat(&world, out.path(), stop_at);
        assert!(matches!(result, Err(SuiteError::Train(TrainError::Interrupted))), "{result:?}");
        let checkpoints = files(&run_dir(out.path()).join("checkpoints")).len();
        with_checkpoint += checkpoints;
        let (result, more) = eurosat(&world, out.path(), usize::MAX);
        result.unwrap();
        assert!(output(out.path()) == expected, "stopped at {stop_at} of {questions}");
        assert_eq!(files(&run_dir(out.path()).join("checkpoints")).len(), 0);
        // The views and the test images are looked at anew, training steps are not.
        assert!(checkpoints == 0 || more < questions, "{more} of {questions} asked again");
    }
    assert!(with_checkpoint >= 2, "only {with_checkpoint} stops fell into a training");
}

/// Keeps in memory, at one step only, and may lose the momentum on the way.
struct Memory {
    kept: Option<CheckpointState>,
    loses_momentum: bool,
}

impl Keeper for Memory {
    fn resume(&mut self, _: &Parameters) -> Result<Option<CheckpointState>, TrainError> {
        let mut kept = self.kept.take();
        if let (true, Some(standing)) = (self.loses_momentum, &mut kept) {
            standing.optimiser.buffers =
                standing.optimiser.buffers.iter().map(|b| b.zeros_like().unwrap()).collect();
        }
        Ok(kept)
    }

    fn due(&self) -> bool {
        false
    }

    fn keep(&mut self, standing: &CheckpointState) -> Result<(), TrainError> {
        self.kept = Some(standing.clone());
        Ok(())
    }
}

fn bits(parameters: &Parameters) -> Vec<u32> {
    let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    parameters.iter().flat_map(|(_, var)| values(var.as_tensor())).map(f32::to_bits).collect()
}

#[test]
fn momentum_is_part_of_the_standing() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    let items = dataset.split.train.iter().take(6).map(|item| (item, item.label % 3)).collect();
    let source = dataset.source.as_ref();
    let (dataset_id, views, crop_scale) = ("eurosat", Views::Bank(1), CROP_SCALE);
    let set = TrainingSet { dataset: dataset_id, seed: 1, owner: "", items, source, views, crop_scale };
    let coop = method::find("coop").unwrap();
    let settings = rpo_bench::suite::Settings::new([("coop.batch_size", toml::Value::Integer(2))]).unwrap();
    let resolved = settings.resolve(coop).unwrap();
    let features = FeatureStore::new("test");
    let images =
        TrainingImages::new(&world.clip, &set, resolved.method.needs(), &features, &|| false).unwrap();
    let prompts: Vec<_> =
        ["a", "b", "c"].map(|name| world.tokenizer.encode(&format!("a photo of a {name}.")).unwrap()).into();
    let head = resolved.method.bind(&world.clip, &ClassTexts::of(&prompts)).unwrap();
    let recipe = rpo_bench::train::Recipe { epochs: 4, ..resolved.recipe.clone().unwrap() };
    let train = |keeper: &mut Memory, steps: usize| {
        let mut init = rpo_bench::util::rng::Stream::new(&["init"]);
        let mut parameters =
            resolved.method.init(&world.clip, &ClassTexts::of(&prompts), None, &mut init).unwrap();
        let run = Fit {
            head: head.as_ref(),
            recipe: &recipe,
            needs: resolved.method.needs(),
            storage: Precision::F32,
            slots: Slots::Fixed(1),
            ahead: false,
        };
        let taken = std::cell::Cell::new(0);
        let stop = || taken.get() == steps;
        let stream = ["eurosat", "1", "coop"];
        let mut members =
            [Member { slot: 0, images: &images, stream, parameters: &mut parameters, keeper, score: None }];
        let result = fit(&run, &mut members, &stop, &mut |_| taken.set(taken.get() + 1));
        (result.and_then(|mut all| all.pop().unwrap()), bits(&parameters))
    };
    let expected = train(&mut Memory { kept: None, loses_momentum: false }, usize::MAX);
    let expected = (expected.0.unwrap(), expected.1);
    for steps in 1..12 {
        for loses_momentum in [false, true] {
            let mut keeper = Memory { kept: None, loses_momentum };
            assert!(matches!(train(&mut keeper, steps).0, Err(TrainError::Interrupted)));
            let (log, bits) = train(&mut keeper, usize::MAX);
            assert_eq!(bits == expected.1, !loses_momentum, "after {steps} steps");
            assert!(loses_momentum || log.unwrap() == expected.0, "after {steps} steps");
        }
    }
}
