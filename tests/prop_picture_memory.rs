//! Memory asked for while a picture is decoded is bounded by the file, whatever its header states.
//!
//! A counting allocator watches decoders on files of every format whose headers were overwritten. Few cases by
//! default; `PROPTEST_CASES=1000` makes a thousand of each format.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(unsafe_code, reason = "a global allocator is unsafe to write")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rpo_bench::preprocess::decode;

/// Bytes now held, and the most since [`most_held`] began.
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Measurements must not overlap.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Counting;

// SAFETY: every call is handed on to the system's allocator unchanged; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Room for a picture of a megapixel, which any file may state, in the widest form a decoder keeps.
const ANY_FILE: usize = 128 << 20;
/// Bytes that each byte of a file may ask for: its densest code times what a decoder keeps of a pixel.
const PER_BYTE: usize = 128 << 10;

/// Runs `work` and returns the most bytes it held at once.
fn most_held<T>(work: impl FnOnce() -> T) -> usize {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|held| held.into_inner());
    let before = HELD.load(Relaxed);
    MOST.store(before, Relaxed);
    drop(work());
    MOST.load(Relaxed).saturating_sub(before)
}

fn config() -> ProptestConfig {
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default(),
        Err(_) => ProptestConfig::with_cases(24),
    }
}

/// The files of one format.
fn files(ending: &str) -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folders = ["formats", "pictures"].map(|folder| std::fs::read_dir(tests.join(folder)).unwrap());
    let mut paths: Vec<_> = folders.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == ending));
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Overwrites some bytes, most of them near the start; `value` stands for itself, or for a run of 255.
fn hostile(mut bytes: Vec<u8>, edits: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (place, kind, value) in edits {
        let reach = if kind % 4 == 0 { bytes.len() } else { bytes.len().min(220) };
        let at = place.index(reach);
        match kind % 8 {
            0 => bytes.truncate(at.max(16)),
            1 | 2 => {
                let end = (at + 1 + usize::from(kind / 8 % 4)).min(bytes.len());
                bytes[at..end].fill(if *kind >= 128 { 255 } else { *value });
            }
            _ => bytes[at] = *value,
        }
    }
    bytes
}

fn stays_within_bounds(ending: &str) {
    let files = files(ending);
    assert!(files.len() >= 3, "{ending}");
    let edit = (any::<prop::sample::Index>(), any::<u8>(), any::<u8>());
    let cases = (any::<prop::sample::Index>(), prop::collection::vec(edit, 0..6));
    let result = TestRunner::new(config()).run(&cases, |(file, edits)| {
        let bytes = hostile(file.get(&files).clone(), &edits);
        let most = most_held(|| decode(&bytes));
        prop_assert!(
            most <= ANY_FILE + PER_BYTE * bytes.len(),
            "{} bytes of {ending} took {most}",
            bytes.len()
        );
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn jpeg_headers_do_not_ask_for_more() {
    stays_within_bounds("jpg");
}

#[test]
fn png_headers_do_not_ask_for_more() {
    stays_within_bounds("png");
}

#[test]
fn gif_headers_do_not_ask_for_more() {
    stays_within_bounds("gif");
}

#[test]
fn bmp_headers_do_not_ask_for_more() {
    stays_within_bounds("bmp");
}

#[test]
fn webp_headers_do_not_ask_for_more() {
    stays_within_bounds("webp");
}

#[test]
fn tiff_headers_do_not_ask_for_more() {
    stays_within_bounds("tif");
}

#[test]
fn many_components_are_refused_before_there_is_room_for_them() {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xc0, 0x03, 0x05, 8, 0x2e, 0xe0, 0x2e, 0xe0, 255];
    bytes.extend((0..=254).flat_map(|id| [id, 0x11, 0]));
    assert_eq!(bytes.len(), 777);
    let most = most_held(|| assert!(decode(&bytes).is_err()));
    assert!(most < 1 << 20, "{most}");
}

#[test]
fn the_counter_notices_a_large_request() {
    assert!(most_held(|| vec![0u8; ANY_FILE * 2]) > ANY_FILE);
    assert!(most_held(|| 0) < 1 << 20);
}
