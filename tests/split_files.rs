//! `data::read_split_json` on files: plain and gzipped, cut off, too large, absent.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use rpo_bench::data::{SplitError, read_split_json};

const TEXT: &str =
    r#"{"train": [["b/1.jpg", 1, "b"], ["a/1.jpg", 0, "a"]], "val": [], "test": [["a/2.jpg", 0, "a"]]}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn written(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn the_content_tells_gzip_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let plain = read_split_json(&written(&folder, "plain.json.gz", TEXT.as_bytes())).unwrap();
    let packed = read_split_json(&written(&folder, "packed.json", &gzip(TEXT.as_bytes()))).unwrap();
    assert_eq!(plain, packed);
    assert_eq!(plain.class_names, ["a", "b"]);
}

#[test]
fn unreadable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = gzip(TEXT.as_bytes());
    let cut = written(&folder, "cut.json.gz", &whole[..whole.len() - 9]);
    for path in [cut, folder.path().join("absent.json")] {
        let error = read_split_json(&path).unwrap_err();
        assert!(matches!(&error, SplitError::Read { .. }), "{error}");
        assert!(error.to_string().ends_with(&path.display().to_string()), "{error}");
    }
}

#[test]
fn a_gzip_bomb_stops_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = written(&folder, "bomb.json.gz", &gzip(&vec![b' '; 40 << 20]));
    let error = read_split_json(&bomb).unwrap_err();
    assert!(matches!(error, SplitError::TooLarge { limit_bytes: 33_554_432, .. }), "{error}");
}
