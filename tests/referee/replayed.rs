//! A replay is the run of its cell: the parameters and predictions of the suite, bit for bit.

use std::path::Path;

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

#[test]
fn a_replay_is_the_run_of_its_cell() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let methods = ["linear_probe", "coop", "rpo", "tip_adapter_f"];
    said(&["suite", "smoke", "--datasets", "eurosat", "--methods", &methods.join(","), "--out", text(out)]);
    let run = out.join("runs/smoke-pocket");
    for record in records(&run) {
        let method = record["cell"]["method"].as_str().unwrap();
        let place = out.join(method);
        let replayed = replay(method, "1", &place, &["--suite", "smoke"]);
        let trained = run.join(record["training"]["parameters_path"].as_str().unwrap());
        let last = tensors(&place.join("final.safetensors"));
        assert_eq!(last, tensors(&trained), "{method}");
        assert_ne!(last, tensors(&place.join("initial.safetensors")), "{method} did not train");
        assert_eq!(replayed["epochs"], record["training"]["epochs"], "{method}");
        for evaluation in record["evaluations"].as_array().unwrap() {
            let theirs = run.join(evaluation["predictions_path"].as_str().unwrap());
            let half = evaluation["classes"].as_str().unwrap();
            let ours = std::fs::read(place.join(format!("predictions-{half}.csv"))).unwrap();
            assert!(ours == std::fs::read(theirs).unwrap(), "{method} {half}");
        }
        let views = replayed["views"].as_array().unwrap().len();
        let steps = replayed["steps"].as_array().unwrap();
        assert!(views >= 10 && !steps.is_empty(), "{method}: {views} views, {} steps", steps.len());
        let step_losses: Vec<f64> =
            steps.iter().filter(|s| s["epoch"] == 0).map(|s| s["loss"].as_f64().unwrap()).collect();
        let mean = step_losses.iter().sum::<f64>() / step_losses.len() as f64;
        assert!((mean - replayed["epochs"][0]["mean_loss"].as_f64().unwrap()).abs() < 1e-12, "{method}");
    }
    // The control: another seed is another training.
    replay("coop", "2", &out.join("other"), &["--suite", "smoke"]);
    assert_ne!(tensors(&out.join("other/final.safetensors")), tensors(&out.join("coop/final.safetensors")));
    let (code, message) = refused(&[
        "replay",
        "--method",
        "zero_shot",
        "--dataset",
        "eurosat",
        "--seed",
        "1",
        "--out",
        text(out),
    ]);
    assert!(code == 2 && message.contains("draws nothing"), "{message}");
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
