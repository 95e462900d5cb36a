//! Everything a suite can ask for, end to end on a few pocket pictures: sweeps, transfer, prompts from files, cells
//! that fail, measurements, plans. Each suite is a few lines of TOML, read as a user's own file would be.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

use candle_core::Device;
use rpo_bench::data::Classes;
use rpo_bench::record::{Outcome, RunRecord, Store};
use rpo_bench::suite::{
    Plan, RunOptions, SavedPrompts, Settings, SuiteFile, Summary, World, estimate, evaluate_file,
    render_report, run,
};

const HEAD: &str = r#"
title = "t"
description = "d"
datasets = ["eurosat"]
seeds = [1]
shots = [1]
sections = ["failures"]
limit = 2
"#;

const SET: &str = r#"
[set]
"views_bank" = 1
"rpo.k" = 2
"rpo.epochs" = 3
"coop.epochs" = 3
"cocoop.epochs" = 3
"lp.epochs" = 3
"#;

fn world() -> World {
    World::open(None, None, &Device::Cpu).unwrap()
}

/// A suite of this name; `body` has its own top keys first and may end in tables.
fn suite(name: &str, keys: &str, tables: &str) -> SuiteFile {
    let halves = "train_classes = \"base\"\nevaluate = [\"base\", \"new\"]\n";
    let halves = if keys.contains("train_classes") { "" } else { halves };
    SuiteFile::parse(name, &format!("{HEAD}{halves}{keys}{SET}{tables}")).unwrap()
}

fn run_plan(world: &World, plan: &Plan, out: &Path) -> Summary {
    let options = RunOptions { lanes: 2, ..RunOptions::quiet(out) };
    run(world, plan, &options).unwrap()
}

fn run_suite(world: &World, suite: SuiteFile, out: &Path) -> (Summary, Vec<RunRecord>) {
    let name = suite.name.clone();
    let summary = run_plan(world, &Plan::new(suite, &[], None).unwrap(), out);
    (summary, Store::new(out, &name, "pocket").all().unwrap())
}

fn variant(record: &RunRecord) -> String {
    let words: Vec<String> = record.cell.variant.iter().map(|(k, v)| format!("{k}={v}")).collect();
    words.join(" ")
}

fn page(out: &Path, name: &str) -> String {
    let report = render_report(out, name, "pocket").unwrap();
    std::fs::read_to_string(report.dir.join("README.md")).unwrap()
}

#[test]
fn sweeps_become_variants_and_the_own_settings_are_reused_from_another_suite() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let (summary, plain) = run_suite(&world, suite("plain", "methods = [\"rpo\"]\n", ""), out.path());
    assert_eq!((summary.done, summary.skipped), (1, 0));
    let sweeps = "[[sweep]]\n\"rpo.mask\" = [true, false]\n[[sweep]]\n\"rpo.k\" = [1, 2]\n\
                  [[sweep]]\n\"rpo.pairing\" = [\"matched\", \"all\"]\n";
    let swept = suite("swept", "methods = [\"zero_shot\", \"rpo\"]\n", sweeps);
    let (summary, records) = run_suite(&world, swept, out.path());
    assert_eq!((summary.done, summary.skipped, summary.failed), (4, 1, 0));
    let mut names: Vec<String> = records.iter().filter(|r| r.cell.seed.is_some()).map(variant).collect();
    names.sort();
    assert_eq!(names, ["", "rpo.k=1", "rpo.mask=false", "rpo.pairing=all"]);
    let own = records.iter().find(|r| r.cell.seed.is_some() && r.cell.variant.is_empty()).unwrap();
    assert_eq!((&own.key, &own.evaluations), (&plain[0].key, &plain[0].evaluations));
    assert_eq!(own.cell.suite, "swept");
    let trained = |r: &RunRecord| r.training.as_ref().unwrap().parameters_sha256.clone();
    let hashes: std::collections::BTreeSet<String> =
        records.iter().filter(|r| r.cell.seed.is_some()).map(trained).collect();
    assert_eq!(hashes.len(), 4, "every variant trains its own prompts");
    assert!(page(out.path(), "swept").contains("every cell has a result"));
}

#[test]
fn one_training_is_tested_on_many_datasets() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let keys = |targets: &str| {
        format!(
            "train_classes = \"all\"\nevaluate = [\"all\"]\nmethods = [\"coop\"]\nevaluate_on = [{targets}]\n"
        )
    };
    let (_, first) = run_suite(&world, suite("a", &keys("\"dtd\", \"oxford_pets\""), ""), out.path());
    let tested: Vec<(&str, Classes)> =
        first[0].evaluations.iter().map(|e| (e.dataset.as_str(), e.classes)).collect();
    assert_eq!(tested, [("eurosat", Classes::All), ("dtd", Classes::All), ("oxford_pets", Classes::All)]);
    let (_, second) = run_suite(&world, suite("b", &keys("\"ucf101\""), ""), out.path());
    assert_eq!(second[0].training, first[0].training, "the training is reused");
    assert_eq!(second[0].timing.train_secs.to_bits(), first[0].timing.train_secs.to_bits());
    assert_eq!(second[0].evaluations[0], {
        let own = first[0].evaluations[0].clone();
        let path = second[0].evaluations[0].predictions_path.clone();
        rpo_bench::record::Evaluation { predictions_path: path, ..own }
    });
    assert_ne!(second[0].key, first[0].key);
}

