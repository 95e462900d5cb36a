//! Shift of tokens against loss: a correlation over methods, without a p that its points cannot carry.

use std::collections::BTreeMap;

use rpo_bench::data::Classes;
use rpo_bench::record::{Measurement, RunRecord};
use rpo_bench::report::Section;

use crate::records::record;
use crate::rendering::{page, spec};

/// Methods whose text tokens move by `shift`, and which gain `change` of 1 000 new-class images on zero-shot.
fn measured() -> Vec<RunRecord> {
    let methods =
        [("zero_shot", 0.0, 0_i64), ("linear_probe", 0.0, 30), ("coop", 0.1, -20), ("cocoop", 0.3, -60)];
    let mut records = Vec::new();
    for dataset in ["dtd", "eurosat", "ucf101"] {
        for (method, shift, change) in methods {
            let correct = (700 + change).unsigned_abs();
            let seed = (method != "zero_shot").then_some(1);
            let mut record = record(method, dataset, seed, 16, &[(dataset, Classes::New, correct, 1_000)]);
            record.measurements = ["text", "vision"].map(|tower| at(tower, shift)).to_vec();
            records.push(record);
        }
    }
    records
}

fn at(tower: &str, shift: f64) -> Measurement {
    let value = if tower == "text" { shift } else { 0.0 };
    let place = [("tower", tower), ("reference", "no_prompts"), ("classes", "new"), ("layer", "1")];
    let place: BTreeMap<String, String> =
        place.into_iter().map(|(key, word)| (key.to_owned(), word.to_owned())).collect();
    Measurement { quantity: "one_minus_cosine_mean".to_owned(), place, value }
}

#[test]
fn methods_are_the_unit_and_no_p_is_given() {
    let page = page(&measured(), &spec(&[Section::RepresentationShift]));
    assert!(page.contains("over the averages of 3 methods: text −1.00, vision +0.00"), "{page}");
    assert!(page.contains("Over all 9 points"), "{page}");
    assert!(page.contains("No p: the question is about methods") && !page.contains("(p "), "{page}");
}
