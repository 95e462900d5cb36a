//! Memory asked for is bounded by what a file can hold: damaged and hostile files under a counting allocator.
//!
//! `PROPTEST_CASES=1000` runs a thousand cases a format. The damage is that of `tests/mutation`; hostile files are
//! written by hand. A reader may take a fixed number of bytes for each byte of its file, and a little besides; what
//! it takes is counted, so a test that asks for terabytes fails even where the system would have given them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../mutation/damage.rs"]
mod damage;
mod hostile;
mod meter;
mod records;

use std::path::Path;

use peak_alloc::PeakAlloc;
use rpo_bench::backbone::files::hf_config::read_config;
use rpo_bench::backbone::files::safetensors_file::SafetensorsFile;
use rpo_bench::backbone::files::tensor_file::TensorFile;
use rpo_bench::backbone::files::torch_file::TorchArchive;
use rpo_bench::backbone::{BpeVocabulary, ClipFolder, PromptCheckpoint};
use rpo_bench::data::draw_files::parse_draw;
use rpo_bench::data::split_json::read_split_json;
use rpo_bench::data::{Item, Split};
use rpo_bench::suite::SavedPrompts;
use rpo_bench::util::rng::Stream;

use meter::{Reader, fixture, stays_bounded};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SPLIT: &[u8] = br#"{"train": [["a/1.jpg", 0, "cat"], ["b/2.jpg", 1, "dog"]],
    "val": [["a/3.jpg", 0, "cat"]], "test": [["b/4.jpg", 1, "dog"], ["a/5.jpg", 0, "cat"]]}"#;

type Damage = fn(&[u8], &mut Stream) -> Vec<u8>;

fn file(path: &str) -> Vec<u8> {
    std::fs::read(fixture(path)).unwrap()
}

fn read_all(file: &mut dyn TensorFile) {
    for name in file.names() {
        drop(file.read(&name).map(|tensor| tensor.to_f32()));
    }
}

/// A model folder whose file `name` is the damaged one.
fn load(name: &str, path: &Path) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("micro_clip/config.json"), folder.path().join("config.json")).unwrap();
    std::fs::copy(path, folder.path().join(name)).unwrap();
    drop(ClipFolder::open(folder.path()).and_then(|folder| folder.load()));
}

fn tokenizer_json(path: &Path) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(path, folder.path().join("tokenizer.json")).unwrap();
    drop(BpeVocabulary::from_folder(folder.path()));
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, bytes).unwrap();
    packer.finish().unwrap()
}

fn small_split() -> Split {
    Split { train: vec![Item { path: "d/a.jpg".into(), label: 0 }], ..Split::default() }
}

#[test]
fn files_ask_for_no_more_than_they_hold_and_records_share_what_is_equal() {
    let vocabulary = br#"{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "merges": ["a b</w>"],
        "vocab": {"a": 0, "b</w>": 1, "ab</w>": 2, "<|startoftext|>": 3, "<|endoftext|>": 4}}}"#;
    let draw = br#"{"train": {"data": [{"impath": "a.jpg", "label": 0}]}}"#;
    let (text, bytes): (Damage, Damage) = (damage::text, damage::bytes);
    let formats: [(&str, Vec<u8>, Damage, Reader); 12] = [
        ("split JSON", SPLIT.to_vec(), text, &|path| drop(read_split_json(path))),
        ("split JSON, packed", packed(SPLIT), bytes, &|path| drop(read_split_json(path))),
        ("draw JSON", draw.to_vec(), text, &|path| {
            drop(parse_draw(&std::fs::read(path).unwrap(), "d", "d", &small_split(), 1));
        }),
        ("config.json", file("micro_clip/config.json"), text, &|path| drop(read_config(path))),
        ("tokenizer.json", vocabulary.to_vec(), text, &tokenizer_json),
        ("safetensors", file("micro_clip/model.safetensors"), bytes, &|path| {
            drop(SafetensorsFile::open(path).map(|mut file| read_all(&mut file)));
        }),
        ("safetensors model", file("micro_clip/model.safetensors"), bytes, &|path| {
            load("model.safetensors", path);
        }),
        ("torch model", file("micro_clip/pytorch_model.bin"), bytes, &|path| {
            load("pytorch_model.bin", path);
        }),
        ("torch archive", file("torch/checkpoint.pth.tar"), bytes, &|path| {
            drop(TorchArchive::open(path).map(|mut file| read_all(&mut file)));
        }),
        ("torch prompts", file("torch/checkpoint.pth.tar"), bytes, &|path| {
            drop(PromptCheckpoint::read(path))
        }),
        ("saved prompts, torch", file("torch/checkpoint.pth.tar"), bytes, &|path| {
            drop(SavedPrompts::read(path, None))
        }),
        ("saved prompts", file("micro_clip/model.safetensors"), bytes, &|path| {
            drop(SavedPrompts::read(path, None))
        }),
    ];
    for (name, sound, damage, read) in formats {
        stays_bounded(&MEMORY, name, &sound, damage, read);
    }
    hostile::files_written_by_hand_are_refused(&MEMORY);
    hostile::the_meter_sees_what_is_asked_for(&MEMORY);
    records::equal_settings_are_held_once(&MEMORY);
    records::measures_keep_no_prediction(&MEMORY);
}
