//! Trained parameters between our safetensors and the authors' `model.pth.tar-N`, both ways.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use rpo_bench::backbone::files::safetensors_file::SafetensorsFile;
use rpo_bench::backbone::files::stored::StoredTensor;
use rpo_bench::backbone::files::tensor_file::TensorFile;
use rpo_bench::backbone::files::torch_file::{TorchArchive, checkpoint_bytes};

use super::{python, records, refused, repository, said, text};

/// Loads a checkpoint and prints its tensors. Whatever else the authors' programs save, such as a scheduler, becomes an
/// empty object and is counted: our files load with nothing of the kind.
const LOADER: &str = r#"
import json, sys, torch
from torch.serialization import add_safe_globals, get_unsafe_globals_in_checkpoint
foreign = get_unsafe_globals_in_checkpoint(sys.argv[1])
plain = {"builtins.dict": dict, "collections.defaultdict": lambda *_: {}}
empty = lambda name: type(name.rpartition(".")[2], (), {})
add_safe_globals([(plain.get(name) or empty(name), name) for name in foreign])
loaded = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
state = loaded["state_dict"]
tensors = {k: [str(v.dtype), list(v.shape), v.flatten().tolist()] for k, v in state.items()}
print(json.dumps({"epoch": loaded["epoch"], "foreign": foreign, "tensors": tensors}))
"#;

