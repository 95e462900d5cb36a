//! A training whose epoch is chosen by other images ends with the first of the best, stopped anywhere or not.

use std::cell::{Cell, RefCell};

use candle_core::{Device, Tensor};
use rpo_bench::backbone::Precision;
use rpo_bench::method::{self, ClassTexts, FixedShots, Named, Parameters};
use rpo_bench::preprocess::CROP_SCALE;
use rpo_bench::suite::{Settings, World};
use rpo_bench::train::{
    CheckpointState, FeatureStore, Fit, Keeper, Member, Recipe, Score, Slots, TrainError, TrainingImages,
    TrainingSet, Views, fit,
};
use rpo_bench::util::rng::Stream;

const EPOCHS: usize = 8;

/// Keeps the standing before every step, hands the last one back, and may lose the best epoch on the way.
#[derive(Default)]
struct Memory {
    kept: RefCell<Vec<CheckpointState>>,
    loses_the_best: bool,
}

impl Keeper for Memory {
    fn resume(&mut self, _: &Parameters) -> Result<Option<CheckpointState>, TrainError> {
        let mut last = self.kept.borrow_mut().pop();
        if let (true, Some(standing)) = (self.loses_the_best, &mut last) {
            standing.average.clear();
        }
        Ok(last)
    }

    fn due(&self) -> bool {
        true
    }

    fn keep(&mut self, standing: &CheckpointState) -> Result<(), TrainError> {
        self.kept.borrow_mut().push(standing.clone());
        Ok(())
    }
}

fn bits(values: &Named) -> Vec<u32> {
    let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.iter().flat_map(|(_, tensor)| numbers(tensor)).map(f32::to_bits).collect()
}

#[test]
fn the_first_of_the_best_epochs_counts_wherever_a_training_was_stopped() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    let items = dataset.split.train.iter().take(6).map(|item| (item, item.label % 3)).collect();
    let (source, views, crop_scale) = (dataset.source.as_ref(), Views::Bank(1), CROP_SCALE);
    let set = TrainingSet { dataset: "eurosat", seed: 1, owner: "", items, source, views, crop_scale };
    let settings = Settings::new([("linear_probe.batch_size", toml::Value::Integer(3))]).unwrap();
    let resolved = settings.resolve(method::find("linear_probe").unwrap()).unwrap();
    let (needs, features) = (resolved.method.needs(), FeatureStore::new("test"));
    let images = TrainingImages::new(&world.clip, &set, needs, &features, &|| false).unwrap();
    let prompt = |name: &str| world.tokenizer.encode(&format!("a photo of a {name}.")).unwrap();
    let texts = ClassTexts::of(&["a", "b", "c"].map(prompt));
    let head = resolved.method.bind(&world.clip, &texts).unwrap();
    let joint = world.clip.config.projection_dim;
    let judges = FixedShots::random_images(40, (3, joint), &Device::Cpu).unwrap();
    let score =
        Score::new(&world.clip, head.as_ref(), (judges.views[0].clone(), judges.labels.clone())).unwrap();
    let recipe = Recipe { learning_rate: 0.05, epochs: EPOCHS, ..resolved.recipe.clone().unwrap() };
    let train = |keeper: &mut Memory, steps: usize, score: Option<&Score<'_>>| {
        let (shots, mut stream) = (None, Stream::new(&["init"]));
        let mut parameters = resolved.method.init(&world.clip, &texts, shots, &mut stream).unwrap();
        let (storage, recipe) = (Precision::F32, &recipe);
        let run = Fit { head: head.as_ref(), recipe, needs, storage, slots: Slots::Fixed(1), ahead: false };
        let (taken, stream) = (Cell::new(0), ["eurosat", "1", "linear_probe"]);
        let parameters_of = &mut parameters;
        let mut members =
            [Member { slot: 0, images: &images, stream, parameters: parameters_of, keeper, score }];
        let stop = || taken.get() == steps;
        let result = fit(&run, &mut members, &stop, &mut |_| taken.set(taken.get() + 1));
        (result, parameters.values().unwrap())
    };
    let mut whole = Memory::default();
    let (_, chosen) = train(&mut whole, usize::MAX, Some(&score));
    let (_, last) = train(&mut Memory::default(), usize::MAX, None);
    // What an epoch ended with is there before the next one's first step, and at last without a choice.
    let kept = whole.kept.borrow();
    let mut ends: Vec<&Named> =
        kept.iter().filter(|at| at.step == 0 && at.epoch > 0).map(|at| &at.parameters).collect();
    ends.push(&last);
    let right: Vec<u64> = ends.iter().map(|values| score.correct(values).unwrap()).collect();
    let best = (0..right.len()).rev().max_by_key(|epoch| right[*epoch]).unwrap();
    assert_eq!((ends.len(), bits(ends[best])), (EPOCHS, bits(&chosen)), "{right:?}");
    assert_ne!(bits(&chosen), bits(&last), "control: the last epoch is not the best one: {right:?}");

    let mut lost = 0;
    for steps in 1..2 * EPOCHS {
        for loses_the_best in [false, true] {
            let mut keeper = Memory { loses_the_best, ..Memory::default() };
            assert!(matches!(train(&mut keeper, steps, Some(&score)).0, Err(TrainError::Interrupted)));
            let (_, again) = train(&mut keeper, usize::MAX, Some(&score));
            let same = bits(&again) == bits(&chosen);
            assert!(same || loses_the_best, "after {steps} steps");
            lost += usize::from(!same);
        }
    }
    assert!(lost > 0, "control: without the best epoch so far another one is chosen");
}
