//! The draw in every form, and back.

use std::path::Path;
use std::process::Command;

use super::{python, records, refused, said, text};

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

/// A draw that was handed out is taken for the suite's own, and one that is not of these lists is named.
#[test]
fn a_suite_takes_the_draw_of_a_jsonl() {
    let folder = tempfile::tempdir().unwrap();
    let draws = folder.path().join("draws");
    std::fs::create_dir_all(draws.join("eurosat")).unwrap();
    let file = draws.join("eurosat/shot_2-seed_1.jsonl");
    let suite = |out: &str, more: &[&str]| {
        let words = ["suite", "smoke", "--datasets", "eurosat", "--methods", "linear_probe", "--no-report"];
        [&words[..], &["--out", out], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let words = suite(text(&out), more);
        said(&words.iter().map(String::as_str).collect::<Vec<_>>());
        records(&out.join("runs/smoke-pocket")).remove(0)
    };
    let [one, other] =
        ["1", "2"].map(|seed| said(&["data", "draw", "eurosat", "--seed", seed, "--shots", "2", "--jsonl"]));
    let with = ["--draws", text(&draws)];
    std::fs::write(&file, &one).unwrap();
    let images =
        |record: &serde_json::Value| record["training"]["images_sha256"].as_str().unwrap().to_owned();
    let own = images(&run("own", &[]));
    assert_eq!(images(&run("same", &with)), own, "the draw that the seed makes anyway");
    std::fs::write(&file, &other).unwrap();
    assert_ne!(images(&run("other", &with)), own, "the file decides");
    // As others write it: a folder of theirs in front, a name with spaces.
    std::fs::write(&file, one.replace("pocket/", "/home/me/pocket/").replace('_', " ")).unwrap();
    let (code, message) = refuse(&suite(text(&folder.path().join("spaces")), &with));
    assert!(
        code != 0 && message.contains("is not in the training list"),
        "a path keeps its underscores: {message}"
    );
    let name = serde_json::from_str::<serde_json::Value>(one.lines().next().unwrap()).unwrap();
    let name = name["classname"].as_str().unwrap().to_owned();
    for (rows, part) in [
        (one.replacen("/train/", "/nowhere/", 1), "line 1: "),
        (one.replacen("\"label\":0", "\"label\":7", 1), "has label 7"),
        (one.replacen(&format!("\"classname\":\"{name}\""), "\"classname\":\"Moon\"", 1), "(\"Moon\")"),
        (one.lines().skip(1).map(|line| format!("{line}\n")).collect(), "class 0 has 1 items"),
    ] {
        std::fs::write(&file, rows).unwrap();
        let (code, message) = refuse(&suite(text(&folder.path().join("bad")), &with));
        assert!(code == 3 && message.contains("shot_2-seed_1.jsonl") && message.contains(part), "{message}");
    }
}

fn refuse(words: &[String]) -> (i32, String) {
    refused(&words.iter().map(String::as_str).collect::<Vec<_>>())
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