fn loaded(python: &str, path: &Path) -> serde_json::Value {
    let output = Command::new(python).args(["-c", LOADER, text(path)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

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
        let values = |path: &Path| {
            let bytes = std::fs::read(path).unwrap();
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let tensors = file.tensors().into_iter();
            tensors.map(|(name, view)| (name, view.data().to_vec())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(values(&ours), values(&again));
        let Some(python) = &torch else { continue };
        let load = |path: &Path| loaded(python, path);
        let (first, second) = (load(&theirs), load(&back));
        assert_eq!((&second["epoch"], &second["foreign"]), (&7.into(), &serde_json::json!([])));
        let kept = second["tensors"].as_object().unwrap();
        assert!(!kept.is_empty());
        for (tensor, values) in kept {
            assert_eq!(*values, first["tensors"][tensor], "{tensor}");
        }
    }
    assert_eq!(methods.len(), 4, "{methods:?}");
}

const WIDTH: usize = 96;

/// Names and shapes in the authors' files of a depth of 2, on towers of one width.
fn authors(method: &str) -> BTreeMap<String, Vec<usize>> {
    let maple: &[(&str, &[usize])] = &[
        ("prompt_learner.ctx", &[2, WIDTH]),
        ("prompt_learner.proj.weight", &[WIDTH, WIDTH]),
        ("prompt_learner.proj.bias", &[WIDTH]),
        ("prompt_learner.compound_prompts_text.0", &[2, WIDTH]),
        ("prompt_learner.compound_prompt_projections.0.weight", &[WIDTH, WIDTH]),
        ("prompt_learner.compound_prompt_projections.0.bias", &[WIDTH]),
    ];
    let deep: &[(&str, &[usize])] = &[
        ("image_encoder.VPT", &[4, WIDTH]),
        ("image_encoder.transformer.resblocks.1.VPT_shallow", &[4, WIDTH]),
        ("prompt_learner.ctx", &[4, WIDTH]),
        ("text_encoder.transformer.resblocks.1.VPT_shallow", &[4, WIDTH]),
    ];
    let of_vision: &[(&str, &[usize])] = &[
        ("image_encoder.VPT", &[8, WIDTH]),
        ("image_encoder.transformer.resblocks.1.VPT_shallow", &[8, WIDTH]),
    ];
    let rows = match method {
        "maple" => maple,
        "vpt" => of_vision,
        _ => deep,
    };
    rows.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
}

/// Trains on the pocket data; method, file, and what the run counted on the base classes.
fn trained(out: &Path, methods: &[&str]) -> Vec<(String, PathBuf, u64)> {
    let of = |method: &&str| format!("{method}.epochs=2");
    let sets: Vec<String> = methods.iter().flat_map(|method| ["--set".to_owned(), of(method)]).collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    let suite =
        ["suite", "methods", "--datasets", "eurosat", "--shots", "1", "--methods", &methods.join(",")];
    said(&[&suite[..], &["--no-report", "--limit", "5", "--out", text(out)], &sets].concat());
    let run = out.join("runs/methods-pocket");
    let of = |record: &serde_json::Value| {
        let base = record["evaluations"].as_array().unwrap().iter().find(|e| e["classes"] == "base").unwrap();
        let file = run.join(record["training"]["parameters_path"].as_str().unwrap());
        let method = record["cell"]["method"].as_str().unwrap().to_owned();
        (method, file, base["correct"].as_u64().unwrap())
    };
    records(&run).iter().map(of).collect()
}

/// Correct predictions on the base classes with a file's parameters.
fn evaluated(file: &Path, more: &[&str]) -> u64 {
    let words = ["evaluate", "--prompts", text(file), "--datasets", "eurosat", "--classes", "base"];
    let answer = said(&[&words[..], &["--limit", "5", "--json"], more].concat());
    let document: serde_json::Value = serde_json::from_str(&answer).unwrap();
    document["evaluations"][0]["correct"].as_u64().unwrap()
}

/// What a trainer of these methods saves: the whole model, frozen towers and token buffers included.
fn as_the_authors(checkpoint: &Path, file: &Path, mark: &[&str]) {
    let mut archive = TorchArchive::open(checkpoint).unwrap();
    let mut state: BTreeMap<String, StoredTensor> =
        archive.names().into_iter().map(|name| (name.clone(), archive.read(&name).unwrap())).collect();
    let frozen = ["prompt_learner.token_prefix", "image_encoder.conv1.weight", "logit_scale"];
    for name in frozen.iter().chain(mark) {
        state.insert((*name).to_owned(), StoredTensor::from_f32(vec![2, 1, 3], &[0.5; 6]));
    }
    std::fs::write(file, checkpoint_bytes(&state, 5, &BTreeMap::new()).unwrap()).unwrap();
}

fn values(file: &Path) -> BTreeMap<String, StoredTensor> {
    let mut file = SafetensorsFile::open(file).unwrap();
    file.names().into_iter().map(|name| (name.clone(), file.read(&name).unwrap())).collect()
}

#[test]
fn our_training_goes_to_torch_and_back_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let torch = python("torch");
    let deep = ["maple", "vpt", "ivlp", "promptsrc"];
    let all = trained(out, &[&deep[..], &["rpo", "coop", "cocoop", "linear_probe"]].concat());
    assert_eq!(all.len(), 8);
    for (method, ours, correct) in all {
        let [theirs, back, authors_file, from_authors] =
            ["model.pth.tar-3", "back.safetensors", "authors.pth.tar-5", "authors.safetensors"]
                .map(|name| out.join(format!("{method}.{name}")));
        let convert = |from: &Path, to: &Path| said(&["model", "convert", text(from), text(to)]);
        convert(&ours, &theirs);
        convert(&theirs, &back);
        assert!(
            std::fs::read(&ours).unwrap() == std::fs::read(&back).unwrap(),
            "{method} changed on the way"
        );
        assert_eq!(evaluated(&theirs, &[]), correct, "{method}");
        if !deep.contains(&method.as_str()) {
            continue;
        }
        let archive = TorchArchive::open(&theirs).unwrap();
        let shape = |name: String| (name.clone(), archive.shape(&name).unwrap().to_vec());
        assert_eq!(archive.names().into_iter().map(shape).collect::<BTreeMap<_, _>>(), authors(&method));
        if let Some(python) = &torch {
            let state = loaded(python, &theirs);
            assert_eq!((&state["epoch"], &state["foreign"]), (&3.into(), &serde_json::json!([])));
            let state = state["tensors"].as_object().unwrap().iter();
            let shapes: BTreeMap<String, Vec<usize>> = state
                .map(|(name, tensor)| (name.clone(), serde_json::from_value(tensor[1].clone()).unwrap()))
                .collect();
            assert_eq!(shapes, authors(&method), "{method} in torch");
        }
        let mark: &[&str] = match method.as_str() {
            "promptsrc" => &["prompt_learner.ZS_image_encoder.conv1.weight"],
            _ => &[],
        };
        as_the_authors(&theirs, &authors_file, mark);
        if method == "ivlp" {
            // Its names are PromptSRC's too, and nothing else says whose it is.
            let (code, message) = refused(&["model", "convert", text(&authors_file), text(&from_authors)]);
            assert!(code == 3 && message.contains("ivlp and promptsrc alike"), "{message}");
            let words = ["model", "convert", text(&authors_file), text(&from_authors), "--method"];
            let (_, message) = refused(&[&words[..], &["maple"]].concat());
            assert!(message.contains("MaPLe trains no tensor"), "{message}");
            said(&[&words[..], &["ivlp"]].concat());
            assert_eq!(evaluated(&authors_file, &["--method", "ivlp"]), correct);
        } else {
            convert(&authors_file, &from_authors);
            assert_eq!(evaluated(&authors_file, &[]), correct, "{method} as the authors save it");
        }
        assert_eq!(values(&from_authors), values(&ours), "{method}");
        let words = ["evaluate", "--prompts", text(&theirs), "--method", "rpo"];
        let (_, message) = refused(&words);
        assert!(message.contains(&format!("it is of {method}, wanted are those of rpo")), "{message}");
    }
}
