//! Runs the cases of a format and holds the largest memory in use against the file's size.

use std::path::{Path, PathBuf};

use peak_alloc::PeakAlloc;
use rpo_bench::util::rng::Stream;

/// Bytes of memory a reader may take for each byte of its file: a JSON tree or a list of small values.
const TIMES: usize = 100;
/// What every reader may take besides: buffers, patterns, tables that are made once.
const BESIDES: usize = 24 << 20;

/// What is done with a file; whether it is refused is for `tests/mutation` to hold.
pub type Reader<'a> = &'a dyn Fn(&Path);

pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

fn cases() -> u64 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// Most memory in use while `read` runs, beyond what was in use before.
pub fn taken(memory: &PeakAlloc, read: impl FnOnce()) -> usize {
    memory.reset_peak_usage();
    let before = memory.current_usage();
    read();
    memory.peak_usage().saturating_sub(before)
}

/// What a file of so many bytes may ask for.
pub fn allowed(file_bytes: usize) -> usize {
    BESIDES + TIMES * file_bytes
}

/// Reads the sound file and its damaged copies.
pub fn stays_bounded(
    memory: &PeakAlloc,
    format: &str,
    sound: &[u8],
    damage: fn(&[u8], &mut Stream) -> Vec<u8>,
    read: Reader<'_>,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut most = 0;
    for case in 0..=cases() {
        let mut stream = Stream::new(&["memory", format, &case.to_string()]);
        let bytes = if case == 0 { sound.to_vec() } else { damage(sound, &mut stream) };
        std::fs::write(&path, &bytes).unwrap();
        let taken = taken(memory, || read(&path));
        let allowed = allowed(bytes.len());
        assert!(taken <= allowed, "{format} case {case}: {taken} bytes for a file of {}", bytes.len());
        most = most.max(taken);
    }
    println!("{format}: {} cases, at most {most} bytes", cases() + 1);
}