const FILES: &str = "[prompts]\nnames = [\"{dataset}_{seed}.safetensors\"]\n";

#[test]
fn prompts_from_files_give_the_number_of_their_training() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let keys = "methods = [\"rpo\"]\n";
    let own = suite("own", keys, &format!("{FILES}train_without_folder = true\n"));
    let (summary, records) = run_suite(&world, own, out.path());
    assert_eq!((summary.done, summary.failed), (2, 0));
    let counts = |r: &RunRecord| r.evaluations.iter().map(|e| (e.correct, e.total)).collect::<Vec<_>>();
    let from_file = |r: &&RunRecord| variant(r) == "prompts=from_file";
    let read = records.iter().find(from_file).unwrap();
    let trained = records.iter().find(|r| !from_file(r)).unwrap();
    assert_eq!(counts(read), counts(trained));

    // The same file in a folder of somebody else's; seed 2 is not in it.
    let folder = tempfile::tempdir().unwrap();
    let file = out.path().join("runs/own-pocket").join(&trained.training.as_ref().unwrap().parameters_path);
    std::fs::copy(file, folder.path().join("eurosat_1.safetensors")).unwrap();
    let mut others = suite("others", keys, FILES);
    others.seeds = vec![1, 2];
    others.sections = vec![rpo_bench::report::Section::PublishedPrompts];
    let missing = Plan::new(others.clone(), &[], None).unwrap().with_prompts(None).err().unwrap().to_string();
    assert!(missing.contains("--prompts DIR"), "{missing}");
    let plan = Plan::new(others, &[], None).unwrap().with_prompts(Some(folder.path().into())).unwrap();
    let summary = run_plan(&world, &plan, out.path());
    assert_eq!((summary.done, summary.failed), (2, 1));
    let records = Store::new(out.path(), "others", "pocket").all().unwrap();
    let sound = records.iter().find(|r| r.outcome == Outcome::Complete).unwrap();
    assert_eq!(counts(sound), counts(trained));
    let page = page(out.path(), "others");
    assert!(page.contains("none of these is in the folder: eurosat_2.safetensors"), "{page}");
    assert!(page.contains("Incomplete: 1 cell failed"), "{page}");
}

#[test]
fn a_saved_file_says_what_it_is_and_is_evaluated_alone() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let (_, records) = run_suite(&world, suite("plain", "methods = [\"coop\", \"rpo\"]\n", ""), out.path());
    for record in &records {
        let file =
            out.path().join("runs/plain-pocket").join(&record.training.as_ref().unwrap().parameters_path);
        let saved = SavedPrompts::read(&file, None).unwrap();
        assert_eq!(saved.method, record.cell.method);
        assert_eq!(saved.metadata["weights_sha256"], world.identity.weights_sha256);
        assert_eq!(saved.metadata["dataset"], "eurosat");
        let settings = saved.settings(&Settings::new([]).unwrap()).unwrap();
        for recorded in &record.evaluations {
            let half = ("eurosat", recorded.classes);
            let here =
                evaluate_file(&world, &saved, &settings, half, Some(2), &|| false, &|_, _| {}).unwrap();
            assert_eq!((here.correct, here.total), (recorded.correct, recorded.total));
        }
        let elsewhere =
            evaluate_file(&world, &saved, &settings, ("dtd", Classes::All), Some(1), &|| false, &|_, _| {});
        assert_eq!(elsewhere.unwrap().total, 16);
    }
}

#[test]
fn a_published_checkpoint_that_does_not_fit_is_refused_with_both_shapes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch/checkpoint.pth.tar");
    let saved = SavedPrompts::read(&file, None).unwrap();
    assert_eq!((saved.method.as_str(), saved.metadata.len()), ("rpo", 0));
    let settings = saved.settings(&Settings::new([]).unwrap()).unwrap();
    let refused =
        evaluate_file(&world(), &saved, &settings, ("dtd", Classes::New), Some(1), &|| false, &|_, _| {});
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("text_prompt has shape") && said.contains("96"), "{said}");
}

#[test]
fn a_failed_cell_is_recorded_and_the_rest_goes_on() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let keys = "methods = [\"zero_shot\", \"coop\", \"linear_probe\"]\n";
    let broken = [("coop.learning_rate".to_owned(), toml::Value::Float(1e30))];
    let plan = Plan::new(suite("broken", keys, ""), &broken, None).unwrap();
    let summary = run_plan(&world, &plan, out.path());
    assert_eq!((summary.done, summary.failed), (3, 1));
    let records = Store::new(out.path(), "broken", "pocket").all().unwrap();
    for record in &records {
        let failed = matches!(&record.outcome, Outcome::Failed { error } if error.contains("not finite"));
        assert_eq!(failed, record.cell.method == "coop", "{:?}", record.outcome);
        assert_eq!(record.evaluations.is_empty(), failed);
    }
    let page = page(out.path(), "broken");
    assert!(page.contains("Incomplete: 1 cell failed") && page.contains("not finite"), "{page}");
    assert!(page.contains("at most 2 test images a class"), "{page}");
    // A failed cell is tried again; the others are not.
    let again = run_plan(&world, &plan, out.path());
    assert_eq!((again.done, again.skipped, again.failed), (1, 2, 1));
}

