//! A replay is the run of its cell: the parameters and predictions of the suite, bit for bit.

use std::collections::BTreeSet;
use std::path::Path;

use rpo_bench::method::{Entry, REGISTRY};

use super::{python, records, refused, repository, run_python, said, text};

fn replay(method: &str, seed: &str, out: &Path, more: &[&str]) -> serde_json::Value {
    let cell = ["replay", "--method", method, "--dataset", "eurosat", "--seed", seed, "--out", text(out)];
    said(&[&cell[..], more].concat());
    serde_json::from_slice(&std::fs::read(out.join("replay.json")).unwrap()).unwrap()
}

/// Tensors of a safetensors file, by name.
fn tensors(path: &Path) -> Vec<(String, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut all: Vec<(String, Vec<u8>)> =
        file.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect();
    all.sort();
    all
}

/// As few steps as a method's settings allow.
fn shortest(entry: &Entry) -> Vec<String> {
    let table = entry.default_table().unwrap();
    let short = [("epochs", "2"), ("epochs_by_shots", "\"\""), ("steps_per_shot", "4"), ("steps", "4")];
    let epochs =
        |key: &str| key == "epochs" && table.get(key).is_some_and(|value| value.as_integer() == Some(0));
    let has = |key: &str| table.contains_key(key) && !epochs(key);
    let set = |(key, value): (&str, &str)| ["--set".to_owned(), format!("{}.{key}={value}", entry.id)];
    short.into_iter().filter(|(key, _)| has(key)).flat_map(set).collect()
}

/// Every method of the registry, at its smallest: the losses, learning rates, parameters and predictions of the run.
#[test]
fn a_replay_is_the_run_of_its_cell_whatever_the_method() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let ids = REGISTRY.iter().map(|entry| entry.id).collect::<Vec<_>>().join(",");
    let suite = ["suite", "all_to_all", "--datasets", "eurosat", "--shots", "1", "--methods", &ids];
    let sets: Vec<String> = REGISTRY.iter().flat_map(shortest).collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    let more = ["--limit", "4", "--no-report", "--out", text(out)];
    said(&[&suite[..], &more, &sets].concat());
    let run = out.join("runs/all_to_all-pocket");
    let mut seen = BTreeSet::new();
    for record in records(&run) {
        let method = record["cell"]["method"].as_str().unwrap();
        let entry = REGISTRY.iter().find(|entry| entry.id == method).unwrap();
        let own = shortest(entry);
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let place = out.join(method);
        let more = [&["--suite", "all_to_all", "--shots", "1", "--limit", "4"][..], &own].concat();
        if !entry.with_defaults().unwrap().draws() {
            let cell = ["replay", "--method", method, "--dataset", "eurosat", "--seed", "1"];
            let (code, message) = refused(&[&cell[..], &["--out", text(&place)], &more].concat());
            let sentence = format!("{method} trains nothing and draws nothing, every run of it is the same");
            assert!(code == 2 && message.contains(&sentence), "{message}");
            continue;
        }
        let replayed = replay(method, "1", &place, &more);
        is_the_run(&replayed, &place, &record, &run);
        let trains = !record["training"]["epochs"].as_array().unwrap().is_empty();
        let same = tensors(&place.join("final.safetensors")) == tensors(&place.join("initial.safetensors"));
        let note = replayed["note"].as_str().unwrap_or_default();
        assert_eq!((same, note.contains("takes no training step")), (!trains, !trains), "{method}: {note}");
        assert_eq!(trains, !replayed["steps"].as_array().unwrap().is_empty(), "{method}");
        seen.insert(method.to_owned());
    }
    let drawing = REGISTRY.iter().filter(|entry| entry.with_defaults().unwrap().draws());
    assert_eq!(seen, drawing.map(|entry| entry.id.to_owned()).collect(), "every method has a record");
    // The controls: another seed is another training, and numbers within steps are told.
    let other = out.join("other");
    replay("coop", "2", &other, &["--suite", "all_to_all", "--shots", "1", "--set", "coop.epochs=2"]);
    assert_ne!(tensors(&other.join("final.safetensors")), tensors(&out.join("coop/final.safetensors")));
    let lora = std::fs::read_to_string(out.join("clip_lora/replay.json")).unwrap();
    assert!(lora.contains("--set clip_lora.dropout=0"), "its dropout goes unsaid");
}

