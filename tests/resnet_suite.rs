//! A ResNet CLIP in a suite: what reads pooled features runs, what needs tokens refuses before anything is computed.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rpo_bench::backbone::files::safetensors_write::write_safetensors;
use rpo_bench::backbone::files::stored::StoredTensor;
use rpo_bench::backbone::files::torch_file::open_torch;
use serde_json::json;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

/// The first rows of a table, again and again.
fn lengthened(table: &StoredTensor, rows: usize) -> StoredTensor {
    let (values, width) = (table.to_f32(), table.shape[1]);
    let values: Vec<f32> = values.into_iter().cycle().take(rows * width).collect();
    StoredTensor::from_f32(vec![rows, width], &values)
}

/// The ResNet of the fixtures as an open_clip export that has a tokenizer, and positions enough for prompts.
fn export(folder: &Path) {
    let mut file = open_torch(&fixture("resnet/openai_state_dict_rn.pt")).unwrap();
    let mut tensors = BTreeMap::new();
    for name in file.names() {
        // Counters of batches are whole numbers, which no weight is.
        if let Ok(tensor) = file.read(&name) {
            tensors.insert(name, tensor);
        }
    }
    for (name, rows) in [("token_embedding.weight", 520), ("positional_embedding", 77)] {
        let longer = lengthened(&tensors[name], rows);
        tensors.insert(name.to_owned(), longer);
    }
    write_safetensors(&folder.join("open_clip_model.safetensors"), &BTreeMap::new(), &tensors).unwrap();
    let config = json!({ "model_cfg": {
        "embed_dim": 32,
        "quick_gelu": true,
        "vision_cfg": { "image_size": 64, "layers": [2, 1, 1, 2], "width": 4, "patch_size": null },
        "text_cfg": { "context_length": 77, "vocab_size": 520, "width": 128, "heads": 2, "layers": 1 },
    }});
    std::fs::write(folder.join("open_clip_config.json"), config.to_string()).unwrap();
    std::fs::copy(fixture("hf/tokenizer_json/tokenizer.json"), folder.join("tokenizer.json")).unwrap();
}

fn suite(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench"))
        .current_dir(folder)
        .args(["suite", "base2new", "--datasets", "dtd", "--seeds", "1", "--shots", "1", "--limit", "1"])
        .args(["--clip", "rn"])
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn methods_on_pooled_features_run_and_the_others_refuse_before_anything_is_computed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rn")).unwrap();
    export(&folder.path().join("rn"));
    for args in [&["--methods", "coop,rpo"][..], &["--methods", "coop,rpo", "--plan"]] {
        let refused = suite(folder.path(), args);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(
            said.contains("methods rpo") && said.contains("ResNet") && said.contains("--methods coop runs"),
            "{said}"
        );
        assert!(!folder.path().join("runs").exists());
    }
    let methods = ["--methods", "zero_shot,linear_probe,coop,cocoop"];
    let short = ["--set", "coop.epochs=3", "--set", "cocoop.epochs=3"];
    let run = suite(folder.path(), &[&methods[..], &short].concat());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let results = std::fs::read_to_string(folder.path().join("reports/base2new-rn/results.csv")).unwrap();
    for method in ["zero_shot", "linear_probe", "coop", "cocoop"] {
        assert!(results.contains(method), "{results}");
    }
}
