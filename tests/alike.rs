//! Variants of a method that differ in their initial values alone go through the same products, each with the bits it has by
//! itself: no key has to say who was beside it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use candle_core::{Device, Tensor};
use rpo_bench::method::{self, ClassTexts, Head, ImageBatch, Lockstep, Needs, Parameters, Shares};
use rpo_bench::record::Store;
use rpo_bench::suite::{Event, Plan, Resolved, RunOptions, Settings, SuiteFile, World, run};
use rpo_bench::train::{StepPart, frozen_pass, joint_step, test_pixels};
use rpo_bench::util::rng::Stream;

fn rpo(settings: &[(&'static str, toml::Value)]) -> Resolved {
    let settings = Settings::new(settings.iter().cloned()).unwrap();
    settings.resolve(method::find("rpo").unwrap()).unwrap()
}

fn prompts(world: &World) -> Vec<Vec<u32>> {
    let words = ["forest", "river", "sea or lake", "highway", "annual crop land"];
    words.map(|name| world.tokenizer.encode(&format!("a photo of a {name}.")).unwrap()).into()
}

fn images(world: &World, count: usize) -> (ImageBatch, Tensor) {
    let dataset = world.dataset("eurosat").unwrap();
    let items: Vec<_> = dataset.split.test.iter().take(count).map(|item| (item, item.label % 5)).collect();
    let side = world.clip.config.image_size;
    let pixels = test_pixels(dataset.source.as_ref(), &items, side, &Device::Cpu).unwrap();
    let labels: Vec<u32> = items.iter().map(|(_, label)| *label).collect();
    let images = frozen_pass(&world.clip, pixels, Needs::TOKENS).unwrap();
    (images, Tensor::new(labels, &Device::Cpu).unwrap())
}

fn bits(tensors: &[Tensor]) -> Vec<u32> {
    let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    tensors.iter().flat_map(numbers).map(f32::to_bits).collect()
}

/// Loss and gradients of a step of these parameters together, by training.
fn steps(
    head: &dyn Head,
    all: &[&Parameters],
    (images, labels): &(ImageBatch, Tensor),
    shares: Shares,
) -> Vec<(u64, Vec<u32>)> {
    let slot = |parameters| StepPart { parameters, labels: Some(labels), noise: None };
    let slots: Vec<StepPart<'_>> = all.iter().copied().map(slot).collect();
    let steps = joint_step(head, &slots, images, shares, (0, 0)).unwrap();
    let each = steps.into_iter().map(|step| step.unwrap().unwrap());
    each.map(|step| (step.loss.to_bits(), bits(&step.tensors))).collect()
}

#[test]
fn a_step_beside_others_has_the_bits_of_one_alone() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let texts = ClassTexts::of(&prompts(&world));
    for (k, pairing) in [(3, "matched"), (4, "matched"), (4, "all"), (16, "matched")] {
        let method = rpo(&[("rpo.k", k.into()), ("rpo.pairing", pairing.into())]);
        let head = method.method.bind(&world.clip, &texts).unwrap();
        let initial = |seed: &str| {
            let mut stream = Stream::new(&["alike", seed]);
            method.method.init(&world.clip, &texts, None, &mut stream).unwrap()
        };
        let all = ["1", "2", "3", "4", "5"].map(initial);
        // One image is what an epoch's last step may have.
        for count in [4, 1, 3] {
            let batch = images(&world, count);
            let together = steps(head.as_ref(), &all.each_ref(), &batch, Shares::All);
            for (index, one) in all.iter().enumerate() {
                let alone = steps(head.as_ref(), &[one], &batch, Shares::Even).remove(0);
                assert!(alone == together[index], "k = {k} {pairing}, {count} images, training {index}");
                assert!(alone != together[(index + 1) % all.len()], "control: another training differs");
            }
        }
    }
}

#[test]
fn only_where_bits_allow_it() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let lockstep = |settings: &[(&'static str, toml::Value)], classes| {
        rpo(settings).method.lockstep(&world.clip, classes, 4)
    };
    let four = [("rpo.k", 4.into())];
    assert_eq!(lockstep(&four, 8).at_most, world.clip.max_rows() / 32);
    assert_eq!(lockstep(&four, world.clip.max_rows()).at_most, 0, "more classes than a chunk has room for");
    // Products of so few rows are computed in another way.
    assert_eq!(lockstep(&[("rpo.k", 2.into())], 8), Lockstep::default());
    for alone in [("rpo.mask", false.into()), ("rpo.computation", "full_sequences".into())] {
        assert_eq!(lockstep(&[four[0].clone(), alone], 8), Lockstep::default());
    }
}

const SUITE: &str = r#"
title = "t"
description = "d"
datasets = ["eurosat"]
methods = ["rpo"]
seeds = [1]
shots = [2]
train_classes = "base"
evaluate = ["base"]
sections = ["failures"]
limit = 2
[set]
"views_bank" = 0
"rpo.k" = 4
"rpo.epochs" = 3
"#;

/// By variant what its training and tests left, and the number of trainings in each step there was.
fn run_suite(out: &Path, sweeps: &str) -> (BTreeMap<String, Vec<String>>, Vec<usize>) {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let plan = Plan::new(SuiteFile::parse("alike", &format!("{SUITE}{sweeps}")).unwrap(), &[], None).unwrap();
    let together = Mutex::new(Vec::new());
    let event = |event: Event| {
        if let Event::Step(news) = event {
            together.lock().unwrap().push(news.trainings.len());
        }
    };
    let summary = run(&world, &plan, &RunOptions { event: &event, ..RunOptions::quiet(out) }).unwrap();
    assert_eq!(summary.failed, 0);
    let records = Store::new(out, "alike", "pocket").all().unwrap();
    let left = records.into_iter().map(|record| {
        let tests = record.evaluations.iter().map(|evaluation| evaluation.predictions_sha256.clone());
        let hashes = std::iter::once(record.training.unwrap().parameters_sha256).chain(tests).collect();
        (format!("{:?}", record.config), hashes)
    });
    (left.collect(), together.into_inner().unwrap())
}

#[test]
fn a_sweep_leaves_what_its_variants_leave_one_by_one() {
    let out = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let sweep = |key: &str, values: &str| format!("[[sweep]]\n\"rpo.{key}\" = {values}\n");
    let noise = sweep("st_scale", "[0.0, 0.1, 1.0]");
    let (swept, together) = run_suite(out[0].path(), &(noise + &sweep("pairing", "[\"matched\", \"all\"]")));
    assert_eq!(swept.len(), 4);
    // The three that differ in their noise, and the one of another pairing by itself.
    assert!(together.contains(&3) && together.contains(&1), "{together:?}");
    let hashes: std::collections::BTreeSet<_> = swept.values().map(|hashes| &hashes[0]).collect();
    assert_eq!(hashes.len(), 4, "control: they are four different trainings");
    for (out, value) in out[1..].iter().zip(["0.0", "0.1", "1.0"]) {
        let (alone, together) = run_suite(out.path(), &format!("\"rpo.st_scale\" = {value}\n"));
        assert!(together.iter().all(|count| *count == 1));
        let (config, hashes) = alone.first_key_value().unwrap();
        assert_eq!(swept.get(config), Some(hashes), "st_scale {value}");
    }
}
