//! Time of decoding and resizing one photograph, for comparison with `pixels.py` (Pillow) beside it.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rpo_bench::preprocess::{CropBox, decode, normalize, test_transform, train_transform};

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

criterion_group!(benches, pixels);
criterion_main!(benches);
