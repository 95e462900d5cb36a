//! Pooled features of fresh views: shared by methods, kept in a folder, and never the reason for another number.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use candle_core::Device;
use rpo_bench::record::{RunRecord, Store};
use rpo_bench::suite::{Plan, RunOptions, SuiteFile, World, estimate, run};
use sha2::{Digest, Sha256};

const SUITE: &str = r#"
title = "t"
description = "d"
datasets = ["eurosat"]
seeds = [1]
shots = [4]
sections = ["failures"]
limit = 2
train_classes = "base"
evaluate = ["base", "new"]
methods = ["linear_probe", "coop", "cocoop", "rpo"]
[set]
"views_bank" = 0
"rpo.k" = 2
"rpo.epochs" = 3
"coop.epochs" = 4
"coop.batch_size" = 8
"cocoop.epochs" = 3
"lp.epochs" = 3
"#;

/// Runs these methods and returns what each trained and predicted, by method.
fn run_methods(methods: &[&str], cache: Option<&Path>) -> BTreeMap<String, RunRecord> {
    let (world, out) = (World::open(None, None, &Device::Cpu).unwrap(), tempfile::tempdir().unwrap());
    let options = RunOptions {
        cache: cache.map(|folder| (folder.to_owned(), 1 << 30)),
        ..RunOptions::quiet(out.path())
    };
    let summary = run(&world, &Plan::new(suite(methods), &[], None).unwrap(), &options).unwrap();
    assert_eq!((summary.done, summary.failed), (methods.len(), 0));
    let records = Store::new(out.path(), "features", "pocket").all().unwrap();
    records.into_iter().map(|record| (record.cell.method.clone(), record)).collect()
}

/// Frozen passes of training images that a plan announces.
fn planned_passes(methods: &[&str]) -> u64 {
    let (world, out) = (World::open(None, None, &Device::Cpu).unwrap(), tempfile::tempdir().unwrap());
    let plan = Plan::new(suite(methods), &[], None).unwrap();
    estimate(&world, &plan, (out.path(), 1), &|| false).unwrap().training_image_passes
}

fn suite(methods: &[&str]) -> SuiteFile {
    let mut suite = SuiteFile::parse("features", SUITE).unwrap();
    suite.methods = methods.iter().map(|id| (*id).to_owned()).collect();
    suite
}

/// Hashes of the trained parameters and of all predictions.
fn numbers(record: &RunRecord) -> Vec<String> {
    let trained = record.training.as_ref().unwrap().parameters_sha256.clone();
    let predicted = record.evaluations.iter().map(|e| e.predictions_sha256.clone());
    std::iter::once(trained).chain(predicted).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = list(folder).flat_map(|folder| list(&folder).collect::<Vec<_>>()).collect();
    files.sort();
    files
}

#[test]
fn a_method_alone_gets_the_numbers_it_gets_in_company() {
    let together = run_methods(&["linear_probe", "coop", "cocoop", "rpo"], None);
    for method in ["linear_probe", "coop", "cocoop", "rpo"] {
        let alone = run_methods(&[method], None);
        assert_eq!(numbers(&alone[method]), numbers(&together[method]), "{method}");
        assert_eq!(alone[method].key, together[method].key, "{method}");
    }
    // What the first method computed, the last ones found: it is timed apart from every cell.
    let timing = &together["coop"].timing;
    assert!(timing.shared_secs > 0.0 && timing.train_secs > 0.0);
}

/// What cells have in common is divided among them: their sums are the time that was worked.
#[test]
fn durations_of_all_cells_add_up_to_no_more_than_the_clock() {
    let started = std::time::Instant::now();
    let records = run_methods(&["linear_probe", "coop", "cocoop", "rpo"], None);
    let clock = started.elapsed().as_secs_f64();
    let timings: Vec<_> = records.values().map(|record| record.timing).collect();
    assert!(timings.iter().all(|timing| timing.evaluate_secs > 0.0), "{timings:?}");
    let sum: f64 = timings.iter().map(|t| t.train_secs + t.evaluate_secs + t.shared_secs).sum();
    assert!(sum <= clock, "{sum} of {clock}: {timings:?}");
    let shared: f64 = timings.iter().map(|t| t.shared_secs).sum();
    assert!(shared > timings[0].shared_secs, "every cell has its share: {timings:?}");
}

