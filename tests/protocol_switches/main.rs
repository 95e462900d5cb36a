//! Both settings of every protocol switch, each through what it changes.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod chosen;
mod sampled;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rpo_bench::backbone::Clip;
use rpo_bench::data::{ImageSource, Item, PixelError};
use rpo_bench::method::{ClassTexts, Named, Needs, Parameters};
use rpo_bench::preprocess::{CROP_SCALE, Rgb8};
use rpo_bench::suite::{Plan, Resolved, SuiteFile, load_pocket};
use rpo_bench::train::{Pick, TrainingSet, Views, frozen_pass};
use rpo_bench::util::rng::Stream;

/// Base2new with every method there is.
fn everything() -> SuiteFile {
    let methods = rpo_bench::method::ids().map(str::to_owned).collect();
    SuiteFile { methods, ..SuiteFile::find("base2new").unwrap() }
}

/// Its plan with `key=value` typed.
fn plan(assignments: &[&str]) -> Plan {
    let typed: Vec<_> =
        assignments.iter().map(|text| rpo_bench::suite::Settings::parse_assignment(text).unwrap()).collect();
    Plan::new(everything(), &typed, None).unwrap()
}

fn method<'a>(plan: &'a Plan, id: &str) -> &'a Resolved {
    plan.methods.iter().find(|method| method.id == id).unwrap()
}

fn prompt(plan: &Plan, id: &str) -> String {
    prompt_of(plan, id, "dtd", "{} texture.")
}

fn prompt_of(plan: &Plan, id: &str, dataset: &str, template: &str) -> String {
    method(plan, id).style.prompt("golden_retriever", (dataset, template))
}

/// The records of a method's cells in the smoke suite on one dataset.
fn ran(id: &str, settings: &[&str]) -> Vec<serde_json::Value> {
    let out = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
    command.args(["suite", "smoke", "--datasets", "dtd", "--methods", id]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let status = command.arg("--out").arg(out.path()).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let files = std::fs::read_dir(out.path().join("runs/smoke-pocket/records")).unwrap();
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        serde_json::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap()
    };
    files.map(read).collect()
}

/// The pocket CLIP and the token ids of three classes.
fn pocket() -> (Arc<Clip>, Vec<Vec<u32>>) {
    let loaded = load_pocket().unwrap();
    let tokenizer = loaded.tokenizer.as_ref().unwrap();
    let prompts = ["a photo of a red cup.", "a photo of a dog.", "a photo of a small blue house."]
        .map(|text| tokenizer.encode(text).unwrap());
    (Arc::new(Clip::new(loaded.config.clone(), &loaded.weights).unwrap()), prompts.to_vec())
}

fn stream() -> Stream {
    Stream::new(&["protocol_switches"])
}

fn pixels(clip: &Clip) -> Tensor {
    let side = clip.config.image_size;
    let mut stream = stream();
    let values: Vec<f32> = (0..2 * 3 * side * side).map(|_| stream.normal() as f32).collect();
    Tensor::from_vec(values, (2, 3, side, side), &Device::Cpu).unwrap()
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    tensor.to_dtype(DType::F32).unwrap().to_vec2().unwrap()
}

