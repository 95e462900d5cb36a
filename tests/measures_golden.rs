//! Measures of predictions against scikit-learn and brute force over all pairs: `tests/fixtures/stats/make_measures.py`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use rpo_bench::stats::measures::{
    ByClass, Calibration, Classified, Scored, accuracy, auroc, brier_true, nll, open_world_auc,
};
use serde_json::Value;

fn numbers(case: &Value, key: &str) -> Vec<f64> {
    case[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn outcomes(case: &Value) -> Vec<Classified> {
    let (labels, predicted) = (numbers(case, "label"), numbers(case, "predicted"));
    let pairs = labels.into_iter().zip(predicted);
    pairs.map(|(label, predicted)| Classified { label: label as u32, predicted: predicted as u32 }).collect()
}

/// Images of the base and of the new group.
fn groups(case: &Value, outcomes: &[Classified]) -> [Vec<Scored>; 2] {
    let is_new: Vec<bool> =
        case["is_new"].as_array().unwrap().iter().map(|value| value.as_bool().unwrap()).collect();
    let scores = numbers(case, "score");
    [false, true].map(|wanted| {
        let rows = outcomes.iter().zip(&scores).zip(&is_new).filter(|(_, new)| **new == wanted);
        rows.map(|((outcome, score), _)| Scored { score: *score, is_right: outcome.is_right() }).collect()
    })
}

#[test]
fn measures_agree_with_scikit_learn() {
    let path = format!("{}/tests/fixtures/stats/measures.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let rows = outcomes(case);
        let classes = ByClass::new(&rows);
        let confidences = numbers(case, "p_predicted");
        let calibration = Calibration::new(rows.iter().copied().zip(confidences)).unwrap();
        let p_true = numbers(case, "p_true");
        let [base, new] = groups(case, &rows);
        let scores = |group: &[Scored]| group.iter().map(|image| image.score).collect::<Vec<_>>();
        let ours = [
            ("accuracy", accuracy(&rows).unwrap()),
            ("mean_per_class", classes.mean().unwrap()),
            ("worst_class", classes.worst().unwrap()),
            ("worst_tenth", classes.worst_tenth().unwrap()),
            ("macro_f1", classes.macro_f1().unwrap()),
            ("nll", nll(&p_true).unwrap()),
            ("brier_true", brier_true(&p_true).unwrap()),
            ("ece_15", calibration.ece()),
            ("adaptive_ece_15", calibration.adaptive_ece()),
            ("auroc", auroc(&scores(&base), &scores(&new)).unwrap()),
            ("open_world_auc", open_world_auc(&base, &new).unwrap()),
        ];
        for (name, value) in ours {
            let golden = case[name].as_f64().unwrap();
            assert!((value - golden).abs() <= 1e-12, "{name}: ours {value}, golden {golden}");
        }
    }
}
