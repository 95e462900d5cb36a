//! Odd and damaged picture files against Pillow 13.0.0: every one is equal, or refused in words.
//!
//! `tests/fixtures/pictures/expected.json` holds Pillow's answer to `Image.open(f).convert("RGB")` for each file;
//! README.md there says how they were made.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::PathBuf;

use rpo_bench::preprocess::{DecodeError, decode};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Files that Pillow reads and this build refuses, with the words that say why.
const REFUSED: [(&str, &str); 12] = [
    ("jpeg_lossless_sof3.jpg", "lossless"),
    ("jpeg_prog_cut_30_eoi.jpg", "scans of a progressive file are missing"),
    ("jpeg_progressive_first_1_scans.jpg", "scans of a progressive file are missing"),
    ("jpeg_progressive_first_5_scans.jpg", "scans of a progressive file are missing"),
    ("jpeg_progressive_grey_first_1_scans.jpg", "scans of a progressive file are missing"),
    ("jpeg_progressive_grey_first_2_scans.jpg", "scans of a progressive file are missing"),
    ("jpeg_progressive_grey_first_3_scans.jpg", "scans of a progressive file are missing"),
    ("tiff_F.tif", "floating-point"),
    ("tiff_LAB.tif", "Lab"),
    ("tiff_c_jpeg.tif", "JPEG inside"),
    ("tiff_tiled_planar_16.tif", "planar"),
    ("tiff_tiled_planar_partial.tif", "tiled planar"),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures")
}

/// What is wrong with a decoder's answer to `name`, given Pillow's; nothing if it will do.
fn fault(name: &str, answer: &Result<([usize; 2], String), DecodeError>, pillow: &Value) -> Option<String> {
    let words = REFUSED.iter().find(|(file, _)| *file == name).map(|(_, words)| *words);
    match answer {
        Err(error) if pillow["rgb_sha256"].is_null() => (error.to_string().contains("::")
            || error.to_string().contains(" { "))
        .then(|| format!("debug text: {error}")),
        Err(error) => match words {
            Some(words) if error.to_string().contains(words) => None,
            _ => Some(format!("refused: {error}")),
        },
        Ok(_) if pillow["rgb_sha256"].is_null() => Some(format!("read, where Pillow says {pillow}")),
        Ok((size, sha256)) => {
            let equal = pillow["size"] == serde_json::json!(size) && pillow["rgb_sha256"] == *sha256;
            (!equal).then(|| "other pixels".to_owned())
        }
    }
}

fn answer(name: &str) -> Result<([usize; 2], String), DecodeError> {
    let picture = decode(&std::fs::read(folder().join(name)).unwrap())?;
    let sha256 = Sha256::digest(picture.data()).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(([picture.width(), picture.height()], sha256))
}

#[test]
fn every_picture_is_pillows_or_refused_in_words() {
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap();
    assert_eq!(expected["pillow"], "13.0.0");
    let files = expected["files"].as_object().unwrap();
    let (mut checked, mut faults) = (0, Vec::new());
    for (name, pillow) in files.iter().filter(|(name, _)| folder().join(name).exists()) {
        checked += 1;
        faults.extend(fault(name, &answer(name), pillow).map(|fault| format!("{name}: {fault}")));
    }
    assert!(checked >= 135, "{checked} files");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_comparison_notices_other_pixels_and_unlisted_refusals() {
    let pillow = serde_json::json!({"size": [1, 1], "rgb_sha256": "00"});
    let read = |sha256: &str| Ok(([1, 1], sha256.to_owned()));
    assert_eq!(fault("a.jpg", &read("00"), &pillow), None);
    assert!(fault("a.jpg", &read("01"), &pillow).is_some());
    assert!(fault("a.jpg", &read("00"), &serde_json::json!({"refused": "OSError"})).is_some());
    assert!(fault("a.jpg", &Err(DecodeError::Truncated { format: "JPEG" }), &pillow).is_some());
}

#[test]
fn refusals_say_what_to_do() {
    for name in ["tiff_tiled_planar_16.tif", "jpeg_lossless_sof3.jpg", "tiff_LAB.tif", "tiff_c_jpeg.tif"] {
        let said = answer(name).unwrap_err().to_string();
        assert!(said.contains("convert it"), "{name}: {said}");
    }
    for name in ["bomb_png_13000x13000_short.png", "gif_13000.gif", "jpeg_claims_13000x13000.jpg"] {
        let said = answer(name).unwrap_err().to_string();
        assert!(said.contains("cannot come from"), "{name}: {said}");
    }
}
