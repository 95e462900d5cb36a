//! Made-up suites with a known truth: methods whose accuracies over all seeds and images are equal or apart by
//! a stated number of points, with per-image predictions. What the marks of a page say can be counted on them.

use std::collections::BTreeMap;

use rpo_bench::data::Classes;
use rpo_bench::record::{Evaluation, Prediction, RunRecord};
use rpo_bench::util::rng::Stream;

use crate::records::record;

/// Latent value above which 0 is right at no shift: 78 % of images.
const LEVEL: f64 = 0.95;
/// Standard deviation of the latent value: image, method on image, and chance.
const LATENT: f64 = 1.224_744_871_391_589;
/// Points of accuracy for a latent unit near [`LEVEL`]: 100 times the normal density there over [`LATENT`].
const POINTS_A_UNIT: f64 = 24.07;

/// A suite to make up.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Names the random numbers.
    pub seed: u64,
    /// Methods with the points by which each is better than the first, on every dataset.
    pub methods: Vec<(&'static str, f64)>,
    /// Datasets.
    pub datasets: Vec<&'static str>,
    /// Seeds of every trained method.
    pub seeds: Vec<u64>,
    /// Test images of each half.
    pub images: usize,
    /// Standard deviation of a method's accuracy over seeds, in points.
    pub seed_std: f64,
}

/// Records, and which images each of their evaluations has right.
pub struct Suite {
    /// One record per dataset, method and seed.
    pub records: Vec<RunRecord>,
    right: BTreeMap<(String, String, Classes), Vec<bool>>,
}

impl Suite {
    /// The predictions behind an evaluation.
    pub fn predictions(&self, record: &RunRecord, evaluation: &Evaluation) -> Option<Vec<Prediction>> {
        let place = (record.key.clone(), evaluation.dataset.clone(), evaluation.classes);
        let row = |(i, right): (usize, &bool)| Prediction {
            path: i.to_string(),
            label: 1,
            predicted: u32::from(*right),
            p_true: 0.5,
            confidence: None,
        };
        Some(self.right.get(&place)?.iter().enumerate().map(row).collect())
    }
}

impl Simulated {
    /// Draws the suite.
    pub fn draw(&self) -> Suite {
        let mut suite = Suite { records: Vec::new(), right: BTreeMap::new() };
        for dataset in &self.datasets {
            let mut stream = Stream::new(&["simulated suite", &self.seed.to_string(), dataset]);
            let halves = [Classes::Base, Classes::New].map(|classes| (classes, self.half(&mut stream)));
            for (m, (method, _)) in self.methods.iter().enumerate() {
                for (s, seed) in self.seeds.iter().enumerate() {
                    let of = |(classes, right): &(Classes, Vec<Vec<Vec<bool>>>)| {
                        let correct = right[m][s].iter().filter(|r| **r).count() as u64;
                        (*dataset, *classes, correct, self.images as u64)
                    };
                    let record = record(method, dataset, Some(*seed), 16, &[of(&halves[0]), of(&halves[1])]);
                    for (classes, right) in &halves {
                        let place = (record.key.clone(), (*dataset).to_owned(), *classes);
                        suite.right.insert(place, right[m][s].clone());
                    }
                    suite.records.push(record);
                }
            }
        }
        suite
    }

    /// Right or wrong by method, seed and image: images are as hard for every method, methods have images of
    /// their own, and a seed shifts a method's whole accuracy.
    fn half(&self, stream: &mut Stream) -> Vec<Vec<Vec<bool>>> {
        let hard: Vec<f64> = (0..self.images).map(|_| stream.normal()).collect();
        let method = |(_, better): &(&str, f64)| -> Vec<Vec<bool>> {
            let own: Vec<f64> = (0..self.images).map(|_| 0.5 * stream.normal()).collect();
            let seed = |_: &u64| {
                let shift = (better + self.seed_std * stream.normal()) / POINTS_A_UNIT;
                let value = |i: usize| LEVEL + shift + hard[i] + own[i] + 0.5 * stream.normal();
                (0..self.images).map(value).map(|v| v > 0.0).collect()
            };
            self.seeds.iter().map(seed).collect()
        };
        self.methods.iter().map(method).collect()
    }
}

#[test]
fn the_made_up_methods_have_the_stated_accuracy_and_spread() {
    let made = Simulated {
        seed: 1,
        methods: vec![("coop", 0.0), ("rpo", 3.0)],
        datasets: vec!["dtd"],
        seeds: (1..=60).collect(),
        images: 2_000,
        seed_std: 2.0,
    };
    let suite = made.draw();
    let of = |method: &str| -> Vec<f64> {
        let same = suite.records.iter().filter(|r| r.cell.method == method);
        same.map(|r| r.evaluations[0].correct as f64 / 20.0).collect()
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (low, high) = (of("coop"), of("rpo"));
    assert!((mean(&low) - 78.1).abs() < 2.0, "{}", mean(&low));
    assert!((mean(&high) - mean(&low) - 3.0).abs() < 1.5, "{}", mean(&high) - mean(&low));
    let spread = rpo_bench::stats::describe::sample_std(&low).unwrap();
    assert!((spread - 2.0).abs() < 0.6, "{spread}");
    assert!((LATENT * LATENT - 1.5).abs() < 1e-12);
}
