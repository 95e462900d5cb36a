//! `stats` against SciPy and statsmodels: golden files written by `tests/fixtures/stats/make.py`, which
//! also writes the versions it ran under into every file.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use rpo_bench::stats::{
    StatsError, describe, distributions as dist, equivalence, holm, paired, proportions, ranks, special,
    t_tests::MeanDifference, variance, wilcoxon,
};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/stats/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    let cases = golden(name)["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{name} holds no case");
    cases
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Relative error at most 1e-10, absolute at most 1e-14 near zero.
fn assert_close(ours: f64, theirs: f64, what: &str) {
    let allowed = 1e-14 + 1e-10 * theirs.abs();
    assert!((ours - theirs).abs() <= allowed, "{what}: ours {ours:e}, golden {theirs:e}");
}

#[test]
fn special_functions() {
    let file = golden("special");
    type Function = fn(&[f64]) -> f64;
    let functions: [(&str, Function); 10] = [
        ("ln_gamma", |v| special::ln_gamma(v[0])),
        ("beta_inc", |v| special::beta_inc(v[0], v[1], v[2])),
        ("gamma_q", |v| special::gamma_q(v[0], v[1])),
        ("normal_cdf", |v| dist::normal_cdf(v[0])),
        ("normal_quantile", |v| dist::normal_quantile(v[0])),
        ("student_t_quantile", |v| dist::student_t_quantile(v[0], v[1])),
        ("student_t_sf", |v| dist::student_t_sf(v[0], v[1])),
        ("f_sf", |v| dist::f_sf(v[0], v[1], v[2])),
        ("chi_square_sf", |v| dist::chi_square_sf(v[0], v[1])),
        ("chi_square_quantile", |v| dist::chi_square_quantile(v[0], v[1])),
    ];
    for (name, function) in functions {
        for row in file[name].as_array().unwrap() {
            let row = numbers(row);
            let (expected, arguments) = row.split_last().unwrap();
            assert_close(function(arguments), *expected, &format!("{name}{arguments:?}"));
        }
    }
}

#[test]
fn describing() {
    for case in cases("describe") {
        let values = numbers(&case["values"]);
        let interval = describe::t_interval(&values, 0.95).unwrap();
        let plot = describe::five_numbers(&values).unwrap();
        let pairs = [
            ("mean", describe::mean(&values).unwrap()),
            ("std", describe::sample_std(&values).unwrap()),
            ("t_low", interval.low),
            ("t_high", interval.high),
            ("q1", plot.q1),
            ("median", plot.median),
            ("q3", plot.q3),
            ("whisker_low", plot.whisker_low),
            ("whisker_high", plot.whisker_high),
        ];
        for (name, ours) in pairs {
            assert_close(ours, number(&case[name]), &format!("{name} of {values:?}"));
        }
    }
}

#[test]
fn wilson_intervals() {
    for case in cases("wilson") {
        let row = numbers(&case);
        let ours = proportions::wilson(row[0] as u64, row[1] as u64, row[2]).unwrap();
        assert_close(ours.low, row[3], &format!("low {row:?}"));
        assert_close(ours.high, row[4], &format!("high {row:?}"));
    }
}

#[test]
fn friedman_tests() {
    for case in cases("friedman") {
        let blocks: Vec<Vec<f64>> = case["blocks"].as_array().unwrap().iter().map(numbers).collect();
        let ours = ranks::friedman(&blocks).unwrap();
        assert_eq!(ours.mean_ranks.len(), blocks[0].len());
        for (mean, golden) in ours.mean_ranks.iter().zip(numbers(&case["mean_ranks"])) {
            assert_close(*mean, golden, "mean rank");
        }
        assert_close(ours.chi_square, number(&case["chi_square"]), "chi-square");
        assert_close(ours.chi_square_p, number(&case["chi_square_p"]), "chi-square p");
        assert_close(ours.f, number(&case["f"]), "F");
        assert_close(ours.f_p, number(&case["f_p"]), "F p");
        if let Some(exact) = case["enumerated_p"].as_f64() {
            let sampled = ranks::friedman_permutation_p(&blocks, 20_000, 7).unwrap();
            assert!((sampled - exact).abs() < 0.015, "permutation {sampled}, enumerated {exact}");
        }
    }
}