/// Parameters, predictions, losses and rates of a replay are those of its record.
fn is_the_run(replayed: &serde_json::Value, place: &Path, record: &serde_json::Value, run: &Path) {
    let method = record["cell"]["method"].as_str().unwrap();
    let trained = run.join(record["training"]["parameters_path"].as_str().unwrap());
    assert_eq!(tensors(&place.join("final.safetensors")), tensors(&trained), "{method}");
    assert_eq!(replayed["epochs"], record["training"]["epochs"], "{method}");
    let evaluations = record["evaluations"].as_array().unwrap();
    assert!(!evaluations.is_empty(), "{method}");
    for evaluation in evaluations {
        let theirs = run.join(evaluation["predictions_path"].as_str().unwrap());
        let half = evaluation["classes"].as_str().unwrap();
        let ours = std::fs::read(place.join(format!("predictions-{half}.csv"))).unwrap();
        assert!(ours == std::fs::read(theirs).unwrap(), "{method} {half}");
    }
    assert!(replayed["views"].as_array().unwrap().len() >= 10, "{method}");
    let steps = replayed["steps"].as_array().unwrap();
    for (at, epoch) in replayed["epochs"].as_array().unwrap().iter().enumerate() {
        let of: Vec<&serde_json::Value> = steps.iter().filter(|step| step["epoch"] == at).collect();
        let mean = of.iter().map(|step| step["loss"].as_f64().unwrap()).sum::<f64>() / of.len() as f64;
        let expected = epoch["mean_loss"].as_f64().unwrap();
        assert!((mean - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{method}: {mean} {expected}");
        assert_eq!(of[0]["learning_rate"], epoch["learning_rate"], "{method}");
    }
    let names = tensors(place.join("final.safetensors").as_path());
    let known = |name: &serde_json::Value| names.iter().any(|(own, _)| *own == name.as_str().unwrap());
    assert!(replayed["trained"].as_array().unwrap().iter().all(known), "{method}");
}

/// The example: CoOp in plain torch takes the same steps.
#[test]
fn torch_replays_a_training_step_for_step() {
    let Some(python) = python("torch, numpy, PIL") else { return };
    let folder = tempfile::tempdir().unwrap();
    let [data, clip, out] = ["data", "clip", "replay"].map(|name| folder.path().join(name));
    said(&["data", "export", "--pocket", text(&data), "--datasets", "eurosat", "--lossless"]);
    said(&["model", "export", text(&clip)]);
    let more = ["--data", text(&data), "--clip", text(&clip), "--shots", "16", "--set", "coop.epochs=6"];
    let replayed = replay("coop", "1", &out, &more);
    let steps = replayed["steps"].as_array().unwrap().len();
    let script = repository("examples/replay_coop.py");
    let compare = || -> serde_json::Value {
        let report = run_python(&python, &script, &[text(&out), text(&data), text(&clip)]);
        println!("{report}");
        serde_json::from_str(report.lines().last().unwrap()).unwrap()
    };
    let found = compare();
    assert_eq!(found["steps"], steps);
    assert_eq!((&found["predictions"], &found["agree"]), (&400.into(), &400.into()));
    let worst = |found: &serde_json::Value, what: &str| found["worst"][what].as_f64().unwrap();
    assert!(worst(&found, "loss") < 1e-3 && worst(&found, "parameter") < 1e-4, "{found}");
    // The control: one flip turned round, and the losses part.
    let json = std::fs::read_to_string(out.join("replay.json")).unwrap();
    let turned = json.replacen("\"flip\": false", "\"flip\": true", 40);
    assert_ne!(turned, json);
    std::fs::write(out.join("replay.json"), turned).unwrap();
    assert!(worst(&compare(), "loss") > 1e-3);
}