/// Five classes of four shots are two chunks of the grid; CoOp has the most epochs, four. Ten test images of each half
/// are a chunk. The estimate before the run counts the same views: 20 images, four times.
#[test]
fn a_folder_serves_later_runs_and_only_with_what_would_be_computed() {
    let folder = tempfile::tempdir().unwrap();
    let methods = ["linear_probe", "coop"];
    let plain = run_methods(&methods, None);
    let first = run_methods(&methods, Some(folder.path()));
    let stored = files(folder.path());
    assert_eq!(stored.len(), 4 * 2 + 2, "views and test images");
    assert_eq!(planned_passes(&methods), 4 * 20);
    assert_eq!(planned_passes(&["linear_probe", "coop", "rpo"]), (4 + 3) * 20, "RPO makes its own");
    let second = run_methods(&methods, Some(folder.path()));
    assert_eq!(files(folder.path()), stored, "nothing new was computed");
    for method in methods {
        assert_eq!(numbers(&plain[method]), numbers(&first[method]), "{method}");
        assert_eq!(numbers(&plain[method]), numbers(&second[method]), "{method}");
    }
    // Damaged files are computed again.
    for path in &stored {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    let mended = run_methods(&methods, Some(folder.path()));
    // Sound files of other numbers are believed: the folder is really read.
    for path in &stored {
        let bytes = std::fs::read(path).unwrap();
        let mut other = bytes[..32].to_vec();
        other.extend(bytes[32..bytes.len() - 32].chunks(4).rev().flatten());
        let hash = Sha256::digest(&other);
        other.extend(hash);
        std::fs::write(path, other).unwrap();
    }
    let planted = run_methods(&methods, Some(folder.path()));
    for method in methods {
        assert_eq!(numbers(&plain[method]), numbers(&mended[method]), "{method}");
        assert_ne!(numbers(&plain[method]), numbers(&planted[method]), "{method}");
    }
}

/// Writes the pocket model, and one of its datasets in the real format; the paths of both.
fn written(dir: &Path) -> (PathBuf, PathBuf) {
    let (clip, data) = (dir.join("clip"), dir.join("data"));
    let rpo_bench = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    rpo_bench(&["model", "export", clip.to_str().unwrap()]);
    rpo_bench(&["data", "export", "--pocket", data.to_str().unwrap(), "--datasets", "eurosat", "--lossless"]);
    (clip, data)
}

/// Once a world has looked at its lists, it needs their file no more; and a draw is one object for all who ask.
#[test]
fn lists_are_read_once_and_draws_computed_once() {
    let (dir, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (clip, data) = written(dir.path());
    let open = || World::open(Some(data.to_str().unwrap()), Some(&clip), &Device::Cpu).unwrap();
    let (world, ids) = (open(), ["eurosat".to_owned()]);
    world.check(&ids).unwrap();
    let entries = std::fs::read_dir(data.join("eurosat")).unwrap().map(|entry| entry.unwrap().path());
    let lists: Vec<PathBuf> =
        entries.filter(|file| file.extension().is_some_and(|ending| ending == "json")).collect();
    assert_eq!(lists.len(), 1);
    std::fs::remove_file(&lists[0]).unwrap();
    assert!(open().check(&ids).is_err(), "another world misses the lists");

    world.notes(&ids, &[4]).unwrap();
    assert_eq!(world.available(&ids).unwrap().0, ids);
    let plan = Plan::new(suite(&["zero_shot", "linear_probe"]), &[], None).unwrap();
    let summary = run(&world, &plan, &RunOptions::quiet(out.path())).unwrap();
    assert_eq!((summary.done, summary.failed), (2, 0));

    let draw = |world: &World, seed| {
        world.dataset("eurosat").unwrap().draw(rpo_bench::data::DrawRule::Coop, 4, seed).unwrap()
    };
    assert!(Arc::ptr_eq(&draw(&world, 1), &draw(&world, 1)));
    assert!(!Arc::ptr_eq(&draw(&world, 1), &draw(&world, 2)));
}
