//! The same key means the same numbers: one field of one file of a model folder is changed at a time, and either the key
//! changes, or the folder is refused, or every number is bit for bit what it was.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use candle_core::{Device, Tensor};
use rpo_bench::backbone::{TextLayout, export_folder};
use rpo_bench::method::Needs;
use rpo_bench::suite::{Plan, SuiteFile, World, load_pocket, pocket_vocabulary};
use rpo_bench::train::{frozen_pass, test_pixels};
use serde_json::Value;

/// Keys of all cells of a small plan, and the bits of features of images and of class prompts.
#[derive(PartialEq)]
struct Seen {
    keys: Vec<String>,
    bits: Vec<u32>,
}

/// What a folder gives; `None` where it is refused.
fn see(folder: &Path) -> Option<Seen> {
    let world = World::open(None, Some(folder), &Device::Cpu).ok()?;
    let mut suite = SuiteFile::find("smoke").unwrap();
    suite.methods = vec!["zero_shot".to_owned(), "rpo".to_owned()];
    let plan = Plan::new(suite, &[], None).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    let cells = plan.cells(&world, &dataset, &[]).ok()?;
    let items = [(&dataset.split.test[0], 0)];
    let clip = &world.clip;
    let pixels = test_pixels(dataset.source.as_ref(), &items, clip.config.image_size, clip.device()).unwrap();
    let images = frozen_pass(clip, pixels, Needs::POOLED).unwrap().pooled().unwrap().clone();
    let prompts =
        ["a photo of a red cup.", "a photo of some forest."].map(|text| world.tokenizer.encode(text));
    let prompts = prompts.into_iter().collect::<Result<Vec<_>, _>>().ok()?;
    let layout = TextLayout::shared(&prompts, clip.config.context_length).unwrap();
    let texts = clip.text.encode(&layout).unwrap().features;
    let bits = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let all = [bits(&images), bits(&texts), bits(&clip.logit_scale().flatten_all().unwrap())].concat();
    let keys = cells.into_iter().map(|cell| cell.key).collect();
    Some(Seen { keys, bits: all.into_iter().map(f32::to_bits).collect() })
}

/// The pocket model as files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = load_pocket().unwrap();
    export_folder(folder.path(), &model.config, &model.weights, &pocket_vocabulary().unwrap()).unwrap();
    folder
}

/// Every place of a document that holds no further places.
fn leaves(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, &format!("{at}/{key}"), out)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), out));
        }
        _ => out.push(at.to_owned()),
    }
}

/// Other values that a field may have.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(n) if n.is_f64() => vec![(n.as_f64().unwrap() * 1.5).into()],
        Value::Number(n) => {
            let n = n.as_u64().unwrap_or(1);
            vec![(n * 2).into(), (n / 2).into(), (n + 1).into()]
        }
        Value::Bool(yes) => vec![(!yes).into()],
        Value::String(word) if word == "quick_gelu" => vec!["gelu".into()],
        _ => vec!["another".into()],
    }
}

/// What became of the changes made to one file.
#[derive(Debug, Default, PartialEq)]
struct Fate {
    other_key: usize,
    refused: usize,
    same_numbers: usize,
}

impl Fate {
    fn count(&mut self, before: &Seen, folder: &Path, what: &str) {
        match see(folder) {
            None => self.refused += 1,
            Some(after) if after.keys.iter().zip(&before.keys).all(|(a, b)| a != b) => self.other_key += 1,
            Some(after) => {
                assert!(after.keys == before.keys, "{what}: some keys changed and others did not");
                assert!(after.bits == before.bits, "{what}: other numbers under the same key");
                self.same_numbers += 1;
            }
        }
    }
}

/// Changes every field of a JSON file of the folder in turn.
fn change_fields(folder: &Path, before: &Seen, name: &str) -> Fate {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let (mut places, mut fate) = (Vec::new(), Fate::default());
    leaves(&document, "", &mut places);
    for place in places {
        for other in others(document.pointer(&place).unwrap()) {
            let mut changed = document.clone();
            *changed.pointer_mut(&place).unwrap() = other.clone();
            std::fs::write(folder.join(name), changed.to_string()).unwrap();
            fate.count(before, folder, &format!("{name} {place} = {other}"));
        }
    }
    std::fs::write(folder.join(name), text).unwrap();
    fate
}

#[test]
fn every_field_of_a_configuration_counts_or_changes_nothing() {
    let folder = folder();
    let before = see(folder.path()).unwrap();
    assert!(before == see(folder.path()).unwrap());
    let fate = change_fields(folder.path(), &before, "config.json");
    // Activations, two epsilons, context length and the like are loadable; sizes that the weights contradict are not.
    assert!(fate.other_key >= 4 && fate.refused >= 10 && fate.same_numbers >= 5, "{fate:?}");
    let fate = change_fields(folder.path(), &before, "preprocessor_config.json");
    assert!(fate.same_numbers > 0 && fate.other_key == 0, "this file is not read: {fate:?}");
}

/// The negative control: an activation and an epsilon do change numbers, and so must change keys.
#[test]
fn an_activation_and_an_epsilon_change_numbers_and_keys() {
    let folder = folder();
    let before = see(folder.path()).unwrap();
    let path = folder.path().join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    for section in ["text_config", "vision_config"] {
        for (field, other) in [("hidden_act", Value::from("gelu")), ("layer_norm_eps", Value::from(1e-3))] {
            let mut changed = document.clone();
            assert_ne!(changed[section][field], other, "{section}.{field}");
            changed[section][field] = other;
            std::fs::write(&path, changed.to_string()).unwrap();
            let after = see(folder.path()).unwrap();
            assert!(after.bits != before.bits, "{section}.{field}");
            assert!(after.keys.iter().all(|key| !before.keys.contains(key)), "{section}.{field}");
        }
    }
}

#[test]
fn vocabulary_merges_and_weights_count() {
    let folder = folder();
    let before = see(folder.path()).unwrap();
    let path = |name: &str| folder.path().join(name);
    let swapped = |text: &str, a: usize, b: usize| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(a, b);
        lines.join("\n")
    };
    let merges = std::fs::read_to_string(path("merges.txt")).unwrap();
    let vocabulary = std::fs::read_to_string(path("vocab.json")).unwrap();
    let mut ids: std::collections::BTreeMap<String, u32> = serde_json::from_str(&vocabulary).unwrap();
    let (photo, of) = (ids["photo</w>"], ids["of</w>"]);
    ids.insert("photo</w>".to_owned(), of);
    ids.insert("of</w>".to_owned(), photo);
    let last = merges.lines().count() - 1;
    let changes = [
        ("merges.txt", swapped(&merges, 1, 2)),
        ("merges.txt", swapped(&merges, 1, last)),
        ("merges.txt", merges.lines().take(last).collect::<Vec<_>>().join("\n")),
        ("vocab.json", serde_json::to_string(&ids).unwrap()),
    ];
    let mut fate = Fate::default();
    for (name, text) in changes {
        let original = std::fs::read(path(name)).unwrap();
        std::fs::write(path(name), text).unwrap();
        fate.count(&before, folder.path(), name);
        std::fs::write(path(name), original).unwrap();
    }
    assert!(fate.other_key >= 3 && fate.same_numbers == 0, "{fate:?}");
    assert!(see(folder.path()).unwrap() == before);
    let mut weights = std::fs::read(path("model.safetensors")).unwrap();
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    std::fs::write(path("model.safetensors"), weights).unwrap();
    let mut fate = Fate::default();
    fate.count(&before, folder.path(), "model.safetensors");
    assert_eq!(fate, Fate { other_key: 1, ..Fate::default() });
}
