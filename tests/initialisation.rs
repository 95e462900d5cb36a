//! Initial values of the trained parameters: where they lie and how they are distributed.
//!
//! Noise of RPO's prompts is tested with its switch, in `protocol_switches`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

use std::sync::Arc;

use candle_core::Tensor;
use rpo_bench::backbone::Clip;
use rpo_bench::method::{ClassTexts, Method, SettingsTable};
use rpo_bench::method::{Named, find};
use rpo_bench::suite::load_pocket;
use rpo_bench::util::rng::Stream;

fn method(id: &str) -> Box<dyn Method> {
    let entry = find(id).unwrap();
    (entry.build)(SettingsTable::split(entry.default_table().unwrap()).own).unwrap()
}

/// The pocket CLIP, one prompt, and the embeddings of "a photo of a".
fn pocket() -> (Arc<Clip>, Vec<Vec<u32>>, Tensor) {
    let loaded = load_pocket().unwrap();
    let ids = loaded.tokenizer.as_ref().unwrap().encode("a photo of a cup.").unwrap();
    let clip = Clip::new(loaded.config.clone(), &loaded.weights).unwrap();
    let words = clip.text.embed(&ids[1..5]).unwrap();
    (Arc::new(clip), vec![ids], words)
}

fn initial(id: &str, seed: &str) -> Named {
    let (clip, prompts, _) = pocket();
    let mut stream = Stream::new(&["initialisation", seed]);
    method(id).init(&clip, &ClassTexts::of(&prompts), None, &mut stream).unwrap().values().unwrap()
}

fn numbers(named: &Named, name: &str) -> Vec<f32> {
    let tensor = named.iter().find(|(known, _)| *known == name).unwrap().1;
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn the_context_starts_as_a_photo_of_a() {
    let (.., words) = pocket();
    let words: Vec<f32> = words.flatten_all().unwrap().to_vec1().unwrap();
    for id in ["coop", "cocoop"] {
        assert_eq!(numbers(&initial(id, "1"), "ctx"), words, "{id}");
    }
}

/// PyTorch's `Linear` default: weight and bias from U(−1/√fan_in, 1/√fan_in), fan_in of the layer.
/// Kolmogorov–Smirnov distance to that distribution; 1.95/√n is its 0.1 % point.
#[test]
fn the_meta_net_starts_as_a_pytorch_linear() {
    let (clip, ..) = pocket();
    let joint = clip.config.projection_dim;
    let hidden = joint / 16;
    for (layer, fan_in) in [("linear1", joint), ("linear2", hidden)] {
        let bound = 1.0 / (fan_in as f64).sqrt();
        for part in ["weight", "bias"] {
            let name = format!("meta_net.{layer}.{part}");
            let mut values: Vec<f64> = (0..20)
                .flat_map(|seed| numbers(&initial("cocoop", &seed.to_string()), &name))
                .map(f64::from)
                .collect();
            values.sort_by(f64::total_cmp);
            let n = values.len() as f64;
            let distance = values.iter().enumerate().map(|(rank, value)| {
                let expected = (value / bound + 1.0) / 2.0;
                assert!((-1e-6..=1.0 + 1e-6).contains(&expected), "{name}: {value} beyond {bound}");
                (expected - rank as f64 / n).abs().max((expected - (rank as f64 + 1.0) / n).abs())
            });
            let distance = distance.fold(0.0, f64::max);
            assert!(distance < 1.95 / n.sqrt(), "{name}: {distance} over {n} values");
        }
    }
}

#[test]
fn another_seed_gives_other_values_and_the_same_seed_the_same() {
    for (id, name) in
        [("rpo", "text_prompt"), ("rpo", "visual_prompt"), ("cocoop", "meta_net.linear1.weight")]
    {
        assert_eq!(numbers(&initial(id, "1"), name), numbers(&initial(id, "1"), name));
        assert_ne!(numbers(&initial(id, "1"), name), numbers(&initial(id, "2"), name));
    }
}

#[test]
fn the_probe_starts_as_the_identity() {
    let named = initial("linear_probe", "1");
    let weight = numbers(&named, "weight");
    let joint = weight.len().isqrt();
    assert!(weight.iter().enumerate().all(|(i, w)| *w == if i / joint == i % joint { 1.0 } else { 0.0 }));
    assert!(numbers(&named, "bias").iter().all(|b| *b == 0.0));
}
