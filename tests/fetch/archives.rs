//! Archives of friends and of enemies.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use rpo_bench::fetch::unpack::unpack;
use tar::{Builder, EntryType, Header};

fn tar_entry(builder: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    // The name is written as it stands: the crate's own setters refuse what is to be tested.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.as_old_mut().linkname[..11].copy_from_slice(b"/etc/passwd");
    }
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

fn tar(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        tar_entry(&mut builder, name, *kind, bytes);
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive by hand: name, Unix mode, content, deflated.
fn zip(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, mode, bytes) in entries {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        let packed = encoder.finish().unwrap();
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        let mut common = Vec::new();
        for short in [20u16, 0, 8, 0, 0x21] {
            common.extend(short.to_le_bytes());
        }
        for long in [sum.sum(), packed.len() as u32, bytes.len() as u32] {
            common.extend(long.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0u16.to_le_bytes());
        let at = file.len() as u32;
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size, count) = (file.len() as u32, directory.len() as u32, entries.len() as u16);
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(size.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

/// The message of an archive that must not be unpacked; nothing may appear outside of its folder.
fn outcome(bytes: &[u8]) -> Result<tempfile::TempDir, String> {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    std::fs::write(&archive, bytes).unwrap();
    let result = unpack(&archive, &folder.path().join("in/side"));
    let beside: Vec<_> = std::fs::read_dir(folder.path().join("in")).unwrap().collect();
    assert_eq!(beside.len(), 1);
    result.map(|()| folder).map_err(|error| error.to_string())
}

const FILE: u32 = 0o100_644;

#[test]
fn zip_tar_and_gzip_are_told_by_their_bytes() {
    let plain = tar(&[("a/", EntryType::Directory, b""), ("a/b.txt", EntryType::Regular, b"hello")]);
    for bytes in [gzip(&plain), plain, zip(&[("a/", 0o040_755, b""), ("a/b.txt", FILE, b"hello")])] {
        let folder = outcome(&bytes).unwrap();
        assert_eq!(std::fs::read(folder.path().join("in/side/a/b.txt")).unwrap(), b"hello");
    }
}

#[test]
fn entries_that_would_leave_the_folder_or_are_no_files_are_refused() {
    for (name, kind, part) in [
        ("../evil", EntryType::Regular, "outside"),
        ("a/../../evil", EntryType::Regular, "outside"),
        ("/tmp/evil", EntryType::Regular, "outside"),
        ("link", EntryType::Symlink, "neither file nor folder"),
        ("link", EntryType::Link, "neither file nor folder"),
        ("device", EntryType::Char, "neither file nor folder"),
    ] {
        let message = outcome(&gzip(&tar(&[(name, kind, b"")]))).unwrap_err();
        assert!(message.contains(part) && message.contains(name), "{message}");
    }
    for (name, mode, part) in [
        ("../evil", FILE, "outside"),
        ("/evil", FILE, "outside"),
        ("link", 0o120_777, "neither file nor folder"),
    ] {
        let message = outcome(&zip(&[(name, mode, b"/etc/passwd")])).unwrap_err();
        assert!(message.contains(part) && message.contains(name), "{message}");
    }
}

#[test]
fn names_that_come_twice_are_refused() {
    let twice = [("a.txt", EntryType::Regular, &b"1"[..]), ("a.txt", EntryType::Regular, b"2")];
    assert!(outcome(&tar(&twice)).unwrap_err().contains("twice"));
    assert!(outcome(&zip(&[("a.txt", FILE, b"1"), ("./a.txt", FILE, b"2")])).unwrap_err().contains("twice"));
    // The directory of a zip archive names each entry; of two with the very same name the last is the file.
    let folder = outcome(&zip(&[("a.txt", FILE, b"1"), ("a.txt", FILE, b"2")])).unwrap();
    assert_eq!(std::fs::read(folder.path().join("in/side/a.txt")).unwrap(), b"2");
}

#[test]
fn archives_that_are_cut_or_damaged_are_refused() {
    let whole = tar(&[("a.txt", EntryType::Regular, &[7; 5000])]);
    assert!(outcome(&whole[..3000]).unwrap_err().contains("cannot be read"));
    let packed = gzip(&whole);
    assert!(outcome(&packed[..packed.len() / 2]).unwrap_err().contains("cannot be read"));
    let mut damaged = zip(&[("a.txt", FILE, b"hello")]);
    let at = damaged.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    // The checksum stands 16 bytes into a directory entry.
    damaged[at + 16] ^= 1;
    assert!(outcome(&damaged).unwrap_err().contains("checksum"));
    assert!(outcome(b"<html>not an archive</html>").unwrap_err().contains("neither zip nor tar"));
}

/// A small archive may not become a large one: 160 MiB of zeros are less than 1 MiB of gzip.
#[test]
fn a_bomb_is_stopped() {
    let zeros = vec![0; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut header = Header::new_gnu();
    header.set_path("bomb").unwrap();
    header.set_size(160 << 20);
    header.set_mode(0o644);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    for _ in 0..160 {
        encoder.write_all(&zeros).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    assert!(bytes.len() < 1 << 20);
    assert!(outcome(&bytes).unwrap_err().contains("than any archive of pictures"));
}
