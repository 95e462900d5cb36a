//! `preprocess::decode` against Pillow 13.0.0 on one file per encoding, byte for byte.
//!
//! `tests/fixtures/formats/make_formats.py` wrote the files and what Pillow makes of each.

use std::path::PathBuf;

use rpo_bench::preprocess::{DecodeError, decode};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats")
}

#[test]
fn every_encoding_gives_pillows_pixels() {
    let mut checked = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".py") || name.ends_with(".expected.png") {
            continue;
        }
        let ours = decode(&std::fs::read(folder().join(&name)).unwrap()).unwrap();
        let expected = std::fs::read(folder().join(format!("{name}.expected.png"))).unwrap();
        assert!(ours == decode(&expected).unwrap(), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 26);
}

#[test]
fn a_jpeg_without_its_end_is_truncated() {
    for name in ["rgb_444.jpg", "rgb_420_progressive.jpg"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        for cut in [1, 2, 50, whole.len() - 20] {
            let error = decode(&whole[..whole.len() - cut]).unwrap_err();
            assert_eq!(error, DecodeError::Truncated { format: "JPEG" }, "{name}, {cut} bytes short");
        }
        let followed = [whole.as_slice(), b"trailing bytes"].concat();
        assert_eq!(decode(&followed), decode(&whole), "{name}");
    }
}

#[test]
fn damaged_scan_data_still_gives_an_image() {
    let whole = std::fs::read(folder().join("rgb_422_restarts.jpg")).unwrap();
    let mut damaged = whole.clone();
    let middle = whole.len() * 2 / 3;
    damaged[middle] ^= 0x55;
    let (whole, damaged) = (decode(&whole).unwrap(), decode(&damaged).unwrap());
    assert_eq!((whole.width(), whole.height()), (damaged.width(), damaged.height()));
    assert!(whole != damaged);
}
