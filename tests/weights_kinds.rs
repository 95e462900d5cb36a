//! Every kind of model file people have, against `fixtures/weights`: random models written by torch and transformers,
//! with what the authors' own code computes from them. `make_hf_cache.sh` builds a hub cache out of `hf/`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use candle_core::{Device, Tensor};
use rpo_bench::backbone::files::safetensors_file::SafetensorsFile;
use rpo_bench::backbone::files::safetensors_write::write_safetensors;
use rpo_bench::backbone::files::tensor_file::TensorFile;
use rpo_bench::backbone::{Activation, Clip, ClipSource, LoadedClip, TextLayout};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn weights(name: &str) -> PathBuf {
    fixture("weights").join(name)
}

fn tensors(path: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

fn load(path: &Path) -> LoadedClip {
    ClipSource::open(path).unwrap().load().unwrap()
}

fn refusal(path: &Path) -> String {
    ClipSource::open(path).and_then(|source| source.load()).unwrap_err().to_string()
}

#[track_caller]
fn assert_close(what: &str, found: &Tensor, expected: &Tensor) {
    let scale = expected.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap().max(1.0);
    let distance = (found - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(distance <= 1e-5 * scale, "{what}: {distance:e} at scale {scale}");
}

fn text_features(clip: &Clip, token_ids: &Tensor) -> Tensor {
    let rows: Vec<Vec<u32>> = token_ids.to_dtype(candle_core::DType::U32).unwrap().to_vec2().unwrap();
    let eos = clip.config.vocab_size as u32 - 1;
    let rows: Vec<Vec<u32>> = rows
        .into_iter()
        .map(|row| {
            let end = row.iter().position(|id| *id == eos).unwrap();
            row[..=end].to_vec()
        })
        .collect();
    let layout = TextLayout::shared(&rows, clip.config.context_length).unwrap();
    clip.text.encode(&layout).unwrap().features
}

/// Features of images and texts against what the authors' code gives.
fn agrees(path: &Path, expected: &Path) -> LoadedClip {
    let model = load(path);
    let clip = Clip::new(model.config.clone(), &model.weights).unwrap();
    let mut expected = tensors(expected);
    if let Some(shared) =
        path.parent().map(|family| family.join("expected.safetensors")).filter(|file| file.exists())
    {
        // The texts of a family are the same for all its models.
        expected.entry("token_ids".to_owned()).or_insert_with(|| tensors(&shared)["token_ids"].clone());
    }
    let inputs = tensors(&fixture("tiny_clip/inputs.safetensors"));
    let images = expected.remove("images").unwrap_or_else(|| inputs["images"].clone());
    let features = clip.vision.encode(&images, false).unwrap().features;
    assert_close(&format!("{}: images", path.display()), &features, &expected["image_features"]);
    let texts = text_features(&clip, &expected["token_ids"]);
    assert_close(&format!("{}: texts", path.display()), &texts, &expected["text_features"]);
    model
}

#[test]
fn openai_s_files_of_every_format_open_and_agree() {
    for name in ["openai_jit_vit", "openai_state_dict", "openai_state_dict_f32", "legacy_state_dict"] {
        let model = agrees(&weights(&format!("openai/{name}.pt")), &weights("openai/expected.safetensors"));
        assert_eq!((model.name.as_str(), model.kind.id()), (name, "openai"));
        assert!(model.assumed.unwrap().contains("quick_gelu"));
        let config = &model.config;
        assert_eq!(
            (config.vision.width, config.vision.layers, config.image_size, config.patch_size),
            (64, 2, 32, 8)
        );
        assert_eq!(
            (config.text.width, config.context_length, config.vocab_size, config.projection_dim),
            (64, 16, 64, 32)
        );
        assert!(model.tokenizer.is_none());
    }
}

#[test]
fn a_folder_of_one_archive_opens_under_a_new_name_and_of_several_is_refused() {
    let message = refusal(&weights("openai"));
    for part in ["several models", "openai_jit_vit.pt", "legacy_state_dict.pt"] {
        assert!(message.contains(part), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(weights("openai/openai_jit_vit.pt"), folder.path().join("renamed.pt")).unwrap();
    let model = agrees(folder.path(), &weights("openai/expected.safetensors"));
    assert_eq!(model.name, "renamed");
}

#[test]
fn resnets_open_from_both_formats_and_agree() {
    for name in ["openai_jit_rn.pt", "openai_state_dict_rn.pt"] {
        let model = agrees(&weights("resnet").join(name), &weights("resnet/expected.safetensors"));
        let resnet = model.config.resnet.unwrap();
        assert_eq!((resnet.width, resnet.layers, model.config.image_size), (4, [2, 1, 1, 2], 64));
    }
}

/// The tolerance must notice a wrong activation: quick-GELU for GELU is off by 0.02.
#[test]
fn open_clip_exports_take_the_activation_their_configuration_says() {
    let gelu = weights("open_clip/gelu/expected.safetensors");
    let model = agrees(&weights("open_clip/gelu"), &gelu);
    assert_eq!((model.kind.id(), model.config.vision.activation), ("open_clip", Activation::Gelu));
    agrees(&weights("open_clip/training_checkpoint"), &gelu);

    let mut config = model.config.clone();
    config.vision.activation = Activation::QuickGelu;
    let wrong = Clip::new(config, &model.weights).unwrap();
    let images = tensors(&fixture("tiny_clip/inputs.safetensors"))["images"].clone();
    let features = wrong.vision.encode(&images, false).unwrap().features;
    let distance = (features - &tensors(&gelu)["image_features"]).unwrap().abs().unwrap().max_all().unwrap();
    assert!(distance.to_scalar::<f32>().unwrap() > 1e-3);

    let model = load(&weights("open_clip/quickgelu"));
    assert_eq!(model.config.text.activation, Activation::QuickGelu);
    let clip = Clip::new(model.config, &model.weights).unwrap();
    let expected = tensors(&fixture("tiny_clip/expected.safetensors"));
    let features = clip.vision.encode(&images, false).unwrap().features;
    assert_close("quickgelu", &features, &expected["frozen.image_features"]);
}

#[test]
fn open_clip_configurations_that_mean_something_else_are_refused_by_field() {
    for (name, field) in [
        ("attentional_pool", "vision_cfg.attentional_pool"),
        ("hf_text", "text_cfg.hf_model_name"),
        ("layer_scale", "vision_cfg.ls_init_value"),
        ("logit_bias", "model_cfg.init_logit_bias"),
        ("no_causal_mask", "text_cfg.no_causal_mask"),
        ("other_mean", "preprocess_cfg.mean"),
        ("pool_last", "text_cfg.pool_type"),
        ("squash", "preprocess_cfg.resize_mode"),
        ("tanh_gelu", "text_cfg.act_kwargs"),
        ("timm_vision", "vision_cfg.timm_model_name"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let put = |from: &str, to: &str| std::fs::copy(weights(from), folder.path().join(to)).unwrap();
        put("open_clip/gelu/open_clip_pytorch_model.bin", "open_clip_pytorch_model.bin");
        put(&format!("open_clip/refused/{name}.json"), "open_clip_config.json");
        let message = refusal(folder.path());
        assert!(message.contains(field) && message.contains("open_clip_config.json"), "{message}");
    }
    assert_eq!(std::fs::read_dir(weights("open_clip/refused")).unwrap().count(), 10);
}

#[test]
fn a_file_that_does_not_say_how_many_heads_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("alone.bin");
    std::fs::copy(weights("open_clip/gelu/open_clip_pytorch_model.bin"), &alone).unwrap();
    assert!(refusal(&alone).contains("how many heads"), "{}", refusal(&alone));
}

#[test]
fn huggingface_s_configuration_goes_before_open_clip_s() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(weights("hf/tokenizer_json").join(name), folder.path().join(name)).unwrap();
    }
    std::fs::copy(weights("open_clip/refused/squash.json"), folder.path().join("open_clip_config.json"))
        .unwrap();
    assert_eq!(load(folder.path()).kind.id(), "huggingface");
}

#[test]
fn huggingface_folders_of_every_kind_agree_and_tokenise() {
    let texts: Vec<String> =
        serde_json::from_str(&std::fs::read_to_string(weights("hf/texts.json")).unwrap()).unwrap();
    for name in ["tokenizer_json", "sharded", "clip_prefix", "logit_scale_1", "bf16"] {
        let own = weights("hf").join(name).join("expected.safetensors");
        let expected = if own.exists() { own } else { weights("hf/expected.safetensors") };
        let model = agrees(&weights("hf").join(name), &expected);
        let rows: Vec<Vec<u32>> = tensors(&weights("hf/expected.safetensors"))["token_ids"]
            .to_dtype(candle_core::DType::U32)
            .unwrap()
            .to_vec2()
            .unwrap();
        for (text, row) in texts.iter().zip(rows) {
            let ids = model.tokenizer().unwrap().encode(text).unwrap();
            assert_eq!(ids, row[..ids.len()], "{text}");
            assert_eq!(row.get(ids.len()).copied().unwrap_or(0), 0);
        }
    }
    for (name, half) in [("vision_only", "vision"), ("text_only", "text")] {
        let message = refusal(&weights("hf").join(name));
        assert!(message.contains(&format!("only the {half} half of a CLIP")), "{message}");
    }
}

/// A machine with a hub cache and nothing else.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let made = Command::new("bash").arg(weights("make_hf_cache.sh")).arg(home.path()).status().unwrap();
        assert!(made.success());
        Self(home)
    }

    fn hub(&self) -> PathBuf {
        self.0.path().join("hub")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
        command
            .env_clear()
            .env("HOME", self.0.path())
            .env("HF_HOME", self.0.path())
            .current_dir(self.0.path());
        command
    }

    fn info(&self, model: &Path) -> Result<Value, String> {
        let output = self.command().args(["model", "info", "--json"]).arg(model).output().unwrap();
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
            false => Err(String::from_utf8(output.stderr).unwrap()),
        }
    }
}