fn length(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

/// Lengths of the visual prompts' distances from the CLS embedding.
fn noise_lengths(plan: &Plan, clip: &Clip, prompts: &[Vec<u32>]) -> Vec<f64> {
    let parameters =
        method(plan, "rpo").method.init(clip, &ClassTexts::of(prompts), None, &mut stream()).unwrap();
    let cls: Vec<f32> = clip.vision.transformer().unwrap().class_embedding().to_vec1().unwrap();
    let prompts = parameters.values().unwrap();
    let visual = rows(prompts.get("visual_prompt", &[0, cls.len()]).unwrap());
    visual.iter().map(|row| length(row.iter().zip(&cls).map(|(a, b)| a - b))).collect()
}

fn logits(resolved: &Resolved, clip: &Arc<Clip>, prompts: &[Vec<u32>], values: &Named) -> Vec<Vec<f32>> {
    let images = frozen_pass(clip, pixels(clip), resolved.method.needs()).unwrap();
    let head = resolved.method.bind(clip, &ClassTexts::of(prompts)).unwrap();
    rows(&head.classifier(values).unwrap().logits(&images).unwrap())
}

#[test]
fn raw_class_names_keep_their_underscores() {
    for id in ["rpo", "linear_probe", "task_res", "zs_lp", "clap"] {
        let raw = plan(&[&format!("{id}.raw_class_names=true")]);
        assert!(prompt(&raw, id).contains("golden_retriever"));
        assert!(prompt(&plan(&[]), id).contains("golden retriever"));
        assert!(prompt(&raw, "coop").contains("golden retriever"), "CoOp's code never keeps them");
    }
}

#[test]
fn the_probe_has_its_own_sentence() {
    assert_eq!(prompt(&plan(&["protocol=published"]), "linear_probe"), "A photo of a golden_retriever");
    assert_eq!(prompt(&plan(&[]), "linear_probe"), "a photo of a golden retriever.");
}

/// At its initial values the layer is the identity: without normalisation logits are zero-shot logits
/// times the length of the image feature, with it they are zero-shot logits.
#[test]
fn the_probe_normalises_when_told() {
    let (clip, prompts) = pocket();
    let with = plan(&["lp.normalise=true"]);
    let zero = method(&with, "zero_shot");
    let nothing = Parameters::new(vec![]).unwrap().values().unwrap();
    let expected = logits(zero, &clip, &prompts, &nothing);
    let features = rows(frozen_pass(&clip, pixels(&clip), Needs::POOLED).unwrap().pooled().unwrap());
    let lengths: Vec<f64> = features.iter().map(|row| length(row.iter().copied())).collect();
    for (plan, scaled) in [(&with, false), (&plan(&[]), true)] {
        let probe = method(plan, "linear_probe");
        let initial = probe
            .method
            .init(&clip, &ClassTexts::of(&prompts), None, &mut stream())
            .unwrap()
            .values()
            .unwrap();
        let found = logits(probe, &clip, &prompts, &initial);
        for ((found, expected), length) in found.iter().zip(&expected).zip(&lengths) {
            assert!((length - 1.0).abs() > 0.1, "a feature of unit length shows nothing");
            for (found, expected) in found.iter().zip(expected) {
                let expected = f64::from(*expected) * if scaled { *length } else { 1.0 };
                assert!((f64::from(*found) - expected).abs() < 1e-3 * expected.abs().max(1.0));
            }
        }
    }
}

#[test]
fn the_probe_trains_as_told() {
    let recipe = |plan: &Plan| {
        let recipe = method(plan, "linear_probe").recipe.clone().unwrap();
        (recipe.batch_size, recipe.learning_rate, recipe.epochs)
    };
    // The published configuration file, in spite of its name.
    assert_eq!(recipe(&plan(&[])), (32, 5e-4, 30));
    assert_eq!(recipe(&plan(&["protocol=published"])), (32, 5e-4, 30));
    let other = plan(&["lp.batch_size=1", "lp.learning_rate=0.002", "lp.epochs=10"]);
    assert_eq!(recipe(&other), (1, 2e-3, 10));
}

#[test]
fn noise_has_unit_length_or_unit_variance() {
    let (clip, prompts) = pocket();
    for length in noise_lengths(&plan(&[]), &clip, &prompts) {
        assert!((length - 0.1).abs() < 1e-5, "{length}");
    }
    // 24 prompts of width d: the mean square of the noise is 0.01·d to a few percent.
    let gaussian = noise_lengths(&plan(&["rpo.st_noise=gaussian"]), &clip, &prompts);
    let width = clip.config.vision.width as f64;
    let variance = gaussian.iter().map(|x| x * x).sum::<f64>() / (gaussian.len() as f64 * width);
    assert!((variance / 0.01 - 1.0).abs() < 0.15, "{variance}");
}

#[test]
fn random_prompts_ignore_the_special_tokens() {
    let (clip, prompts) = pocket();
    let random = plan(&["rpo.initialisation=random"]);
    let parameters =
        method(&random, "rpo").method.init(&clip, &ClassTexts::of(&prompts), None, &mut stream()).unwrap();
    let values = parameters.values().unwrap();
    for name in ["text_prompt", "visual_prompt"] {
        let numbers: Vec<f32> = rows(values.get(name, &[0, 0]).unwrap()).concat();
        let n = numbers.len() as f64;
        let mean = numbers.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let std = length(numbers.iter().copied()) / n.sqrt();
        assert!(mean.abs() < 4.0 * 0.02 / n.sqrt() && (std / 0.02 - 1.0).abs() < 0.1, "{name}: {mean} {std}");
    }
}

/// Logits are a sum over pairs of prompts that do not see each other; so under the mask changing one
/// visual prompt leaves the others' part alone, and without it nothing is left alone.
#[test]
fn without_the_mask_prompts_are_ordinary_tokens() {
    let (clip, prompts) = pocket();
    for (assignment, additive) in [("rpo.mask=true", true), ("rpo.mask=false", false)] {
        let plan = plan(&[assignment, "rpo.k=2"]);
        let rpo = method(&plan, "rpo");
        let values =
            rpo.method.init(&clip, &ClassTexts::of(&prompts), None, &mut stream()).unwrap().values().unwrap();
        let [text, visual] = ["text_prompt", "visual_prompt"].map(|name| values.get(name, &[0, 0]).unwrap());
        let with = |visual: Tensor| {
            let named = [("text_prompt".to_owned(), text.clone()), ("visual_prompt".to_owned(), visual)];
            logits(rpo, &clip, &prompts, &Named::new(named))
        };
        let [first, second] = [0, 1].map(|row| visual.narrow(0, row, 1).unwrap());
        // A new direction: a new length would be undone by the tower's first LayerNorm.
        let changed = |tensor: &Tensor| {
            let mut stream = stream();
            let noise: Vec<f32> = (0..tensor.elem_count()).map(|_| stream.normal() as f32).collect();
            (tensor + Tensor::from_vec(noise, tensor.shape(), &Device::Cpu).unwrap()).unwrap()
        };
        let cat = |a: &Tensor, b: &Tensor| with(Tensor::cat(&[a, b], 0).unwrap());
        let (both, one, other, none) = (
            cat(&first, &second),
            cat(&changed(&first), &second),
            cat(&first, &changed(&second)),
            cat(&changed(&first), &changed(&second)),
        );
        let gap =
            (0..3).map(|c| (one[0][c] + other[0][c] - both[0][c] - none[0][c]).abs()).fold(0.0, f32::max);
        assert_eq!(gap < 1e-3, additive, "{assignment}: {gap}");
        assert!((one[0][0] - both[0][0]).abs() > 1e-3, "the change must show");
    }
}

/// Grey ramps: every crop of one is another picture.
struct Ramps;

impl ImageSource for Ramps {
    fn image(&self, _: &Item) -> Result<Rgb8, PixelError> {
        let bytes = (0..64 * 64u32).flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 4) as u8, 0]).collect();
        Ok(Rgb8::new(64, 64, bytes).unwrap())
    }
}