#[test]
fn a_million_permutations_take_seconds() {
    let blocks: Vec<Vec<f64>> =
        (0..11).map(|i| (0..5).map(|j| f64::from((i * 7 + j * 3) % 11)).collect()).collect();
    let started = std::time::Instant::now();
    let p = ranks::friedman_permutation_p(&blocks, 1_000_000, 1).unwrap();
    let secs = started.elapsed().as_secs_f64();
    assert!((0.0..=1.0).contains(&p));
    assert!(secs < 20.0, "took {secs} s");
}

#[test]
fn signed_ranks() {
    for case in cases("wilcoxon") {
        let differences = numbers(&case["differences"]);
        let ours = wilcoxon::signed_rank(&differences).unwrap();
        assert_close(ours.p, number(&case["p"]), &format!("p of {differences:?}"));
        assert_close(ours.w_plus, number(&case["w_plus"]), "W+");
        assert_close(ours.w_minus, number(&case["w_minus"]), "W-");
        let (plus, minus) = (number(&case["w_plus"]), number(&case["w_minus"]));
        assert_close(ours.rank_biserial, (plus - minus) / (plus + minus), "rank-biserial correlation");
    }
}

#[test]
fn paired_tests() {
    for case in cases("paired") {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let ours = MeanDifference::paired(&differences).unwrap();
        let interval = ours.interval(0.95).unwrap();
        assert_close(paired::sign_flip_p(&differences).unwrap(), number(&case["sign_flip_p"]), "sign flips");
        assert_close(ours.t(), number(&case["t"]), "t");
        assert_close(ours.p(), number(&case["p"]), "p");
        assert_close(interval.low, number(&case["low"]), "low");
        assert_close(interval.high, number(&case["high"]), "high");
        assert_close(equivalence::tost_p(&ours, 1.0).unwrap(), number(&case["tost_p"]), "TOST");
    }
}

#[test]
fn welch_tests() {
    for case in cases("welch") {
        let ours = MeanDifference::welch(&numbers(&case["a"]), &numbers(&case["b"])).unwrap();
        let interval = ours.interval(0.95).unwrap();
        assert_close(ours.t(), number(&case["t"]), "t");
        assert_close(ours.df, number(&case["df"]), "df");
        assert_close(ours.p(), number(&case["p"]), "p");
        assert_close(interval.low, number(&case["low"]), "low");
        assert_close(interval.high, number(&case["high"]), "high");
        assert_close(equivalence::tost_p(&ours, 1.0).unwrap(), number(&case["tost_p"]), "TOST");
    }
}

#[test]
fn holm_families() {
    for case in cases("holm") {
        let ours = holm::holm(&numbers(&case["p"])).unwrap();
        let golden = numbers(&case["adjusted"]);
        assert_eq!(ours.len(), golden.len());
        ours.iter().zip(golden).for_each(|(ours, golden)| assert_close(*ours, golden, "Holm"));
    }
}

#[test]
fn mcnemar_tests() {
    for case in cases("mcnemar") {
        let row = numbers(&case);
        let ours = paired::mcnemar_counts(row[0] as u64, row[1] as u64).p;
        assert_close(ours, row[2], &format!("McNemar {row:?}"));
    }
}

#[test]
fn variances() {
    for case in cases("variance") {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let interval = variance::chi_square_interval(&a, 0.95).unwrap();
        assert_close(interval.low, number(&case["low"]), "low");
        assert_close(interval.high, number(&case["high"]), "high");
        assert_close(variance::paired_spread_p(&a, &b).unwrap(), number(&case["spread_p"]), "spread");
    }
}

#[test]
fn nan_never_passes_in_silence() {
    let bad = [1.0, f64::NAN, 2.0];
    let named = Err(1);
    let index = |e: StatsError| match e {
        StatsError::NotFinite { index, .. } => Err::<(), usize>(index),
        other => panic!("{other}"),
    };
    assert_eq!(wilcoxon::signed_rank(&bad).map(|_| ()).or_else(index), named);
    assert_eq!(paired::sign_flip_p(&bad).map(|_| ()).or_else(index), named);
    assert_eq!(MeanDifference::paired(&bad).map(|_| ()).or_else(index), named);
    assert_eq!(ranks::midranks(&bad).map(|_| ()).or_else(index), named);
}
