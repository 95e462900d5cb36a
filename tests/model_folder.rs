//! Model folders in every form that is accepted, and the errors of those that are not.
//!
//! `fixtures/micro_clip` is a `CLIPModel` of transformers 5.23.0 with 46 tensors: model.safetensors is its
//! `save_pretrained`, pytorch_model.bin a `torch.save` (2.15.0) of the same values with transposed projections and
//! `position_ids`, as the converters of 2021 left them. `fixtures/torch/scripted.pt` is a TorchScript archive. All by
//! `fixtures/make_torch_files.py`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rpo_bench::backbone::files::safetensors_write::write_safetensors;
use rpo_bench::backbone::files::stored::{StoredDtype, StoredTensor};
use rpo_bench::backbone::{
    ClipFolder, ClipSource, LoadError, LoadedClip, Weights, expected_tensors, export_folder, train_bpe,
};
use tempfile::TempDir;

type Tensors = BTreeMap<String, StoredTensor>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn load(folder: &Path) -> Result<LoadedClip, LoadError> {
    ClipFolder::open(folder)?.load()
}

/// The message of a folder that must not load; it has to hold all the parts.
fn assert_refused(folder: &Path, parts: &[&str]) {
    let message = load(folder).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn values(weights: &Weights) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    weights.iter().map(|(name, tensor)| (name.to_owned(), (tensor.dims().to_vec(), flat(tensor)))).collect()
}

fn micro_tensors() -> Tensors {
    let weights = load(&fixture("micro_clip")).unwrap().weights;
    weights
        .iter()
        .map(|(name, tensor)| {
            (name.to_owned(), StoredTensor::from_f32(tensor.dims().to_vec(), &flat(tensor)))
        })
        .collect()
}

/// A folder with micro_clip's configuration and nothing else.
fn folder_with_config() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("micro_clip/config.json"), folder.path().join("config.json")).unwrap();
    folder
}

fn folder_with(tensors: &Tensors) -> TempDir {
    let folder = folder_with_config();
    write_safetensors(&folder.path().join("model.safetensors"), &BTreeMap::new(), tensors).unwrap();
    folder
}

#[test]
fn tiny_clip_loads_with_name_hash_and_no_tokenizer() {
    let clip = load(&fixture("tiny_clip")).unwrap();
    assert_eq!(clip.name, "tiny_clip");
    assert_eq!(clip.weights.iter().count(), 110);
    assert_eq!(clip.weights_files, ["model.safetensors"]);
    // What sha256sum prints for the file.
    assert_eq!(clip.weights_sha256, "1c46a083a9a2a8759de50d40035ebea4feabfa5ad20ad93685fe2222f57020f4");
    let scale = clip.weights.get("logit_scale", &[]).unwrap().to_scalar::<f32>().unwrap();
    assert!((scale - 4.6052).abs() < 1e-4);
    assert!(clip.tokenizer.is_none());
    let message = clip.tokenizer().unwrap_err().to_string();
    assert!(
        message.contains("tiny_clip") && message.contains("vocab.json") && message.contains("512"),
        "{message}"
    );
}

#[test]
fn the_names_are_those_transformers_writes() {
    let clip = load(&fixture("micro_clip")).unwrap();
    let names: Vec<String> = clip.weights.iter().map(|(name, _)| name.to_owned()).collect();
    let expected: Vec<String> = expected_tensors(&clip.config).into_iter().map(|(name, _)| name).collect();
    assert_eq!((names.len(), names), (46, expected));
}

#[test]
fn a_torch_file_gives_the_same_values_also_where_it_is_transposed() {
    let folder = folder_with_config();
    std::fs::copy(fixture("micro_clip/pytorch_model.bin"), folder.path().join("pytorch_model.bin")).unwrap();
    let torch = load(folder.path()).unwrap();
    assert_eq!(torch.weights_files, ["pytorch_model.bin"]);
    assert_eq!(values(&torch.weights), values(&load(&fixture("micro_clip")).unwrap().weights));
}

#[test]
fn shards_prefixes_and_further_tensors_give_the_same_values() {
    let expected = values(&load(&fixture("micro_clip")).unwrap().weights);
    let mut prefixed: Tensors =
        micro_tensors().into_iter().map(|(name, tensor)| (format!("clip.{name}"), tensor)).collect();
    prefixed.insert("classifier.weight".to_owned(), StoredTensor::from_f32(vec![1], &[1.0]));
    assert_eq!(values(&load(folder_with(&prefixed).path()).unwrap().weights), expected);

    let sharded = sharded_folder(|_| {});
    let clip = load(sharded.path()).unwrap();
    assert_eq!(values(&clip.weights), expected);
    assert_eq!(clip.weights_files, ["part-1.safetensors", "part-2.safetensors"]);
}

