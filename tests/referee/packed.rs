//! What is shipped: the package's size, completions, the man page, and checkpoints for torch.

use std::collections::BTreeMap;
use std::process::Command;

use super::{python, refused, repository, rpo_bench, said, text};

/// Most bytes of the package before compression.
const LIMIT: u64 = 10_000_000;

#[test]
fn the_package_holds_what_it_needs_and_is_small() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(repository("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).unwrap();
    let size = |name: &str| std::fs::metadata(repository(name)).map_or(0, |about| about.len());
    let bytes: u64 = list.lines().map(size).sum();
    println!("{} files, {:.2} MB", list.lines().count(), bytes as f64 / 1e6);
    assert!(bytes < LIMIT, "{bytes} bytes");
    let has = |name: &str| list.lines().any(|line| line == name);
    for needed in
        ["Cargo.lock", "README.md", "assets/pocket/model.safetensors", "suites/smoke.toml", "src/main.rs"]
    {
        assert!(has(needed), "{needed} is missing");
    }
    assert!(!list.contains("tests/fixtures") && !list.contains("reports/samples"), "{list}");
}

#[test]
fn completions_and_man_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&["completions", shell]);
        assert!(["suite", "import", "replay"].iter().all(|word| script.contains(word)), "{shell}");
    }
    let page = said(&["man"]);
    assert!(page.starts_with(".ie") || page.contains(".TH rpo-bench"), "{page}");
    assert!(page.contains("replay") && said(&["man", "data", "draw"]).contains("dassl"));
    assert_eq!(refused(&["man", "nothing"]).0, 2);
    assert!(!rpo_bench(&["completions", "tcsh"]).status.success());
}

/// Loads a checkpoint as the authors' programs do and prints its tensors.
const LOADER: &str = r#"
import json, sys, torch
loaded = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
state = loaded["state_dict"]
print(json.dumps({"epoch": loaded["epoch"], "tensors": {k: [str(v.dtype), v.flatten().tolist()] for k, v in state.items()}}))
"#;

/// Every file of the authors' programs that lies there: to safetensors, back, and into torch with the same values.
#[test]
fn checkpoints_go_both_ways() {
    let folder = repository("../shared/paper/checkpoints_pocket");
    if !folder.is_dir() {
        println!("skipped: ../shared/paper/checkpoints_pocket is absent");
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let torch = python("torch");
    let mut methods = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let theirs = entry.unwrap().path();
        let name = theirs.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".pth.tar") {
            continue;
        }
        let [ours, back, again] = ["safetensors", "pth.tar-7", "again.safetensors"]
            .map(|end| out.path().join(format!("{name}.{end}")));
        said(&["model", "convert", text(&theirs), text(&ours)]);
        methods.insert(name, said(&["model", "convert", text(&ours), text(&back)]));
        said(&["model", "convert", text(&back), text(&again)]);
        let values = |path: &std::path::Path| {
            let bytes = std::fs::read(path).unwrap();
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let tensors = file.tensors().into_iter();
            tensors.map(|(name, view)| (name, view.data().to_vec())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(values(&ours), values(&again));
        let Some(python) = &torch else { continue };
        let load = |path: &std::path::Path| -> serde_json::Value {
            let output = Command::new(python).args(["-c", LOADER, text(path)]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        };
        let (first, second) = (load(&theirs), load(&back));
        assert_eq!(second["epoch"], 7);
        let kept = second["tensors"].as_object().unwrap();
        assert!(!kept.is_empty());
        for (tensor, values) in kept {
            assert_eq!(*values, first["tensors"][tensor], "{tensor}");
        }
    }
    assert_eq!(methods.len(), 4, "{methods:?}");
}
