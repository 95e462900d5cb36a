//! The pocket world as a whole: every item draws, lists do not share pictures, and the bytes are the
//! recorded ones. A changed hash means that every model and record made from pocket images is stale.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use rpo_bench::data::{ImageSource, Item};
use rpo_bench::pocket::{PocketImages, PretrainSource, Sheet, dataset, datasets, write_previews};
use sha2::{Digest, Sha256};

/// First 16 hex digits of the SHA-256 over every tenth item's pixels, train, val and test in turn.
const PIXELS: [(&str, &str); 15] = [
    ("imagenet", "10f1f1fad52f0177"),
    ("caltech101", "2a1531780595e013"),
    ("oxford_pets", "3acfddccd5984442"),
    ("stanford_cars", "56835ef2c6494c7a"),
    ("oxford_flowers", "1f379ca1a8a091f6"),
    ("food101", "7c0a30a0bacd9e6a"),
    ("fgvc_aircraft", "b66ebf81b66d2619"),
    ("sun397", "06708c01c4237b02"),
    ("dtd", "a8f21ebb3e8a89c1"),
    ("eurosat", "05e1df8efa7098dc"),
    ("ucf101", "7ca0c8f635840b46"),
    ("imagenetv2", "3841807d64d05efc"),
    ("imagenet_sketch", "a1072151f2faa709"),
    ("imagenet_a", "25c6890b1655f5e4"),
    ("imagenet_r", "964de0d45f28bb0b"),
];

/// The same over the first 200 pretraining pairs of seed 0, each picture followed by its caption.
const PRETRAIN: &str = "3da7e41ab816233f";

const PREVIEWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/pocket/preview");
const MAKE: &str = "run `rpo-bench pocket preview --small assets/pocket/preview`";

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn pixels(item: &Item) -> Vec<u8> {
    let image = PocketImages.image(item).expect("a listed item draws");
    assert_eq!((image.width(), image.height()), (48, 48), "{}", item.path);
    image.into_data()
}

#[test]
fn pixels_are_the_recorded_ones() {
    let found: Vec<(&str, String)> = datasets()
        .into_iter()
        .map(|id| {
            let split = dataset(id).expect("a listed id").split;
            let items = split.train.iter().chain(&split.val).chain(&split.test);
            let mut hash = Sha256::new();
            items.step_by(10).for_each(|item| hash.update(pixels(item)));
            (id, hex(hash))
        })
        .collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(id, hash)| (*id, hash.as_str())).collect();
    assert_eq!(found, PIXELS);
}

#[test]
fn pretraining_pairs_are_the_recorded_ones() {
    let source = PretrainSource::new(0);
    let mut hash = Sha256::new();
    for index in 0..200 {
        let (image, caption) = source.pair(index);
        hash.update(image.data());
        hash.update(caption.as_bytes());
    }
    assert_eq!(hex(hash), PRETRAIN);
}

#[test]
fn every_item_draws_a_picture_of_its_own() {
    for id in datasets() {
        let split = dataset(id).expect("a listed id").split;
        let items: Vec<&Item> = split.train.iter().chain(&split.val).chain(&split.test).collect();
        let pictures: Vec<Vec<u8>> = items.par_iter().map(|item| pixels(item)).collect();
        let mut owner = BTreeMap::new();
        for (item, picture) in items.iter().zip(pictures) {
            let flat = picture.iter().all(|byte| *byte == picture[0]);
            assert!(!flat, "{} is one flat colour", item.path);
            if let Some(other) = owner.insert(picture, &item.path) {
                panic!("{} and {other} are the same picture", item.path);
            }
        }
    }
}

#[test]
fn paths_are_unique_over_all_datasets() {
    let mut seen = BTreeMap::new();
    for id in datasets() {
        let set = dataset(id).expect("a listed id");
        for item in set.split.train.iter().chain(&set.split.val).chain(&set.split.test) {
            assert!(seen.insert(item.path.clone(), ()).is_none(), "{} twice", item.path);
            assert!(item.path.starts_with(&format!("pocket/{id}/")) && !item.path.contains('\\'));
        }
    }
}

#[test]
fn previews_are_readable_pictures() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let large = write_previews(dir.path(), Sheet::LARGE).expect("a writable folder");
    assert_eq!(large.len(), datasets().len() + 1);
    for path in large {
        let size = image::image_dimensions(&path).expect("a picture");
        assert!(size.0 > 500 && size.1 > 400, "{path:?} {size:?}");
    }
}

/// The committed sheets are what `pocket preview --small` makes, and together stay below 1.5 MB.
#[test]
fn committed_sheets_are_the_ones_the_program_makes() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut total = 0;
    for path in write_previews(dir.path(), Sheet::SMALL).expect("a writable folder") {
        let committed = Path::new(PREVIEWS).join(path.file_name().expect("a file"));
        let read = |path: &Path| std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let bytes = read(&committed);
        total += bytes.len();
        assert!(bytes == read(&path), "{} is stale; {MAKE}", committed.display());
    }
    assert!(total < 1_500_000, "{total} bytes");
}
