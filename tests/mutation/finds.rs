//! Hostile files by hand: sizes that lie. Each must be refused without the memory it asks for.

use std::path::Path;

use rpo_bench::backbone::files::safetensors_file::SafetensorsFile;
use rpo_bench::data::file_source::FileSource;
use rpo_bench::data::{ImageSource, Item};

use super::harness::{fixture, peak_mib};

/// A PNG chunk with its checksum.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()[..]].concat()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes()[..], &[8, 2, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [signature, chunk(b"IHDR", &header), chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]), chunk(b"IEND", &[])]
        .concat()
}

/// A sound file with its size overwritten: `at` is the width's offset, the height follows.
fn resized(file: &str, at: usize, sides: &[u8]) -> Vec<u8> {
    let mut bytes = std::fs::read(fixture("formats").join(file)).unwrap();
    bytes[at..at + sides.len()].copy_from_slice(sides);
    bytes
}

fn jpeg() -> Vec<u8> {
    let bytes = std::fs::read(fixture("formats/rgb_444.jpg")).unwrap();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    // Marker, length, precision; then height and width.
    resized("rgb_444.jpg", frame + 5, &[0xfd, 0xe8, 0xfd, 0xe8])
}

#[test]
fn images_of_65000_by_65000_pixels_are_refused_by_their_headers() {
    let side = 65_000u16;
    let (low, wide) = (side.to_le_bytes(), u32::from(side).to_le_bytes());
    let files = [
        ("huge.png", png(65_000, 65_000)),
        ("huge.jpg", jpeg()),
        ("huge.gif", resized("transparent.gif", 6, &[low, low].concat())),
        ("huge.bmp", resized("palette.bmp", 18, &[wide, wide].concat())),
    ];
    let folder = tempfile::tempdir().unwrap();
    let source = FileSource::new(folder.path().to_owned());
    let before = peak_mib();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let said = source.image(&Item { path: name.to_owned(), label: 0 }).unwrap_err().to_string();
        assert!(said.contains(name) && said.contains("65000 x 65000"), "{said}");
    }
    assert!(peak_mib() - before < 1_024, "{} MiB", peak_mib() - before);
}

fn open(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    SafetensorsFile::open(path).unwrap_err().to_string()
}

#[test]
fn a_header_of_two_gigabytes_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for length in [2u64 << 30, u64::MAX, 100_000_001] {
        let said = open(&path, &[&length.to_le_bytes()[..], b"{}"].concat());
        assert!(said.contains("model.safetensors") && said.contains(&length.to_string()), "{said}");
    }
}