fn sha256(path: &str) -> String {
    load(&weights(path)).weights_sha256
}

#[test]
fn names_of_the_hub_cache_open_the_revision_they_mean() {
    let home = Home::new();
    let main = std::fs::read_to_string(home.hub().join("models--openai--tiny/refs/main")).unwrap();
    let tiny = Path::new("openai/tiny");
    let repo = home.hub().join("models--openai--tiny");
    for given in [tiny.to_owned(), repo.clone(), repo.join("snapshots").join(&main)] {
        let info = home.info(&given).unwrap();
        assert_eq!(
            (info["name"].as_str(), info["revision"].as_str()),
            (Some("openai/tiny"), Some(main.as_str()))
        );
        assert_eq!(info["weights_sha256"], sha256("hf/tokenizer_json"));
    }
    for given in ["openai/tiny@v2".to_owned(), format!("openai/tiny@{}", &main[..8])] {
        let expected = if given.ends_with("v2") { "hf/bf16" } else { "hf/tokenizer_json" };
        assert_eq!(home.info(Path::new(&given)).unwrap()["weights_sha256"], sha256(expected), "{given}");
    }
    assert_eq!(home.info(Path::new("openai/pinned")).unwrap()["name"], "openai/pinned");
}

#[test]
fn caches_that_are_not_whole_say_what_is_wrong() {
    let home = Home::new();
    let snapshot = |model: &str| {
        let folder = home.hub().join(format!("models--openai--{model}/snapshots"));
        std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
    };
    let revisions: Vec<String> = std::fs::read_dir(home.hub().join("models--openai--unreferenced/snapshots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for (given, parts) in [
        ("openai/unreferenced".into(), vec!["2 revisions", revisions[0].as_str(), revisions[1].as_str()]),
        (
            "openai/interrupted".into(),
            vec!["did not finish", ".incomplete", "model.safetensors", "model fetch"],
        ),
        (snapshot("interrupted"), vec!["did not finish"]),
        ("openai/dangling".into(), vec!["model.safetensors", "blob that is gone"]),
        (snapshot("dangling"), vec!["blob that is gone"]),
        ("openai/empty".into(), vec!["not in its snapshots"]),
        ("openai/tiny@v3".into(), vec!["v3", "v2"]),
        (
            "openai/absent".into(),
            vec!["not on this machine", "models--openai--absent", "model fetch openai/absent"],
        ),
        ("ViT-B/16".into(), vec![".cache/clip/ViT-B-16.pt", "models--openai--clip-vit-base-patch16"]),
        ("no-such-thing".into(), vec!["no such file or folder"]),
    ] {
        let given: PathBuf = given;
        let message = home.info(&given).unwrap_err();
        assert!(parts.iter().all(|part| message.contains(part)), "{}: {message}", given.display());
    }
}

#[test]
fn openai_s_names_find_its_download_folder_and_the_hub() {
    let home = Home::new();
    let downloads = home.0.path().join(".cache/clip");
    std::fs::create_dir_all(&downloads).unwrap();
    std::fs::copy(weights("openai/openai_jit_vit.pt"), downloads.join("ViT-L-14-336px.pt")).unwrap();
    std::fs::rename(
        home.hub().join("models--openai--tiny"),
        home.hub().join("models--openai--clip-vit-base-patch32"),
    )
    .unwrap();
    assert_eq!(home.info(Path::new("ViT-L/14@336px")).unwrap()["name"], "ViT-L-14-336px");
    assert_eq!(home.info(Path::new("ViT-B/32")).unwrap()["name"], "openai/clip-vit-base-patch32");
    let listed = home.command().args(["list", "models"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for part in ["ViT-L/14@336px   on this", "openai/pinned   on this", "openai/dangling   not usable"] {
        assert!(listed.contains(part), "{listed}");
    }
}

#[test]
fn pictures_are_read_and_texts_refused_without_a_tokenizer() {
    let home = Home::new();
    for (model, image, expected) in [
        ("openai/openai_jit_vit.pt", "image32.png", "openai/expected.safetensors"),
        ("resnet/openai_jit_rn.pt", "image64.png", "resnet/expected.safetensors"),
        ("hf/sharded", "image32.png", "hf/expected.safetensors"),
    ] {
        let features = |extra: &[&str]| {
            let mut command = home.command();
            command.args(["model", "features", "--json", "--clip"]).arg(weights(model));
            command.arg("--image").arg(weights(image)).args(extra).output().unwrap()
        };
        let document: Value = serde_json::from_slice(&features(&[]).stdout).unwrap();
        let found: Vec<Vec<f32>> = serde_json::from_value(document["image_features"].clone()).unwrap();
        let expected = tensors(&weights(expected))["png.image_features"].clone();
        let found = Tensor::new(found, &Device::Cpu).unwrap().reshape(expected.dims()).unwrap();
        assert_close(model, &found, &expected);
        if !model.starts_with("hf") {
            let refused = features(&["--text", "a photo of a cat."]);
            assert_eq!(refused.status.code(), Some(3));
            assert!(String::from_utf8_lossy(&refused.stderr).contains("neither vocab.json"));
        }
    }
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let whole = weights("open_clip/quickgelu");
    let mut file = SafetensorsFile::open(&whole.join("open_clip_model.safetensors")).unwrap();
    let names = file.names();
    let mut tensors: BTreeMap<_, _> =
        names.into_iter().map(|name| (name.clone(), file.read(&name).unwrap())).collect();
    tensors.get_mut("ln_final.weight").unwrap().bytes[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    write_safetensors(&folder.path().join("open_clip_model.safetensors"), &BTreeMap::new(), &tensors)
        .unwrap();
    std::fs::copy(whole.join("open_clip_config.json"), folder.path().join("open_clip_config.json")).unwrap();
    let message = refusal(folder.path());
    assert!(message.contains("ln_final.weight") && message.contains("NaN"), "{message}");
}
