//! Properties of decoding, resizing and cropping, on random sizes and damaged files.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use rpo_bench::preprocess::{
    CROP_SCALE, CropBox, Rgb8, decode, draw_view, normalize, resample::resize, test_transform,
    train_transform,
};
use rpo_bench::util::rng::Stream;

/// Few cases, unless `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default(),
        Err(_) => ProptestConfig::with_cases(96),
    }
}

fn constant(width: usize, height: usize, color: [u8; 3]) -> Rgb8 {
    Rgb8::new(width, height, color.repeat(width * height)).unwrap()
}

fn noise(width: usize, height: usize, seed: u64) -> Rgb8 {
    let mut stream = Stream::new(&["noise", &seed.to_string()]);
    let data = (0..width * height * 3).map(|_| stream.bits() as u8).collect();
    Rgb8::new(width, height, data).unwrap()
}

/// The small files of every format, read once.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_source = |path: &std::path::PathBuf| !path.to_string_lossy().ends_with(".py");
    paths.into_iter().filter(is_source).map(|path| std::fs::read(path).unwrap()).collect()
});

/// Overwrites, removes or doubles a few bytes.
fn damaged(mut bytes: Vec<u8>, edits: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (place, kind, value) in edits {
        if bytes.is_empty() {
            break;
        }
        let at = place.index(bytes.len());
        match kind % 8 {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..(at + usize::from(*value)).min(bytes.len()))),
            2 => bytes.insert(at, *value),
            _ => bytes[at] = *value,
        }
    }
    bytes
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_constant_image_stays_constant(
        (width, height) in (1usize..200, 1usize..200),
        (out_width, out_height) in (1usize..80, 1usize..80),
        color: [u8; 3],
    ) {
        let image = constant(width, height, color);
        prop_assert_eq!(resize(&image, out_width, out_height), constant(out_width, out_height, color));
        prop_assert_eq!(test_transform(&image, out_width), constant(out_width, out_width, color));
    }

    #[test]
    fn resizing_to_the_same_size_is_the_identity(
        (width, height) in (1usize..90, 1usize..90),
        seed: u64,
    ) {
        let image = noise(width, height, seed);
        prop_assert_eq!(resize(&image, width, height), image);
    }

    #[test]
    fn the_test_transform_is_resize_then_crop(
        (width, height) in (1usize..120, 1usize..120),
        size in 1usize..50,
        seed: u64,
    ) {
        let image = noise(width, height, seed);
        let (short, long) = (width.min(height), width.max(height));
        let scaled = size * long / short;
        let (w, h) = if width <= height { (size, scaled) } else { (scaled, size) };
        let full = resize(&image, w, h);
        let cropped = test_transform(&image, size);
        let offset = |side: usize| ((side - size) as f64 / 2.0).round_ties_even() as usize;
        for y in 0..size {
            let start = ((y + offset(h)) * w + offset(w)) * 3;
            let ours = &cropped.data()[y * size * 3..(y + 1) * size * 3];
            prop_assert_eq!(ours, &full.data()[start..start + size * 3]);
        }
    }

    #[test]
    fn pixels_beside_the_crop_do_not_matter(
        (width, height) in (3usize..60, 3usize..60),
        seed: u64,
        size in 1usize..40,
    ) {
        let view = draw_view(&mut Stream::new(&["crop", &seed.to_string()]), (width, height), CROP_SCALE);
        let CropBox { top, left, height: rows, width: columns } = view.crop;
        let image = noise(width, height, seed);
        let inside = image.data().chunks_exact(width * 3).skip(top).take(rows);
        let cut: Vec<u8> =
            inside.flat_map(|row| row[left * 3..(left + columns) * 3].iter().copied()).collect();
        let alone = Rgb8::new(columns, rows, cut).unwrap();
        let whole = CropBox::whole(columns, rows);
        prop_assert_eq!(
            train_transform(&image, view.crop, view.flip, size),
            train_transform(&alone, whole, view.flip, size)
        );
    }

    #[test]
    fn views_stay_inside_the_image(
        (width, height) in (1usize..3000, 1usize..3000),
        seed: u64,
    ) {
        let mut stream = Stream::new(&["view", &seed.to_string()]);
        for _ in 0..20 {
            let view = draw_view(&mut stream, (width, height), CROP_SCALE);
            prop_assert_eq!(view.crop.inside(width, height), Ok(view.crop));
        }
    }

    #[test]
    fn any_crop_gives_pixels_or_an_error(
        (top, left, height, width) in (0usize..12, 0usize..12, 0usize..12, 0usize..12),
        flip: bool,
    ) {
        let fits = height > 0 && width > 0 && top + height <= 7 && left + width <= 9;
        let out = train_transform(&noise(9, 7, 0), CropBox { top, left, height, width }, flip, 4);
        prop_assert_eq!(out.is_ok(), fits);
    }

    #[test]
    fn normalised_pixels_are_in_channel_order((width, height) in (1usize..20, 1usize..20), seed: u64) {
        let image = noise(width, height, seed);
        let planes = normalize(&image);
        prop_assert_eq!(planes.len(), image.data().len());
        for (i, &byte) in image.data().iter().enumerate() {
            let value = planes[i % 3 * width * height + i / 3];
            let mean = [0.481_454_66, 0.457_827_5, 0.408_210_73][i % 3];
            let std = [0.268_629_54, 0.261_302_6, 0.275_777_1][i % 3];
            prop_assert!((f64::from(value) * std + mean - f64::from(byte) / 255.0).abs() < 1e-6);
        }
    }

    #[test]
    fn damaged_files_never_panic(
        file: prop::sample::Index,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 1..6),
    ) {
        let bytes = damaged(file.get(&FILES).clone(), &edits);
        if let Ok(image) = decode(&bytes) {
            prop_assert_eq!(image.data().len(), image.width() * image.height() * 3);
        }
    }
}
