//! Trainings of several seeds in the same products: each gets the numbers it would get alone, and its bits do not
//! depend on who else is there, how far they are or whether they fail.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::cell::Cell;

use candle_core::{DType, Device, Tensor};
use rpo_bench::backbone::Precision;
use rpo_bench::method::{self, ClassTexts, Head, ImageBatch, Needs, Parameters, Shares};
use rpo_bench::preprocess::CROP_SCALE;
use rpo_bench::suite::{Resolved, Settings, World};
use rpo_bench::train::{
    CheckpointState, FeatureStore, Fit, FitResult, Keeper, Member, Recipe, Slots, StepPart, TrainError,
    TrainingImages, TrainingSet, Views, fit, frozen_pass, joint_step, loss_and_gradients, test_pixels,
};
use rpo_bench::util::rng::Stream;

const TRAINED: [&str; 4] = ["linear_probe", "coop", "cocoop", "rpo"];
const SLOTS: usize = 3;

fn resolved(id: &str) -> Resolved {
    let batch = ("coop.batch_size", toml::Value::Integer(2));
    let settings = Settings::new([("rpo.k", toml::Value::Integer(2)), batch]).unwrap();
    settings.resolve(method::find(id).unwrap()).unwrap()
}

fn prompts(world: &World) -> Vec<Vec<u32>> {
    let words = ["forest", "river", "sea or lake"];
    words.map(|name| world.tokenizer.encode(&format!("a photo of a {name}.")).unwrap()).into()
}

fn initial(world: &World, method: &Resolved, seed: usize) -> Parameters {
    let mut stream = Stream::new(&["lockstep", &seed.to_string()]);
    let parameters =
        method.method.init(&world.clip, &ClassTexts::of(&prompts(world)), None, &mut stream).unwrap();
    for (_, var) in parameters.iter() {
        let noise: Vec<f32> = (0..var.elem_count()).map(|_| 0.02 * stream.normal() as f32).collect();
        let noise = Tensor::from_vec(noise, var.dims(), &Device::Cpu).unwrap();
        var.set(&(var.as_tensor() + noise).unwrap()).unwrap();
    }
    parameters
}

fn bits(parameters: &Parameters) -> Vec<u32> {
    let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    parameters.iter().flat_map(|(_, var)| values(var.as_tensor())).map(f32::to_bits).collect()
}

