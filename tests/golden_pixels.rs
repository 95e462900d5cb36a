//! `preprocess` against Pillow 13.0.0 and torchvision 0.29.2 on `tests/fixtures/protocol/pixels`.
//!
//! Everything must be equal byte for byte, JPEG decoding (libjpeg-turbo's in Pillow) included.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::PathBuf;

use rpo_bench::preprocess::{CropBox, Rgb8, decode, test_transform, train_transform};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/protocol/pixels")
}

fn image(name: &Value) -> Rgb8 {
    decode(&std::fs::read(folder().join(name.as_str().unwrap())).unwrap()).unwrap()
}

fn cases(kind: &str) -> Vec<Value> {
    let text = std::fs::read(folder().join("cases.json")).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&document["pillow"], &document["interpolation"]), (&"13.0.0".into(), &"bicubic".into()));
    document["cases"].as_array().unwrap().iter().filter(|case| case["kind"] == kind).cloned().collect()
}

/// Largest difference of a byte, and the share of bytes that differ.
fn difference(ours: &Rgb8, expected: &Rgb8) -> (u8, f64) {
    assert_eq!((ours.width(), ours.height()), (expected.width(), expected.height()));
    let gaps = ours.data().iter().zip(expected.data()).map(|(a, b)| a.abs_diff(*b));
    let differing = gaps.clone().filter(|gap| *gap > 0).count();
    (gaps.max().unwrap(), differing as f64 / ours.data().len() as f64)
}

#[test]
fn test_transforms_are_equal() {
    let cases = cases("test");
    assert_eq!(cases.len(), 12);
    for case in cases {
        let ours = test_transform(&image(&case["source"]), case["size"].as_u64().unwrap() as usize);
        assert_eq!(difference(&ours, &image(&case["expected"])), (0, 0.0), "{case}");
    }
}

#[test]
fn train_transforms_are_equal() {
    let cases = cases("train");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        let [top, left, height, width] = [0, 1, 2, 3].map(|i| number(&case["crop"][i]));
        let crop = CropBox { top, left, height, width };
        let flip = case["flip"].as_bool().unwrap();
        let ours = train_transform(&image(&case["source"]), crop, flip, number(&case["size"])).unwrap();
        assert_eq!(difference(&ours, &image(&case["expected"])), (0, 0.0), "{case}");
    }
}

#[test]
fn decoding_is_equal() {
    let cases = cases("decode");
    assert_eq!(cases.len(), 6);
    for case in cases {
        assert_eq!(difference(&image(&case["source"]), &image(&case["expected"])), (0, 0.0), "{case}");
    }
}
