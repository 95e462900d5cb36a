//! `data::pyrandom` and `data::fewshot` against CPython 3.11.7, exactly.
//!
//! `python_random.json` came with the protocol; `python_random_edges.json` is written by
//! `make_python_random_edges.py` beside it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use rpo_bench::data::{Item, PyRandom, Split, fewshot};
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/protocol/{name}", env!("CARGO_MANIFEST_DIR"));
    let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(value["python"], "3.11.7");
    value
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn numbers(value: &Value) -> Vec<usize> {
    array(value).iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

fn text_u64(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// `0x1.fb5355e16737ap-2`, the form `float.hex` prints.
fn hex_float(value: &Value) -> f64 {
    let text = value.as_str().unwrap().strip_prefix("0x1.").unwrap();
    let (fraction, exponent) = text.split_once('p').unwrap();
    let fraction = u64::from_str_radix(fraction, 16).unwrap() as f64 / 2f64.powi(4 * fraction.len() as i32);
    (1.0 + fraction) * 2f64.powi(exponent.parse().unwrap())
}

fn range(n: usize) -> Vec<usize> {
    (0..n).collect()
}

#[test]
fn first_outputs_of_small_seeds() {
    let document = fixture("python_random.json");
    let cases = document["raw"].as_object().unwrap();
    assert_eq!(cases.len(), 7);
    for (seed, case) in cases {
        let mut random = PyRandom::from_decimal(seed).unwrap();
        for word in numbers(&case["getrandbits32"]) {
            assert_eq!(random.getrandbits(32), Some(word as u64), "seed {seed}");
        }
        for float in array(&case["random"]) {
            assert_eq!(random.random().to_bits(), hex_float(float).to_bits(), "seed {seed}");
        }
        assert_eq!(random.sample(&range(1000), 20).unwrap(), numbers(&case["sample_range1000_20"]));
        assert_eq!(random.sample(&range(20), 16).unwrap(), numbers(&case["sample_range20_16"]));
        let mut shuffled = range(20);
        random.shuffle(&mut shuffled);
        assert_eq!(shuffled, numbers(&case["shuffle20"]), "seed {seed}");
    }
}

#[test]
fn long_seeds_and_both_branches_of_sample() {
    let document = fixture("python_random_edges.json");
    assert_eq!(array(&document["cases"]).len(), 11);
    for case in array(&document["cases"]) {
        let seed = case["seed"].as_str().unwrap();
        let mut random = PyRandom::from_decimal(seed).unwrap();
        for draw in array(&case["getrandbits"]) {
            let bits = draw["bits"].as_u64().unwrap() as u32;
            assert_eq!(random.getrandbits(bits), Some(text_u64(&draw["value"])), "seed {seed}, {bits} bits");
        }
        for float in array(&case["random"]) {
            assert_eq!(random.random().to_bits(), hex_float(float).to_bits(), "seed {seed}");
        }
        for draw in array(&case["below"]) {
            assert_eq!(random.below(text_u64(&draw["n"])), text_u64(&draw["value"]), "seed {seed}: {draw}");
        }
        for draw in array(&case["samples"]) {
            let (n, k) = (draw["n"].as_u64().unwrap() as usize, draw["k"].as_u64().unwrap() as usize);
            let sample = random.sample(&range(n), k).unwrap();
            assert_eq!(sample, numbers(&draw["value"]), "seed {seed}, {k} of {n}");
        }
        let mut shuffled = range(50);
        random.shuffle(&mut shuffled);
        assert_eq!(shuffled, numbers(&case["shuffle50"]), "seed {seed}");
        let last = (0..=2000).map(|_| random.getrandbits(32)).last().unwrap();
        assert_eq!(last, case["last32"].as_u64(), "seed {seed}");
    }
}

#[test]
fn few_shot_draws_of_the_protocol() {
    let items = |labels: &Value| -> Vec<Item> {
        numbers(labels).iter().map(|&n| Item { path: String::new(), label: n as u32 }).collect()
    };
    let document = fixture("python_random.json");
    let mut checked = 0;
    for list in array(&document["few_shot"]) {
        let (train, val) = (items(&list["train_labels"]), items(&list["val_labels"]));
        let split = Split { train, val, test: vec![] };
        for expected in array(&list["draws"]) {
            let shots = expected["shots"].as_u64().unwrap() as u32;
            let drawn = fewshot::draw(&split, shots, expected["seed"].as_u64().unwrap());
            assert_eq!(drawn.train, numbers(&expected["train"]), "{}, {shots} shots", list["name"]);
            assert_eq!(drawn.val, numbers(&expected["val"]), "{}, {shots} shots", list["name"]);
            checked += 1;
        }
    }
    assert_eq!(checked, 30);
}
