//! The few-shot draw against the published index files of linzhiqiu/cross_modal_adaptation, exactly.
//!
//! Those files and the split files belong to others, so they are read from `../shared/splits`; without
//! that folder the tests say so and pass. Five datasets have both files. Three have only index files, but
//! their lists go class by class with known sizes, and a draw depends on nothing else.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Read;
use std::path::{Path, PathBuf};

use rpo_bench::data::{Item, Split, SplitFile, fewshot, read_split_json};
use serde_json::Value;

/// Index file and split file of each dataset that has both.
const PAIRS: [(&str, &str); 5] = [
    ("caltech101", "Caltech101"),
    ("dtd", "DescribableTextures"),
    ("eurosat", "EuroSAT"),
    ("oxford_flowers", "OxfordFlowers"),
    ("ucf101", "UCF101"),
];

fn shared_splits() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/splits");
    if !folder.is_dir() {
        println!("skipped: ../shared/splits is absent");
        return None;
    }
    Some(folder)
}

fn read_split(folder: &Path, name: &str) -> SplitFile {
    read_split_json(&folder.join(format!("split_zhou_{name}.json.gz"))).unwrap()
}

/// A list of classes in label order, class c having `size(c)` items.
fn class_by_class(classes: u32, size: impl Fn(u32) -> usize) -> Vec<Item> {
    let item = |label| Item { path: String::new(), label };
    (0..classes).flat_map(|label| std::iter::repeat_n(item(label), size(label))).collect()
}

/// The datasets without a split file here, by their class sizes. FGVCAircraft's 34s are where the index
/// file's own labels change.
fn splits_by_class_size() -> [(&'static str, Split); 3] {
    let split = |train, val| Split { train, val, test: vec![] };
    [
        ("food101", split(class_by_class(101, |_| 500), class_by_class(101, |_| 200))),
        ("sun397", split(class_by_class(397, |_| 40), class_by_class(397, |_| 10))),
        (
            "fgvc_aircraft",
            split(
                class_by_class(100, |c| if c % 3 == 0 { 34 } else { 33 }),
                class_by_class(100, |c| if c % 3 == 1 { 34 } else { 33 }),
            ),
        ),
    ]
}

fn positions(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

/// Redraws every run of one index file; returns how many runs it has.
fn check_index_file(folder: &Path, name: &str, split: &Split) -> usize {
    let packed = std::fs::File::open(folder.join(format!("indices/{name}.json.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let runs = document["runs"].as_array().unwrap();
    for run in runs {
        let (shots, seed) = (run["shots"].as_u64().unwrap() as u32, run["seed"].as_u64().unwrap());
        let drawn = fewshot::draw(split, shots, seed);
        assert_eq!(drawn.train, positions(&run["train"]), "{name}, seed {seed}, {shots} shots");
        assert_eq!(drawn.val, positions(&run["val"]), "{name}, seed {seed}, {shots} shots");
    }
    runs.len()
}

#[test]
fn published_index_files_are_redrawn() {
    let Some(folder) = shared_splits() else { return };
    let from_files: usize = PAIRS
        .iter()
        .map(|(index, split)| check_index_file(&folder, index, &read_split(&folder, split).split))
        .sum();
    assert_eq!(from_files, 75);
    let from_sizes: usize =
        splits_by_class_size().iter().map(|(name, split)| check_index_file(&folder, name, split)).sum();
    assert_eq!(from_sizes, 45);
}

#[test]
fn published_split_files_are_read_whole() {
    let Some(folder) = shared_splits() else { return };
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS.txt")).unwrap();
    let expected = [
        ("Caltech101", 100, [4128, 1649, 2465]),
        ("DescribableTextures", 47, [2820, 1128, 1692]),
        ("EuroSAT", 10, [13500, 5400, 8100]),
        ("OxfordFlowers", 102, [4093, 1633, 2463]),
        ("OxfordPets", 37, [2944, 736, 3669]),
        ("StanfordCars", 196, [6509, 1635, 8041]),
        ("UCF101", 101, [7639, 1898, 3783]),
    ];
    for (name, classes, counts) in expected {
        let file = read_split(&folder, name);
        assert_eq!(file.class_names.len(), classes, "{name}");
        assert_eq!([file.split.train.len(), file.split.val.len(), file.split.test.len()], counts, "{name}");
        let line = format!("{}  split_zhou_{name}.json ", file.sha256_uncompressed);
        assert!(sums.contains(&line), "{name}: {}", file.sha256_uncompressed);
    }
}
