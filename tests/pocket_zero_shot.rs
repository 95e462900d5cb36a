//! How hard the pocket world is before any training, and that the note beside the weights says so.
//!
//! Computed here without suite, method or training code: features, cosines, the highest one. Classes of a
//! half compete among themselves, as in base-to-new runs.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::ops::Range;

use candle_core::{Device, Tensor};
use rayon::prelude::*;
use rpo_bench::backbone::TextLayout;
use rpo_bench::backbone::nn::l2_normalise;
use rpo_bench::data::ImageSource;
use rpo_bench::pocket::{PocketImages, datasets};
use rpo_bench::preprocess::normalize;
use rpo_bench::suite::World;

const NOTE: &str = include_str!("../assets/pocket/README.md");
/// Images a pass.
const GRID: usize = 40;

/// Labels and cosines with all classes, of every test image.
fn scores(world: &World, id: &str) -> (usize, Vec<(usize, Vec<f32>)>) {
    let set = world.dataset(id).unwrap();
    let clip = &world.clip;
    let prompt = |name: &String| world.tokenizer.encode(&set.template.replace("{}", name)).unwrap();
    let prompts: Vec<_> = set.class_names.iter().map(prompt).collect();
    let layout = TextLayout::new(&prompts, 1, clip.config.context_length).unwrap();
    let text = l2_normalise(&clip.text.encode(&layout).unwrap().features).unwrap().t().unwrap();
    let side = clip.config.image_size;
    let rows = set.split.test.par_chunks(GRID).flat_map_iter(|items| {
        let pixels = items.iter().flat_map(|item| normalize(&PocketImages.image(item).unwrap())).collect();
        let pixels: Vec<f32> = pixels;
        let pixels = Tensor::from_vec(pixels, (items.len(), 3, side, side), &Device::Cpu).unwrap();
        let image = clip.vision.encode(&pixels, false).unwrap().features;
        let cosines = l2_normalise(&image).unwrap().matmul(&text).unwrap().to_vec2::<f32>().unwrap();
        items.iter().map(|item| item.label as usize).zip(cosines).collect::<Vec<_>>()
    });
    (set.class_names.len(), rows.collect())
}

/// Per cent of the images of these classes whose own class scores highest among them.
fn accuracy(rows: &[(usize, Vec<f32>)], classes: Range<usize>) -> f64 {
    let own: Vec<_> = rows.iter().filter(|(label, _)| classes.contains(label)).collect();
    let best = |scores: &[f32]| classes.clone().max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let hits = own.iter().filter(|(label, scores)| best(scores) == Some(*label)).count();
    100.0 * hits as f64 / own.len() as f64
}

/// The numbers of a dataset's row in the note: base, new and all.
fn noted(id: &str) -> Vec<f64> {
    let row = NOTE.lines().find(|line| line.starts_with(&format!("| {id} |")));
    let row = row.unwrap_or_else(|| panic!("assets/pocket/README.md has no row {id}"));
    row.split('|').filter_map(|cell| cell.trim().parse().ok()).take(3).collect()
}

#[test]
fn zero_shot_is_neither_lost_nor_done_and_the_note_says_it() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let mut averages = [0.0; 2];
    let mut shifted = Vec::new();
    for id in datasets() {
        let (count, rows) = scores(&world, id);
        let half = count / 2;
        let [base, new, all] = [0..half, half..count, 0..count].map(|classes| accuracy(&rows, classes));
        println!("| {id} | {half} + {} | {base:.1} | {new:.1} | {all:.1} |", count - half);
        // Half an image in 480 is 0.1: a last bit may decide a tie elsewhere.
        let off = noted(id).iter().zip([base, new, all]).fold(0.0, |m, (a, b)| f64::max(m, (a - b).abs()));
        assert!(noted(id).len() == 3 && off <= 0.4, "{id}: the note says {:?}", noted(id));
        // Shifted test sets are tested on all their classes at once, never by halves.
        let shifts = id.starts_with("imagenet") && id != "imagenet";
        for value in [base, new].into_iter().filter(|_| !shifts) {
            assert!(value >= 300.0 / half as f64 && value <= 90.0, "{id}: {base:.1} and {new:.1}");
        }
        assert!(all >= 300.0 / count as f64, "{id}: {all:.1}");
        if id == "imagenet" || !id.starts_with("imagenet") {
            averages[0] += base / 11.0;
            averages[1] += new / 11.0;
        }
        if id.starts_with("imagenet") {
            shifted.push(all);
        }
    }
    assert!(averages.iter().all(|average| (40.0..=75.0).contains(average)), "{averages:?}");
    assert!(shifted[1..].iter().all(|all| *all < shifted[0]), "a shifted test set is easier: {shifted:?}");
}
