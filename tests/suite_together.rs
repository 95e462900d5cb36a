//! `engine.seeds=together`, end to end: the same cells under other keys, and the same bytes whoever of the list is run.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

use candle_core::Device;
use rpo_bench::frame::predictions_of;
use rpo_bench::record::{Prediction, RunRecord, Store};
use rpo_bench::suite::{Plan, RunOptions, Shard, SuiteFile, World, run};

const SUITE: &str = r#"
title = "t"
description = "d"
datasets = ["eurosat"]
seeds = [1, 2]
shots = [2]
sections = ["failures"]
limit = 2
train_classes = "base"
evaluate = ["base", "new"]
methods = ["zero_shot", "linear_probe", "coop", "cocoop", "rpo"]
[set]
"views_bank" = 0
"rpo.k" = 2
"rpo.epochs" = 3
"coop.epochs" = 3
"coop.batch_size" = 4
"cocoop.epochs" = 3
"lp.epochs" = 3
"#;

fn run_suite(out: &Path, seeds: &[u64], setting: Option<&str>, shard: &str) -> usize {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let mut suite = SuiteFile::parse("together", SUITE).unwrap();
    suite.seeds = seeds.to_vec();
    let set = setting.map(|text| ("engine.seeds".to_owned(), toml::Value::String(text.to_owned())));
    let plan = Plan::new(suite, set.as_slice(), None).unwrap();
    let options = RunOptions { lanes: 2, shard: Shard::parse(shard).unwrap(), ..RunOptions::quiet(out) };
    let summary = run(&world, &plan, &options).unwrap();
    assert_eq!(summary.failed, 0);
    summary.done
}

fn store(out: &Path) -> Store {
    Store::new(out, "together", "pocket")
}

/// Trained records by method and seed.
fn records(out: &Path) -> Vec<RunRecord> {
    let mut records = store(out).all().unwrap();
    records.retain(|record| record.cell.seed.is_some());
    records.sort_by_key(|record| (record.cell.method.clone(), record.cell.seed));
    records
}

fn predictions(out: &Path, record: &RunRecord) -> Vec<Prediction> {
    record
        .evaluations
        .iter()
        .flat_map(|evaluation| predictions_of(&store(out), evaluation).unwrap())
        .collect()
}

/// All that a training and its tests left: keys, parameters, predictions.
fn bytes(record: &RunRecord) -> Vec<String> {
    let training = record.training.as_ref().unwrap();
    let tests = record.evaluations.iter().map(|evaluation| evaluation.predictions_sha256.clone());
    [record.key.clone(), training.parameters_sha256.clone()].into_iter().chain(tests).collect()
}

#[test]
fn seeds_together_are_the_seeds_apart_under_keys_of_their_own() {
    let [apart, together] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    assert_eq!(run_suite(apart.path(), &[1, 2], None, "1/1"), 9);
    assert_eq!(run_suite(together.path(), &[1, 2], Some("together"), "1/1"), 9);
    let (one_by_one, joint) = (records(apart.path()), records(together.path()));
    assert_eq!((one_by_one.len(), joint.len()), (8, 8));
    for (alone, joint) in one_by_one.iter().zip(&joint) {
        assert_eq!((&alone.cell, &alone.config), (&joint.cell, &joint.config));
        assert_ne!(alone.key, joint.key);
        assert_eq!(joint.switches["engine.seeds"], "1,2");
        assert!(!alone.switches.contains_key("engine.seeds"));
        assert!(joint.timing.train_secs > 0.0);
        let epochs = |record: &RunRecord| record.training.clone().unwrap().epochs;
        for (a, b) in epochs(alone).iter().zip(epochs(joint)) {
            assert!(
                (a.mean_loss - b.mean_loss).abs() < 1e-3,
                "{}: {} {}",
                alone.cell.method,
                a.mean_loss,
                b.mean_loss
            );
        }
        let pairs = predictions(apart.path(), alone).into_iter().zip(predictions(together.path(), joint));
        for (a, b) in pairs {
            assert_eq!((&a.path, a.label), (&b.path, b.label));
            assert!((a.p_true - b.p_true).abs() < 0.01, "{}: {} {}", alone.cell.method, a.p_true, b.p_true);
        }
    }
    let rpo: Vec<_> = joint.iter().filter(|record| record.cell.method == "rpo").map(bytes).collect();
    assert_ne!(rpo[0][1..], rpo[1][1..], "seeds that do not differ would hide a mixed-up order");
}

#[test]
fn a_cell_s_bytes_do_not_depend_on_who_of_its_list_is_run() {
    let [all, parts, shards] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    run_suite(all.path(), &[1, 2], Some("together"), "1/1");
    assert_eq!(run_suite(parts.path(), &[2], Some("1,2"), "1/1"), 5);
    assert_eq!(run_suite(parts.path(), &[1, 2], Some("together"), "1/1"), 4);
    assert_eq!(run_suite(parts.path(), &[1, 2], Some("together"), "1/1"), 0);
    let shard = |part: &str| run_suite(shards.path(), &[1, 2], Some("together"), part);
    assert_eq!(["1/9", "2/9", "3/9"].map(shard), [1, 8, 0], "seeds stay together");
    let expected: Vec<_> = records(all.path()).iter().map(bytes).collect();
    for other in [&parts, &shards] {
        assert_eq!(records(other.path()).iter().map(bytes).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_list_without_a_seed_of_the_suite_is_refused() {
    let suite = SuiteFile::parse("together", SUITE).unwrap();
    let refused = |text: &str| {
        let set = [("engine.seeds".to_owned(), toml::Value::String(text.to_owned()))];
        Plan::new(suite.clone(), &set, None).err().unwrap().to_string()
    };
    assert!(refused("1,3").contains("seed 2 of the suite"));
    assert!(refused("both").contains("apart, together"));
}