fn images(world: &World, count: usize) -> (ImageBatch, Tensor) {
    let dataset = world.dataset("eurosat").unwrap();
    let items: Vec<_> = dataset.split.test.iter().take(count).map(|item| (item, item.label % 3)).collect();
    let side = world.clip.config.image_size;
    let pixels = test_pixels(dataset.source.as_ref(), &items, side, &Device::Cpu).unwrap();
    let labels: Vec<u32> = items.iter().map(|(_, label)| *label).collect();
    (
        frozen_pass(&world.clip, pixels, Needs { pooled: true, tokens: true, entering: true, pixels: true })
            .unwrap(),
        Tensor::new(labels, &Device::Cpu).unwrap(),
    )
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let largest = (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
    largest.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

/// Logits and gradients of several parameters in the same products against each alone, for all images and for a
/// share each. The control: another classifier's logits are far away.
#[test]
fn a_set_computes_what_its_members_compute() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let (batch, labels) = images(&world, 6);
    for id in TRAINED {
        let method = resolved(id);
        let head = method.method.bind(&world.clip, &ClassTexts::of(&prompts(&world))).unwrap();
        let all: Vec<Parameters> = (0..SLOTS).map(|seed| initial(&world, &method, seed)).collect();
        let named: Vec<_> = all.iter().map(|parameters| parameters.values().unwrap()).collect();
        let set = head.classifiers(&named).unwrap();
        let alone =
            |index: usize, batch: &ImageBatch| head.classifier(&named[index]).unwrap().logits(batch).unwrap();
        let together = set.logits(&batch, Shares::All).unwrap();
        let parts = set.logits(&batch, Shares::Even).unwrap();
        let slots: Vec<StepPart<'_>> =
            all.iter().map(|p| StepPart { parameters: p, labels: None, noise: None }).collect();
        assert!(
            joint_step(head.as_ref(), &slots, &batch, Shares::Even, (0, 0))
                .unwrap()
                .iter()
                .all(Option::is_none)
        );
        let shares: Vec<Tensor> = (0..SLOTS).map(|index| labels.narrow(0, 2 * index, 2).unwrap()).collect();
        let slots: Vec<StepPart<'_>> = all
            .iter()
            .zip(&shares)
            .map(|(p, labels)| StepPart { parameters: p, labels: Some(labels), noise: None })
            .collect();
        let steps = joint_step(head.as_ref(), &slots, &batch, Shares::Even, (0, 0)).unwrap();
        for (index, step) in steps.into_iter().enumerate() {
            let part = batch.narrow(2 * index, 2).unwrap();
            assert!(largest_difference(&together[index], &alone(index, &batch)) < 1e-3, "{id}");
            assert!(largest_difference(&parts[index], &alone(index, &part)) < 1e-3, "{id}");
            let other = largest_difference(&together[index], &alone((index + 1) % SLOTS, &batch));
            assert!(other > 0.05, "{id}: another member is {other} away");
            let (step, one) = (
                step.unwrap().unwrap(),
                loss_and_gradients(head.as_ref(), &all[index], &part, &shares[index], (0, 0)).unwrap(),
            );
            assert!((step.loss - one.loss).abs() < 1e-4, "{id}: {} {}", step.loss, one.loss);
            for (joint, own) in step.tensors.iter().zip(&one.tensors) {
                let scale =
                    own.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
                assert!(largest_difference(joint, own) < 1e-4 * f64::from(scale) + 1e-6, "{id}: gradient");
            }
        }
        let uneven = set.logits(&batch.narrow(0, 4).unwrap(), Shares::Even);
        assert!(uneven.unwrap_err().to_string().contains("4 images for 3"), "{id}");
    }
}

/// Keeps a standing in memory.
#[derive(Default)]
struct Memory(Option<CheckpointState>);

impl Keeper for Memory {
    fn resume(&mut self, _: &Parameters) -> Result<Option<CheckpointState>, TrainError> {
        Ok(self.0.clone())
    }

    fn due(&self) -> bool {
        true
    }

    fn keep(&mut self, standing: &CheckpointState) -> Result<(), TrainError> {
        self.0 = Some(standing.clone());
        Ok(())
    }
}

/// Three draws of different images, to be trained in three slots.
struct Task<'a> {
    world: &'a World,
    method: &'a Resolved,
    head: &'a dyn Head,
    images: &'a [TrainingImages<'a>],
    /// Whether pixels are prepared on another thread.
    ahead: bool,
}

