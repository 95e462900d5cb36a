//! CPython's random numbers and the few-shot draws made with them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check::{Check, ParityReport};
use crate::data::{Item, PyRandom, Split, fewshot};

/// `python_random.json`.
#[derive(Deserialize)]
pub(super) struct PythonRandom {
    raw: BTreeMap<String, RawDraws>,
    few_shot: Vec<FewShotLists>,
}

#[derive(Deserialize)]
struct RawDraws {
    getrandbits32: Vec<u64>,
    random: Vec<String>,
    sample_range1000_20: Vec<usize>,
    sample_range20_16: Vec<usize>,
    shuffle20: Vec<usize>,
}

#[derive(Deserialize)]
struct FewShotLists {
    name: String,
    train_labels: Vec<u32>,
    val_labels: Vec<u32>,
    draws: Vec<FewShotDraw>,
}

#[derive(Deserialize)]
struct FewShotDraw {
    seed: u64,
    shots: u32,
    train: Vec<usize>,
    val: Vec<usize>,
}

/// Checks every draw for equality.
pub(super) fn check_draws(golden: &PythonRandom, report: &mut ParityReport) {
    for (seed, case) in &golden.raw {
        match PyRandom::from_decimal(seed) {
            Ok(random) => check_raw(seed, case, random, report),
            Err(_) => report.skipped.push(format!("python_random.raw.{seed}")),
        }
    }
    for list in &golden.few_shot {
        let items =
            |labels: &[u32]| labels.iter().map(|label| Item { path: String::new(), label: *label }).collect();
        let split =
            Split { train: items(&list.train_labels), val: items(&list.val_labels), test: Vec::new() };
        for draw in &list.draws {
            let ours = fewshot::draw(&split, draw.shots, draw.seed);
            let name = format!("few_shot.{}.seed{}.shots{}", list.name, draw.seed, draw.shots);
            report.checks.push(Check::exact(&format!("{name}.train"), &ours.train, &draw.train));
            report.checks.push(Check::exact(&format!("{name}.val"), &ours.val, &draw.val));
        }
    }
}

fn check_raw(seed: &str, case: &RawDraws, mut random: PyRandom, report: &mut ParityReport) {
    let mut check = |what: &str, ours: &[u64], expected: &[u64]| {
        report.checks.push(Check::exact(&format!("python_random.{seed}.{what}"), ours, expected));
    };
    let wide = |values: &[usize]| -> Vec<u64> { values.iter().map(|value| *value as u64).collect() };
    let words: Vec<u64> = case.getrandbits32.iter().filter_map(|_| random.getrandbits(32)).collect();
    check("getrandbits32", &words, &case.getrandbits32);
    let floats: Vec<u64> = case.random.iter().map(|_| random.random().to_bits()).collect();
    let expected: Vec<u64> = case.random.iter().map(|text| hex_float(text).to_bits()).collect();
    check("random", &floats, &expected);
    for (what, n, expected) in [
        ("sample_range1000_20", 1000, &case.sample_range1000_20),
        ("sample_range20_16", 20, &case.sample_range20_16),
    ] {
        let items: Vec<usize> = (0..n).collect();
        let ours = random.sample(&items, expected.len()).unwrap_or_default();
        check(what, &wide(&ours), &wide(expected));
    }
    let mut shuffled: Vec<usize> = (0..20).collect();
    random.shuffle(&mut shuffled);
    check("shuffle20", &wide(&shuffled), &wide(&case.shuffle20));
}

/// Reads what Python's `float.hex` prints (`0x1.fb53p-2`); anything else is NaN, which equals nothing.
fn hex_float(text: &str) -> f64 {
    let parse = || {
        let (mantissa, exponent) = text.strip_prefix("0x")?.split_once('p')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = u64::from_str_radix(fraction, 16).ok()? as f64;
        let whole = u64::from_str_radix(whole, 16).ok()? as f64;
        let exponent: i32 = exponent.parse().ok()?;
        Some((whole + digits / 16f64.powi(fraction.len() as i32)) * 2f64.powi(exponent))
    };
    parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::hex_float;

    #[test]
    fn hexadecimal_floats() {
        assert_eq!(hex_float("0x1.8000000000000p-1"), 0.75);
        assert_eq!(hex_float("0x0.0p+0"), 0.0);
        assert!(hex_float("nonsense").is_nan());
    }
}
