//! The draw in every form, and back.

use std::path::Path;
use std::process::Command;

use super::{python, refused, said, text};

fn draw(more: &[&str]) -> String {
    said(&[&["data", "draw", "eurosat", "--seed", "3", "--shots", "2"][..], more].concat())
}

#[test]
fn the_json_is_the_draw_of_the_program() {
    let split = said(&["data", "split", "eurosat", "--seed", "3", "--shots", "2", "--json"]);
    let split: serde_json::Value = serde_json::from_str(&split).unwrap();
    let json: serde_json::Value = serde_json::from_str(&draw(&["--json"])).unwrap();
    let listed = said(&["data", "split", "eurosat", "--seed", "3", "--shots", "2"]);
    let paths: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("train"))
        .map(|line| line.split_whitespace().last().unwrap())
        .collect();
    let drawn: Vec<&str> =
        json["train"].as_array().unwrap().iter().map(|row| row["path"].as_str().unwrap()).collect();
    assert_eq!(drawn, paths);
    assert_eq!(split["train"].as_array().unwrap().len(), 20);
    assert_eq!(json["test_lists"]["base"]["images"], 200);
    assert_eq!(draw(&["--csv"]).lines().count(), 1 + 20 + 20 + 400);
    let (code, message) = refused(&["data", "draw", "eurosat", "--seed", "3", "--shots", "2"]);
    assert!(code == 2 && message.contains("--json"), "{message}");
    let (code, message) =
        refused(&["data", "draw", "eurosat", "--seed", "3", "--shots", "2", "--classes", "new", "--dassl"]);
    assert!(code == 2 && message.contains("leave --classes new out"), "{message}");
}

#[test]
fn jsonl_goes_out_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("draw.jsonl");
    draw(&["--jsonl", text(&file)]);
    let back = draw(&["--from", text(&file), "--jsonl"]);
    assert_eq!(back, std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, back.replacen("\"label\":0", "\"label\":9", 1)).unwrap();
    let words = ["data", "draw", "eurosat", "--seed", "3", "--shots", "2", "--jsonl", "--from", text(&file)];
    let (code, message) = refused(&words);
    assert!(code == 3 && message.contains("line 1") && message.contains("label 0"), "{message}");
}

/// Reads the pickle with CPython, with a class of Dassl's name and nothing else of it.
const READER: &str = r#"
import json, pickle, sys, types
class Datum:
    def __init__(self, impath="", label=0, domain=0, classname=""): raise AssertionError("never called")
    label = property(lambda self: self._label)
names = "dassl.data.datasets.base_dataset".split(".")
for n in range(1, len(names) + 1):
    sys.modules[".".join(names[:n])] = types.ModuleType(".".join(names[:n]))
sys.modules[".".join(names)].Datum = Datum
Datum.__module__ = ".".join(names)
data = pickle.load(open(sys.argv[1], "rb"))
rows = lambda name: [[d._impath, d.label, d._domain, d._classname] for d in data[name]]
print(json.dumps({name: rows(name) for name in data}))
"#;

#[test]
fn cpython_reads_the_pickle_of_dassl() {
    let Some(python) = python("pickle") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shot_2-seed_3.pkl");
    draw(&["--dassl", text(&file), "--root", "/data/"]);
    let read = |file: &Path| Command::new(&python).args(["-c", READER, text(file)]).output().unwrap();
    let output = read(&file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let data: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let json: serde_json::Value = serde_json::from_str(&draw(&["--json"])).unwrap();
    for list in ["train", "val"] {
        let ours = json[list].as_array().unwrap().iter();
        let ours: Vec<serde_json::Value> = ours
            .map(|row| {
                let path = format!("/data/{}", row["path"].as_str().unwrap());
                serde_json::json!([path, row["label"], 0, row["class_name"]])
            })
            .collect();
        assert_eq!(data[list], serde_json::Value::from(ours), "{list}");
    }
    // The control: a byte less is no pickle.
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert!(!read(&file).status.success());
}
