//! What the intervals of calibration and class measures hold: seeded simulations over seeds and images, the truth being
//! the mean of the measure over all simulated trainings and test sets of that size.
//!
//! The control draws intervals from one kind of error alone; they hold far less. `cargo test --release --test
//! measures_coverage -- --nocapture` prints the table that `docs/statistics.md` repeats.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use rpo_bench::stats::grouped::{GroupedEstimate, Term};
use rpo_bench::stats::measures::{Classified, MeasuredRow, NamedMeasure, SetMeasures};
use rpo_bench::util::rng::Stream;

const REPEATS: usize = 300;
const CLASSES: usize = 10;

/// A world: spread of the seeds' skill, images a test set.
#[derive(Clone, Copy)]
struct World {
    seeds: usize,
    seed_spread: f64,
    images: usize,
}

/// A softmax classifier whose logits err, too sure of itself by half. Skill is that of the image, of the class, of the
/// seed, and of seed and image together.
fn test_set(world: World, stream: &mut Stream) -> Vec<SetMeasures> {
    let images: Vec<[f64; CLASSES]> =
        (0..world.images).map(|_| std::array::from_fn(|_| stream.normal())).collect();
    let skills: Vec<f64> = (0..world.seeds).map(|_| world.seed_spread * stream.normal()).collect();
    let seed = |skill: &f64| {
        let rows: Vec<MeasuredRow> = images
            .iter()
            .enumerate()
            .map(|(i, noise)| row(i * CLASSES / world.images, noise, *skill, stream))
            .collect();
        SetMeasures::new(&rows).unwrap()
    };
    skills.iter().map(seed).collect()
}

fn row(label: usize, noise: &[f64; CLASSES], skill: f64, stream: &mut Stream) -> MeasuredRow {
    let own = 2.2 + skill + 0.12 * label as f64;
    let logit = |class: usize| {
        let truth = if class == label { own } else { 0.0 };
        1.5 * (truth + noise[class] + 0.3 * stream.normal())
    };
    let logits: Vec<f64> = (0..CLASSES).map(logit).collect();
    let best = (0..CLASSES).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap();
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    MeasuredRow {
        classified: Classified { label: label as u32, predicted: best as u32 },
        p_true: logits[label].exp() / sum,
        p_predicted: Some(logits[best].exp() / sum),
    }
}

fn estimate(sets: &[SetMeasures], measure: NamedMeasure) -> GroupedEstimate {
    let term = Term::over_seeds(
        sets.iter().map(|set| set.value(measure).unwrap()).collect(),
        &sets.iter().map(|set| set.without(measure).unwrap()).collect::<Vec<_>>(),
    );
    GroupedEstimate::of(&[term], true).unwrap()
}

/// Coverage in percent of a measure's interval, of that of seeds alone and of that of images alone.
fn coverages(world: World) -> Vec<(NamedMeasure, [f64; 3])> {
    let words = format!("{} {} {}", world.seeds, world.seed_spread, world.images);
    let mut stream = Stream::new(&["measures coverage", &words]);
    let worlds: Vec<Vec<SetMeasures>> = (0..REPEATS).map(|_| test_set(world, &mut stream)).collect();
    let of = |measure: NamedMeasure| {
        let estimates: Vec<GroupedEstimate> = worlds.iter().map(|sets| estimate(sets, measure)).collect();
        let truth = estimates.iter().map(|e| e.value).sum::<f64>() / REPEATS as f64;
        let holds = |e: GroupedEstimate| e.interval(0.95).is_ok_and(|i| (i.low..=i.high).contains(&truth));
        let share = |change: fn(GroupedEstimate) -> GroupedEstimate| {
            100.0 * estimates.iter().filter(|e| holds(change(**e))).count() as f64 / REPEATS as f64
        };
        let shares = [
            share(|e| e),
            share(|e| GroupedEstimate { image_variance: 0.0, ..e }),
            share(|e| GroupedEstimate { seed_variance: 0.0, ..e }),
        ];
        (measure, shares)
    };
    NamedMeasure::ALL.into_iter().map(of).collect()
}

#[test]
fn intervals_over_seeds_and_images_hold() {
    for (seeds, seed_spread, images) in [(3, 0.0, 320), (3, 0.3, 320), (3, 0.3, 1000), (10, 0.3, 320)] {
        let found = coverages(World { seeds, seed_spread, images });
        for (measure, [both, of_seeds, of_images]) in &found {
            println!(
                "{seeds} seeds, spread {seed_spread}, {images} images, {}: {both:.1} (seeds alone {of_seeds:.1}, images \
                 alone {of_images:.1})",
                measure.name()
            );
            // 300 repeats have a standard error of 1.3 points.
            assert!(*both >= 91.0, "{}: {both}", measure.name());
        }
        if seed_spread > 0.0 && seeds == 3 {
            let images_alone = found.iter().filter(|(_, shares)| shares[2] < 85.0).count();
            assert!(images_alone >= 5, "an interval of images alone must not be enough: {found:?}");
        }
        if seed_spread == 0.0 {
            assert!(found.iter().any(|(_, shares)| shares[1] < 85.0), "nor one of seeds alone: {found:?}");
        }
    }
}