impl Task<'_> {
    /// Trains the members in these slots, stopping after `steps`; `spoilt` begins with a number that is none.
    fn train(
        &self,
        slots: &[usize],
        keepers: &mut [Memory; SLOTS],
        steps: usize,
        spoilt: Option<usize>,
    ) -> (Result<Vec<FitResult>, TrainError>, Vec<Vec<u32>>) {
        let recipe = Recipe { epochs: 3, steps_per_shot: 0, ..self.method.recipe.clone().unwrap() };
        let needs = self.method.method.needs();
        let (storage, ahead) = (Precision::F32, self.ahead);
        let run = Fit { head: self.head, recipe: &recipe, needs, storage, slots: Slots::Fixed(SLOTS), ahead };
        let mut parameters: Vec<Parameters> =
            slots.iter().map(|slot| initial(self.world, self.method, *slot)).collect();
        for (slot, parameters) in slots.iter().zip(&parameters) {
            if let (true, Some((_, var))) = (Some(*slot) == spoilt, parameters.iter().next()) {
                var.set(&(var.as_tensor() * f64::NAN).unwrap()).unwrap();
            }
        }
        let names = ["1", "2", "3"];
        let mut members: Vec<Member<'_>> = Vec::new();
        let mut keepers: Vec<Option<&mut Memory>> = keepers.iter_mut().map(Some).collect();
        for (slot, parameters) in slots.iter().zip(&mut parameters) {
            let stream = ["eurosat", names[*slot], self.method.id];
            let keeper = keepers[*slot].take().unwrap();
            members.push(Member {
                slot: *slot,
                images: &self.images[*slot],
                stream,
                parameters,
                keeper,
                score: None,
            });
        }
        let taken = Cell::new(0);
        let outcome = fit(&run, &mut members, &|| taken.get() == steps, &mut |_| taken.set(taken.get() + 1));
        (outcome, parameters.iter().map(bits).collect())
    }

    /// Returns the bits of all three, trained together.
    fn check(&self) -> Vec<Vec<u32>> {
        let id = self.method.id;
        let all = |steps, keepers: &mut [Memory; SLOTS]| self.train(&[0, 1, 2], keepers, steps, None);
        let (logs, expected) = all(usize::MAX, &mut Default::default());
        let logs: Vec<_> = logs.unwrap().into_iter().map(Result::unwrap).collect();
        assert!(expected[0] != expected[1] && expected[1] != expected[2], "{id}: seeds must differ");
        for slot in 0..SLOTS {
            let (log, alone) = self.train(&[slot], &mut Default::default(), usize::MAX, None);
            assert_eq!(alone[0], expected[slot], "{id}: slot {slot} without the others");
            assert_eq!(log.unwrap().pop().unwrap().unwrap(), logs[slot], "{id}");
        }
        for steps in 1..4 {
            let mut keepers: [Memory; SLOTS] = Default::default();
            assert!(matches!(all(steps, &mut keepers).0, Err(TrainError::Interrupted)));
            // A kill between two writes: one of them is further back than the others.
            keepers[1].0 = None;
            let (again, bits) = all(usize::MAX, &mut keepers);
            assert_eq!(bits, expected, "{id}: taken up after {steps} steps");
            assert!(again.unwrap().into_iter().map(Result::unwrap).eq(logs.iter().cloned()), "{id}");
        }
        let (outcomes, bits) = self.train(&[0, 1, 2], &mut Default::default(), usize::MAX, Some(1));
        let outcomes = outcomes.unwrap();
        assert!(matches!(outcomes[1], Err(TrainError::NotFinite { epoch: 0, step: 0, .. })), "{id}");
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{id}");
        assert_eq!([&bits[0], &bits[2]], [&expected[0], &expected[2]], "{id}: beside one that fails");
        expected
    }
}

#[test]
fn bits_depend_on_the_slots_alone() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    let source = dataset.source.as_ref();
    // The last draw is smaller: it runs out of steps before the others.
    let items = |from: usize, count: usize| {
        dataset.split.train[from..from + count].iter().map(|item| (item, item.label % 3)).collect()
    };
    for views in [Views::Fresh, Views::Bank(2)] {
        let set = |seed: u64, from: usize, count: usize| TrainingSet {
            dataset: "eurosat",
            seed,
            owner: "",
            items: items(from, count),
            source,
            views,
            crop_scale: CROP_SCALE,
        };
        let sets = [set(1, 0, 4), set(2, 4, 4), set(3, 8, 3)];
        for id in TRAINED.into_iter().chain(["two_stage"]) {
            let method = resolved(id);
            let features = FeatureStore::new("test");
            let need = method.method.needs();
            let images = sets
                .each_ref()
                .map(|set| TrainingImages::new(&world.clip, set, need, &features, &|| false).unwrap());
            let head = method.method.bind(&world.clip, &ClassTexts::of(&prompts(&world))).unwrap();
            let task =
                |ahead| Task { world: &world, method: &method, head: head.as_ref(), images: &images, ahead };
            let [now, ahead] = [false, true].map(|ahead| task(ahead).check());
            assert_eq!(now, ahead, "{id}: pixels prepared ahead");
        }
    }
}