/// micro_clip in two shards; `change` edits the index's weight map.
fn sharded_folder(change: impl FnOnce(&mut BTreeMap<String, String>)) -> TempDir {
    let folder = folder_with_config();
    let mut first = micro_tensors();
    let second = first.split_off("text_model.final");
    let mut map = BTreeMap::new();
    for (file, tensors) in [("part-1.safetensors", &first), ("part-2.safetensors", &second)] {
        write_safetensors(&folder.path().join(file), &BTreeMap::new(), tensors).unwrap();
        map.extend(tensors.keys().map(|name| (name.clone(), file.to_owned())));
    }
    change(&mut map);
    let index = serde_json::json!({ "metadata": {}, "weight_map": map }).to_string();
    std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    folder
}

#[test]
fn a_shard_index_that_lies_is_refused() {
    let wrong = sharded_folder(|map| _ = map.insert("logit_scale".into(), "part-2.safetensors".into()));
    assert_refused(wrong.path(), &["model.safetensors.index.json", "logit_scale", "part-2"]);
    let outside = sharded_folder(|map| _ = map.insert("logit_scale".into(), "../part-1.safetensors".into()));
    assert_refused(outside.path(), &["../part-1.safetensors", "plain file name"]);
    let absent = sharded_folder(|map| _ = map.insert("logit_scale".into(), "part-3.safetensors".into()));
    assert_refused(absent.path(), &["1 of its 3 shards", "part-3.safetensors", "download"]);
}

#[test]
fn values_that_are_not_finite_are_refused_with_tensor_and_count() {
    let mut tensors = micro_tensors();
    assert!(load(folder_with(&tensors).path()).is_ok());
    let mut values = [0.5; 16];
    (values[3], values[7]) = (f32::NAN, f32::INFINITY);
    tensors.insert("text_projection.weight".to_owned(), StoredTensor::from_f32(vec![4, 4], &values));
    let parts = ["model.safetensors", "text_projection.weight", "2 of its 16 values", "NaN at position 3"];
    assert_refused(folder_with(&tensors).path(), &parts);
}

#[test]
fn a_nested_folder_and_a_broken_link_are_named_with_the_cure() {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("clip");
    std::fs::create_dir(&inner).unwrap();
    std::fs::copy(fixture("micro_clip/config.json"), inner.join("config.json")).unwrap();
    let said = ClipFolder::open(outer.path()).unwrap_err().to_string();
    assert!(said.contains(&format!("--clip {}", inner.display())), "{said}");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("gone", inner.join("model.safetensors")).unwrap();
        assert_refused(&inner, &["model.safetensors", "link", "gone"]);
    }
}

#[test]
fn half_precision_is_widened_exactly() {
    let mut tensors = micro_tensors();
    for (tensor, dtype) in tensors.values_mut().zip([StoredDtype::F16, StoredDtype::Bf16].into_iter().cycle())
    {
        let halves = |value: f32| match dtype {
            StoredDtype::F16 => half::f16::from_f32(value).to_le_bytes(),
            _ => half::bf16::from_f32(value).to_le_bytes(),
        };
        tensor.bytes = tensor.to_f32().into_iter().flat_map(halves).collect();
        tensor.dtype = dtype;
    }
    let clip = load(folder_with(&tensors).path()).unwrap();
    for (name, tensor) in clip.weights.iter() {
        assert_eq!(flat(tensor), tensors[name].to_f32(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_snapshot_folder_of_links_loads() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::os::unix::fs::symlink(fixture("micro_clip").join(file), folder.path().join(file)).unwrap();
    }
    assert_eq!(load(folder.path()).unwrap().weights.iter().count(), 46);
}

#[test]
fn wrong_weights_are_refused_by_name() {
    let mut tensors = micro_tensors();
    tensors.insert("text_projection.weight".to_owned(), StoredTensor::from_f32(vec![2, 8], &[0.0; 16]));
    assert_refused(
        folder_with(&tensors).path(),
        &["model.safetensors", "text_projection.weight", "[2, 8]", "[4, 4]"],
    );
    tensors.remove("text_projection.weight");
    assert_refused(folder_with(&tensors).path(), &["text_projection.weight", "45 tensors"]);
    let openai =
        BTreeMap::from([("visual.conv1.weight".to_owned(), StoredTensor::from_f32(vec![1], &[0.0]))]);
    assert_refused(folder_with(&openai).path(), &["the names are OpenAI's", "open_clip_config.json"]);
    assert_refused(
        folder_with_config().path(),
        &["model.safetensors, model.safetensors.index.json, pytorch_model.bin"],
    );
}

#[test]
fn damaged_headers_are_refused_before_memory_is_asked_for() {
    let folder = folder_with_config();
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(fixture("micro_clip/model.safetensors")).unwrap();
    let claims = |length: u64| [&length.to_le_bytes(), &whole[8..]].concat();
    for (bytes, parts) in [
        (claims(2 << 30), vec!["2147483648", "header"]),
        (claims(u64::MAX), vec!["18446744073709551615"]),
        (claims(7), vec!["parse"]),
        (whole[..whole.len() - 1].to_vec(), vec!["7891 bytes", "7892"]),
        (whole[..5].to_vec(), vec!["5 bytes"]),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), vec!["git lfs pull"]),
        (b"<!doctype html>\n<title>Hugging Face".to_vec(), vec!["HTML page"]),
        (Vec::new(), vec!["empty"]),
        (vec![0; 4096], vec!["zero bytes"]),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_refused(folder.path(), &[&["model.safetensors"], parts.as_slice()].concat());
    }
}

