//! One test a format.

use std::path::Path;

use rpo_bench::backbone::PromptCheckpoint;
use rpo_bench::backbone::files::hf_config::read_config;
use rpo_bench::backbone::files::safetensors_file::SafetensorsFile;
use rpo_bench::backbone::files::tensor_file::TensorFile;
use rpo_bench::backbone::files::torch_file::TorchArchive;
use rpo_bench::check::verify::quick;
use rpo_bench::data::embedded;
use rpo_bench::data::file_source::FileSource;
use rpo_bench::data::manifest::Manifest;
use rpo_bench::data::split_json::read_split_json;
use rpo_bench::data::{ImageSource, Item};
use rpo_bench::record::parse_predictions;
use rpo_bench::record::{parse_record, read_record};
use rpo_bench::suite::{Plan, SUITES, SuiteFile};

use super::damage;
use super::harness::{Format, fixture, survives};

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn from_fixtures(folder: &str, keep: fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let mut samples: Vec<_> = std::fs::read_dir(fixture(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| keep(&name(path)))
        .map(|path| (name(&path), std::fs::read(&path).unwrap()))
        .collect();
    samples.sort();
    assert!(!samples.is_empty(), "{folder}");
    samples
}

#[test]
fn suite_files() {
    let samples =
        SUITES.iter().map(|(name, text)| (format!("{name}.toml"), text.as_bytes().to_vec())).collect();
    survives(&Format { name: "suite TOML", samples, damage: damage::text }, &|path| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let suite = SuiteFile::parse(path.file_stem().unwrap().to_str().unwrap(), &text).map_err(words)?;
        for profile in ["pocket", "other"] {
            // A suite that parses may still ask for what no method takes: an error, not a panic.
            drop(Plan::new(suite.clone().for_profile(profile), &[], Some(1)));
        }
        Ok(())
    });
}

#[test]
fn manifests() {
    let ids = ["eurosat", "fgvc_aircraft", "imagenet", "imagenet_a"];
    let sample = |id: &str| (format!("{id}.toml"), embedded::text(id).unwrap().as_bytes().to_vec());
    let samples = ids.map(sample).to_vec();
    survives(&Format { name: "manifest", samples, damage: damage::text }, &|path| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        Manifest::parse(&text, &name(path)).map(|_| ()).map_err(words)
    });
}

#[test]
fn split_files() {
    let plain = br#"{"train": [["a/1.jpg", 0, "cat"], ["b/2.jpg", 1, "dog"]],
        "val": [["a/3.jpg", 0, "cat"]],
        "test": [["b/4.jpg", 1, "dog"], ["a/5.jpg", 0, "cat"]]}"#;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, plain).unwrap();
    let packed = packer.finish().unwrap();
    let read = |path: &Path| read_split_json(path).map(|_| ()).map_err(words);
    let samples = vec![("split.json".to_owned(), plain.to_vec())];
    survives(&Format { name: "split JSON", samples, damage: damage::text }, &read);
    let samples = vec![("split.json.gz".to_owned(), packed)];
    survives(&Format { name: "split JSON, packed", samples, damage: damage::bytes }, &read);
}

#[test]
fn model_configurations() {
    let samples = from_fixtures("micro_clip", |name| name == "config.json");
    survives(&Format { name: "config.json", samples, damage: damage::text }, &|path| {
        read_config(path).map(|_| ()).map_err(words)
    });
}

fn read_all(file: &mut dyn TensorFile) -> Result<(), String> {
    for name in file.names() {
        match file.read(&name) {
            Ok(tensor) => drop(tensor.to_f32()),
            // The sample of torch holds integers, which no model has.
            Err(error) if error.to_string().contains("LongStorage") => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

#[test]
fn safetensors() {
    let samples = from_fixtures("micro_clip", |name| name == "model.safetensors");
    survives(&Format { name: "safetensors", samples, damage: damage::bytes }, &|path| {
        read_all(&mut SafetensorsFile::open(path).map_err(words)?)
    });
}

#[test]
fn pickled_checkpoints() {
    let samples = from_fixtures("torch", |name| name == "checkpoint.pth.tar");
    survives(&Format { name: "pickled prompts", samples, damage: damage::bytes }, &|path| {
        PromptCheckpoint::read(path).map_err(words)?;
        read_all(&mut TorchArchive::open(path).map_err(words)?)
    });
    let samples = from_fixtures("micro_clip", |name| name == "pytorch_model.bin");
    survives(&Format { name: "pickled weights", samples, damage: damage::bytes }, &|path| {
        read_all(&mut TorchArchive::open(path).map_err(words)?)
    });
}

#[test]
fn images() {
    let samples = from_fixtures("formats", |name| !name.ends_with(".py") && !name.ends_with(".expected.png"));
    survives(&Format { name: "images", samples, damage: damage::bytes }, &|path| {
        let source = FileSource::new(path.parent().unwrap().to_owned());
        let image = source.image(&Item { path: name(path), label: 0 }).map_err(words)?;
        assert_eq!(image.data().len(), image.width() * image.height() * 3);
        Ok(())
    });
}

#[test]
fn records() {
    let samples = from_fixtures("records", |_| true);
    survives(&Format { name: "records", samples, damage: damage::text }, &|path| {
        drop(quick(path).map_err(words)?);
        drop(parse_record(path).map_err(words)?);
        read_record(path).map(|_| ()).map_err(words)
    });
}

#[test]
fn predictions() {
    let earlier = b"path,label,predicted,p_true\na/1.jpg,0,1,0.25\n\"b, \"\"c\"\".jpg\",2,2,1e-9\n".to_vec();
    let sound = b"path,label,predicted,p_true,p_predicted,margin\na/1.jpg,0,1,0.25,0.5,0.25\n\"b, \"\"c\"\".jpg\",2,2,0.9,0.9,0.8\n".to_vec();
    let samples = vec![("predictions.csv".to_owned(), sound), ("earlier.csv".to_owned(), earlier)];
    survives(&Format { name: "predictions", samples, damage: damage::text }, &|path| {
        let rows = parse_predictions(&std::fs::read(path).unwrap());
        rows.map(|_| ()).ok_or_else(|| format!("{}: no predictions", name(path)))
    });
}
