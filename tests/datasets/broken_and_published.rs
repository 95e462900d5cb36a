//! Two choices about data that change a run's numbers, held by the program itself: what happens to images that
//! cannot be read, and whose few-shot draw is trained on.

use std::path::Path;
use std::process::{Command, Output};

use rpo_bench::record::{RunRecord, Store, read_record};
use serde_json::{Value, json};

fn program(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).current_dir(root).args(args).output().unwrap()
}

fn succeeds(root: &Path, args: &[&str]) {
    let output = program(root, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The exported pocket CLIP and EuroSAT, and the split file's content.
fn exported(root: &Path) -> Value {
    succeeds(root, &["model", "export", "clip"]);
    succeeds(root, &["data", "export", "--pocket", "data", "--datasets", "eurosat"]);
    let text = std::fs::read(root.join("data/eurosat/split_zhou_EuroSAT.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Path below the data root of the first item of a list.
fn first(split: &Value, list: &str) -> String {
    format!("data/eurosat/2750/{}", split[list][0][0].as_str().unwrap())
}

/// One image a class and epoch, on few test images: a run of seconds.
fn run(root: &Path, out: &str, more: &[&str]) -> Output {
    let mut args = vec!["suite", "base2new", "--data", "data", "--clip", "clip", "--datasets", "eurosat"];
    args.extend(["--methods", "linear_probe", "--seeds", "1", "--shots", "1", "--limit", "1", "--out", out]);
    args.extend(["--set", "lp.epochs=3"]);
    args.extend(more);
    program(root, &args)
}

fn record(root: &Path, out: &str) -> RunRecord {
    let dir = Store::new(&root.join(out), "base2new", "clip").dir().join("records");
    let paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(paths.len(), 1);
    read_record(&paths[0]).unwrap()
}

#[test]
fn a_broken_image_stops_a_run_or_is_counted() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let split = exported(root);
    let draws = publish(root, &split);
    let (train, test) = (first(&split, "train"), first(&split, "test"));
    for path in [&train, &test] {
        std::fs::write(root.join(path), "junk").unwrap();
    }
    let stopped = run(root, "stopped", &["--draws", &draws]);
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(3), "{said}");
    assert!(said.contains(train.strip_prefix("data/").unwrap()), "{said}");
    assert!(said.contains("data.broken_images=skip"), "{said}");

    let skip = ["--draws", &draws, "--set", "data.broken_images=skip"];
    let output = run(root, "skipped", &skip);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("left out") && said.contains(test.strip_prefix("data/").unwrap()), "{said}");
    let record = record(root, "skipped");
    let training = record.training.unwrap();
    assert_eq!((training.images, training.skipped), (4, 1));
    let base = &record.evaluations[0];
    assert_eq!((base.total, base.skipped), (4, 1));
    assert_eq!(record.switches["data.broken_images"], "skip");
    let page = std::fs::read_to_string(root.join("skipped/reports/base2new-clip/README.md")).unwrap();
    assert!(page.contains("unreadable training images left out"), "{page}");
    assert!(page.contains("unreadable test images left out"), "{page}");
    // The cell run again is the same cell only if policy and draw are taken along.
    let verified =
        ["verify", "skipped/runs/base2new-clip", "--data", "data", "--clip", "clip", "--draws", &draws];
    let output = program(root, &verified);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("bit-equal"), "{said}");
}

/// A published draw: the first training image of every class.
fn publish(root: &Path, split: &Value) -> String {
    let mut seen = std::collections::BTreeSet::new();
    let items = split["train"].as_array().unwrap().iter();
    let data: Vec<Value> = items
        .filter(|item| seen.insert(item[1].as_u64().unwrap()))
        .map(|item| json!({"impath": format!("./data/eurosat/2750/{}", item[0].as_str().unwrap()), "label": item[1]}))
        .collect();
    let dir = root.join("draws/eurosat");
    std::fs::create_dir_all(&dir).unwrap();
    let file = json!({"train": {"data": data}, "val": {"data": []}}).to_string();
    std::fs::write(dir.join("shot_1-seed_1.json"), file).unwrap();
    "draws".to_owned()
}

#[test]
fn a_published_draw_is_trained_on_and_keyed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let split = exported(root);
    let draws = publish(root, &split);
    let output = run(root, "own", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = run(root, "published", &["--draws", &draws]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (own, published) = (record(root, "own"), record(root, "published"));
    assert_ne!(own.key, published.key);
    assert_ne!(own.provenance.draw_sha256, published.provenance.draw_sha256);
    assert_ne!(own.training.unwrap().images_sha256, published.training.unwrap().images_sha256);
    assert!(published.provenance.command.contains("--draws <draws>"), "{}", published.provenance.command);

    let none = run(root, "published", &["--draws", "clip"]);
    assert_eq!(none.status.code(), Some(2), "{}", String::from_utf8_lossy(&none.stderr));
}