#[test]
fn files_that_are_no_clip_say_what_they_are() {
    let scripted = fixture("torch/scripted.pt");
    let parts = ["scripted.pt", "visual.conv1.weight"];
    let message = ClipSource::open(&scripted).and_then(|source| source.load()).unwrap_err().to_string();
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    let folder = folder_with_config();
    std::fs::copy(&scripted, folder.path().join("scripted.pt")).unwrap();
    assert_refused(folder.path(), &["find weights", "model.safetensors"]);
    std::fs::copy(&scripted, folder.path().join("pytorch_model.bin")).unwrap();
    assert_refused(folder.path(), &["pytorch_model.bin", "not there"]);
    for name in ["micro_clip/config.json", "absent"] {
        assert_refused(&fixture(name), &["not a folder with a config.json", name, "save_pretrained"]);
    }
}

#[test]
fn an_exported_model_comes_back_equal_and_its_files_repeat() {
    let mut clip = load(&fixture("tiny_clip")).unwrap();
    let vocabulary = train_bpe(["a photo of a cat", "a photo of a dog"], 520).unwrap();
    clip.config.vocab_size = vocabulary.ids().len();
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let embedding = "text_model.embeddings.token_embedding.weight";
    let grown = clip.weights.iter().map(|(name, tensor)| {
        let rows = clip.config.vocab_size;
        let tensor = if name == embedding {
            Tensor::ones((rows, 48), tensor.dtype(), tensor.device()).unwrap()
        } else {
            tensor.clone()
        };
        (name.to_owned(), tensor)
    });
    let weights = Weights::new("grown", grown.collect());
    for to in [&first, &second] {
        export_folder(to, &clip.config, &weights, &vocabulary).unwrap();
    }
    let back = load(&first).unwrap();
    assert_eq!((&back.config, values(&back.weights)), (&clip.config, values(&weights)));
    assert_eq!(back.tokenizer().unwrap().vocabulary(), &vocabulary);
    let mut files: Vec<_> = std::fs::read_dir(&first)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "config.json",
            "merges.txt",
            "model.safetensors",
            "preprocessor_config.json",
            "special_tokens_map.json",
            "tokenizer_config.json",
            "vocab.json"
        ]
    );
    for file in files {
        assert_eq!(
            std::fs::read(first.join(&file)).unwrap(),
            std::fs::read(second.join(&file)).unwrap(),
            "{file}"
        );
    }
}

#[test]
fn a_vocabulary_larger_than_the_model_is_refused() {
    let folder = folder_with(&micro_tensors());
    let vocabulary = train_bpe(["a"], 514).unwrap();
    std::fs::write(folder.path().join("vocab.json"), vocabulary.vocab_json()).unwrap();
    std::fs::write(folder.path().join("merges.txt"), vocabulary.merges_txt()).unwrap();
    assert_refused(folder.path(), &["513", "vocab_size = 16"]);
}

/// Overwrites a few bytes and cuts or lengthens the end.
fn damage(whole: &[u8], edits: &[(usize, u8)], cut: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for (at, byte) in edits {
        let at = at % bytes.len();
        bytes[at] = *byte;
    }
    bytes.truncate(whole.len() - cut % whole.len());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_weight_files_never_panic_and_errors_name_the_file(
        torch in any::<bool>(),
        edits in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        cut in prop_oneof![3 => Just(0usize), 1 => any::<usize>()],
    ) {
        let name = if torch { "pytorch_model.bin" } else { "model.safetensors" };
        let whole = std::fs::read(fixture("micro_clip").join(name)).unwrap();
        let folder = folder_with_config();
        std::fs::write(folder.path().join(name), damage(&whole, &edits, cut)).unwrap();
        if let Err(error) = load(folder.path()) {
            prop_assert!(error.to_string().contains(name), "{error}");
        }
    }
}
