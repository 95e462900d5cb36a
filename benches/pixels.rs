//! Time of decoding and resizing photographs, for comparison with `pixels.py` (Pillow) beside it.
//!
//! One photograph by Criterion; with `PIXELS_DIR` set, every `.jpg` of that folder instead, a line each: name, then
//! milliseconds of decoding and of the test transform, the fastest of several runs.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, criterion_group};
use rpo_bench::preprocess::{CropBox, decode, normalize, test_transform, train_transform};

/// The program's own: the system's hands every picture's memory back to the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PHOTO: &[u8] = include_bytes!("photo_500x375.jpg");

fn pixels(criterion: &mut Criterion) {
    let image = decode(PHOTO).expect("the photo is a JPEG");
    let crop = CropBox { top: 40, left: 60, height: 300, width: 350 };
    let input = test_transform(&image, 224);
    criterion.bench_function("decode_jpeg", |b| b.iter(|| decode(black_box(PHOTO))));
    criterion.bench_function("test_transform", |b| b.iter(|| test_transform(black_box(&image), 224)));
    criterion.bench_function("train_transform", |b| {
        b.iter(|| train_transform(black_box(&image), crop, false, 224));
    });
    criterion.bench_function("decode_and_test_transform", |b| {
        b.iter(|| decode(black_box(PHOTO)).map(|image| test_transform(&image, 224)));
    });
    criterion.bench_function("normalize", |b| b.iter(|| normalize(black_box(&input))));
}

/// Milliseconds of the fastest of `runs` runs.
fn fastest(runs: usize, mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..runs).map(time).fold(f64::MAX, f64::min)
}

/// A line for every photograph of a folder.
fn folder(dir: &Path) {
    let entries = std::fs::read_dir(dir).expect("PIXELS_DIR is a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jpg"));
    paths.sort();
    for path in paths {
        let bytes = std::fs::read(&path).expect("the photo can be read");
        let image = decode(&bytes).expect("the photo is a JPEG");
        let runs = (4_000_000 / (image.width() * image.height())).clamp(5, 40);
        let decoding = fastest(runs, || drop(black_box(decode(black_box(&bytes)))));
        let transform = fastest(runs, || drop(black_box(test_transform(black_box(&image), 224))));
        println!("{}\t{decoding:.3}\t{transform:.3}", path.file_name().unwrap_or_default().to_string_lossy());
    }
}

criterion_group!(benches, pixels);

fn main() {
    match std::env::var_os("PIXELS_DIR") {
        Some(dir) => folder(Path::new(&dir)),
        None => benches(),
    }
}