#[test]
fn planned_cells_without_a_record_are_listed() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let (_, records) =
        run_suite(&world, suite("lost", "methods = [\"zero_shot\", \"coop\"]\n", ""), out.path());
    let coop = records.iter().find(|r| r.cell.method == "coop").unwrap();
    std::fs::remove_file(out.path().join(format!("runs/lost-pocket/records/{}.json", coop.key))).unwrap();
    assert!(page(out.path(), "lost").contains("no record"));
}

/// The largest relative distance of a tower over layers and halves.
fn largest(record: &RunRecord, tower: &str, reference: &str) -> f64 {
    let here = |m: &&rpo_bench::record::Measurement| {
        m.quantity == "relative_l2_max" && m.place["tower"] == tower && m.place["reference"] == reference
    };
    let values: Vec<f64> = record.measurements.iter().filter(here).map(|m| m.value).collect();
    assert!(!values.is_empty());
    values.into_iter().fold(0.0, f64::max)
}

/// Exact zeros where the mask or causality protects tokens; the negative controls are CoOp's and CoCoOp's texts and
/// RPO's images without the mask, which must move.
#[test]
fn only_unmasked_prompts_and_contexts_move_tokens() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let keys = "methods = [\"zero_shot\", \"linear_probe\", \"coop\", \"cocoop\", \"rpo\"]\n\
                measure = [\"representation_shift\"]\n";
    let shift = suite("shift", keys, "[[sweep]]\n\"rpo.mask\" = [true, false]\n");
    let (summary, records) = run_suite(&world, shift, out.path());
    assert_eq!((summary.done, summary.failed), (6, 0));
    for record in &records {
        let name = format!("{} {}", record.cell.method, variant(record));
        let context = ["coop", "cocoop"].contains(&record.cell.method.as_str());
        for (tower, moved) in [("text", context), ("vision", variant(record) == "rpo.mask=false")] {
            let distance = largest(record, tower, "initial");
            assert_eq!(distance > 0.0, moved, "{name}, {tower}: {distance:e}");
            let distance = largest(record, tower, "no_prompts");
            assert_eq!(distance > 1e-4, moved, "{name}, {tower}: {distance:e}");
        }
    }
}

#[test]
fn costs_are_derived_and_measured_without_training() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let keys = "train_classes = \"base\"\nevaluate = []\nmeasure = [\"cost\"]\nmethods = [\"rpo\"]\n";
    let sweep = "[[sweep]]\n\"rpo.computation\" = [\"cached\", \"full_sequences\"]\n";
    let (summary, records) = run_suite(&world, suite("cost", keys, sweep), out.path());
    assert_eq!((summary.done, summary.failed), (2, 0));
    assert!(records.iter().all(|r| r.training.is_none() && r.evaluations.is_empty()));
    let value =
        |r: &RunRecord, q: &str| r.measurements.iter().find(|m| m.quantity == q).map(|m| m.value).unwrap();
    let cached = records.iter().find(|r| r.cell.variant.is_empty()).unwrap();
    let whole = records.iter().find(|r| !r.cell.variant.is_empty()).unwrap();
    assert_eq!(value(cached, "trained_parameters"), 2.0 * (96.0 + 96.0));
    assert_eq!(value(whole, "trained_parameters"), value(cached, "trained_parameters"));
    assert!(value(whole, "step_multiply_adds") > 2.0 * value(cached, "step_multiply_adds"));
    assert!(value(whole, "step_secs") > 0.0 && value(cached, "step_secs") > 0.0);
}

#[test]
fn a_plan_counts_what_is_left_and_writes_nothing() {
    let (world, out) = (world(), tempfile::tempdir().unwrap());
    let plan = Plan::new(suite("planned", "methods = [\"zero_shot\", \"rpo\"]\n", ""), &[], None).unwrap();
    let before = estimate(&world, &plan, (out.path(), 1), &|| false).unwrap();
    assert_eq!((before.cells_to_run, before.trainings), (2, 1));
    assert_eq!((before.training_image_passes, before.evaluation_image_passes), (5, 20));
    assert!(before.seconds > 0.0 && before.flop > 0.0 && before.disk_bytes > 0);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
    run_plan(&world, &plan, out.path());
    let after = estimate(&world, &plan, (out.path(), 1), &|| false).unwrap();
    assert_eq!((after.cells_to_run, after.trainings, after.evaluation_image_passes), (0, 0, 0));
    assert!(after.cells.iter().all(|cell| cell.complete));
}