fn view(owner: &str, views: Views, epoch: usize) -> Vec<f32> {
    view_of(owner, views, epoch, CROP_SCALE)
}

fn view_of(owner: &str, views: Views, epoch: usize, crop_scale: f64) -> Vec<f32> {
    let item = Item { path: "a.png".into(), label: 0 };
    let items = vec![(&item, 0)];
    let set = TrainingSet { dataset: "dtd", seed: 1, owner, items, source: &Ramps, views, crop_scale };
    let pixels = set.pixels(&[Pick { index: 0, view: epoch }], 16, &Device::Cpu).unwrap();
    pixels.flatten_all().unwrap().to_vec1().unwrap()
}

/// The stream is named by its owner; a run tells methods apart only when told to.
#[test]
fn views_are_shared_unless_told() {
    assert_eq!(view("", Views::Fresh, 3), view("", Views::Fresh, 3));
    assert_ne!(view("coop", Views::Fresh, 3), view("rpo", Views::Fresh, 3));
    let losses = |setting: &str| {
        let record = &ran("coop", &[setting])[0];
        (record["switches"]["views"].clone(), record["training"]["epochs"].clone())
    };
    let (shared, own) = (losses("views=shared"), losses("views=per_method"));
    assert_eq!((shared.0.as_str(), own.0.as_str()), (Some("shared"), Some("per_method")));
    assert!(shared.1.is_array() && shared.1 != own.1, "{shared:?} {own:?}");
}

#[test]
fn a_bank_repeats_its_views() {
    assert_eq!(view("", Views::Bank(4), 1), view("", Views::Bank(4), 5));
    assert_ne!(view("", Views::Fresh, 1), view("", Views::Fresh, 5));
}

#[test]
fn outer_layer_norms_train_when_told() {
    let (clip, prompts) = pocket();
    let names = |setting: &[&str]| -> Vec<String> {
        let plan = plan(setting);
        let texts = ClassTexts::of(&prompts);
        let shapes = method(&plan, "ln_only").method.shapes(&clip, &texts).unwrap();
        shapes.into_iter().map(|shape| shape.name).collect()
    };
    let outer = |names: &[String]| names.iter().filter(|name| !name.contains("encoder.layers")).count();
    assert_eq!((outer(&names(&[])), outer(&names(&["ln_only.outer=true"]))), (0, 6));
}
