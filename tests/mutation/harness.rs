//! Runs the cases of a format and watches time, memory and messages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rpo_bench::util::rng::Stream;

/// No damaged file may keep a reader busy longer.
const LONGEST: Duration = Duration::from_secs(20);
/// Most memory that reading small damaged files may take on top: an image of the most pixels accepted, with its
/// decoder's copy. All tests of this program share it.
const MOST_MIB: u64 = 2_048;

pub fn cases() -> u64 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// A format: its name, sound samples by file name, and how to damage them.
pub struct Format {
    pub name: &'static str,
    pub samples: Vec<(String, Vec<u8>)>,
    pub damage: fn(&[u8], &mut Stream) -> Vec<u8>,
}

/// Damages samples and hands each to `read` as a file; the error it gives must hold the file's name. Every
/// sound sample must be read without an error.
pub fn survives(format: &Format, read: &dyn Fn(&Path) -> Result<(), String>) {
    let folder = tempfile::tempdir().unwrap();
    let before = peak_mib();
    let mut refused = 0;
    for (name, sound) in &format.samples {
        let path = folder.path().join(name);
        std::fs::write(&path, sound).unwrap();
        assert_eq!(read(&path), Ok(()), "{name} is sound");
    }
    for case in 0..cases() {
        let mut stream = Stream::new(&["damage", format.name, &case.to_string()]);
        let (name, sound) = &format.samples[stream.below(format.samples.len() as u64) as usize];
        let damaged = (format.damage)(sound, &mut stream);
        let path = folder.path().join(name);
        std::fs::write(&path, &damaged).unwrap();
        let started = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| read(&path)));
        let took = started.elapsed();
        let what = format!("{} case {case} ({name}, {} bytes)", format.name, damaged.len());
        match result {
            Err(_) => panic!("{what}: the reader panicked"),
            Ok(Err(message)) => {
                assert!(message.contains(name.as_str()), "{what}: the file is not named in {message:?}");
                refused += 1;
            }
            Ok(Ok(())) => {}
        }
        assert!(took < LONGEST, "{what}: {took:?}");
    }
    let grown = peak_mib().saturating_sub(before);
    assert!(grown < MOST_MIB, "{}: {grown} MiB", format.name);
    assert!(refused > 0, "{}: no damage was ever noticed", format.name);
    println!("{}: {} cases, {refused} refused, peak memory grew by {grown} MiB", format.name, cases());
}

/// Largest memory of this process so far, MiB; 0 where the system does not say.
pub fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib >> 10)
}
