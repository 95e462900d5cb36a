//! Measures in reports: `measures.csv` against plain counting, the sections against numbers by hand, and what they say
//! where there is nothing to measure.

use rpo_bench::data::{Classes, Confidence};
use rpo_bench::record::{Evaluation, Prediction, RunRecord};
use rpo_bench::report::{Section, render};

use crate::explorer::predictions;
use crate::records::record;
use crate::rendering::spec;

/// One dataset, zero-shot and RPO at three seeds; ten classes, 60 images a half.
fn records() -> Vec<RunRecord> {
    let cell = |method: &str, seed: Option<u64>, base: u64, new: u64| {
        record(method, "dtd", seed, 16, &[("dtd", Classes::Base, base, 60), ("dtd", Classes::New, new, 60)])
    };
    let mut records = vec![cell("zero_shot", None, 36, 42)];
    records.extend((1..=3).map(|seed| cell("rpo", Some(seed), 46 + seed, 41 + seed)));
    records
}

fn page_with(
    sections: &[Section],
    of: &dyn Fn(&RunRecord, &Evaluation) -> Option<Vec<Prediction>>,
) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    render(&records(), &spec(sections), dir.path(), of).unwrap();
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    (read("README.md"), read("measures.csv"))
}

#[test]
fn measures_csv_counts_what_the_predictions_say() {
    let (_, csv) = page_with(&[], &predictions);
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 8);
    for row in rows {
        let text = |name: &str| row[header.iter().position(|own| *own == name).unwrap()];
        let number = |name: &str| text(name).parse::<f64>().unwrap();
        let all = records();
        let record = all.iter().find(|record| record.key == text("record")).unwrap();
        let evaluation = record.evaluations.iter().find(|e| e.classes.as_str() == text("classes")).unwrap();
        let own = predictions(record, evaluation).unwrap();
        let mut by_class = [(0.0, 0.0); 10];
        for prediction in &own {
            by_class[prediction.label as usize].1 += 1.0;
            by_class[prediction.label as usize].0 +=
                f64::from(u8::from(prediction.label == prediction.predicted));
        }
        let mut each: Vec<f64> = by_class.iter().map(|(right, all)| 100.0 * right / all).collect();
        each.sort_by(f64::total_cmp);
        let nll = own.iter().map(|row| -f64::from(row.p_true).ln()).sum::<f64>() / 60.0;
        let close =
            |name: &str, value: f64| assert!((number(name) - value).abs() < 2e-6, "{name} {value} {row:?}");
        close("accuracy_pct", 100.0 * evaluation.correct as f64 / 60.0);
        close("mean_per_class_pct", each.iter().sum::<f64>() / 10.0);
        close("worst_class_pct", each[0]);
        close("worst_tenth_pct", each[0]);
        close("nll_nats", nll);
        assert_eq!((text("images"), text("dataset")), ("60", "dtd"));
        assert!(number("ece_pct") > 0.0 && number("ece_pct") <= 100.0);
    }
}

#[test]
fn sections_show_intervals_explain_themselves_and_set_nothing_apart() {
    for section in [Section::Calibration, Section::Classes] {
        let (page, _) = page_with(&[section], &predictions);
        assert!(page.contains("(../../docs/statistics.md#calibration-and-classes)"), "{section:?}");
        // The legend of names has no numbers; what it names is a column of a file.
        let is_row = |line: &&str| line.starts_with("| RPO ") && !line.contains("`rpo`");
        let tables: Vec<&str> = page.lines().filter(is_row).collect();
        assert!(tables.len() >= 2 && tables.iter().all(|line| line.contains('[')), "{tables:?}");
        assert!(tables.iter().all(|line| !line.contains("**")), "no order was tested");
    }
    let (page, _) = page_with(&[Section::Classes], &predictions);
    let line = page.lines().find(|line| line.starts_with("| DTD ") && line.contains("| base ")).unwrap();
    let counts = line.split('|').nth(4).unwrap().trim();
    let sum: u32 = counts.split('–').map(|n| n.parse::<u32>().unwrap()).sum();
    assert_eq!(sum, 10, "every class is won, equal or lost: {line}");
}

/// Several shots: the highest is shown in full and says so, the others have tables over shots.
#[test]
fn the_highest_number_of_shots_is_shown_and_named() {
    let page = |shots: &[u32]| {
        let cell = |method: &str, seed: Option<u64>, shots: u32| {
            record(
                method,
                "dtd",
                seed,
                shots,
                &[("dtd", Classes::Base, 40, 60), ("dtd", Classes::New, 41, 60)],
            )
        };
        let mut records = vec![cell("zero_shot", None, 16)];
        records.extend(
            shots.iter().flat_map(|k| (1..=2).map(|seed| cell("rpo", Some(seed), *k)).collect::<Vec<_>>()),
        );
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(&[Section::Calibration, Section::Classes]);
        render(&records, &spec, dir.path(), &predictions).unwrap();
        std::fs::read_to_string(dir.path().join("README.md")).unwrap()
    };
    let several = page(&[4, 16]);
    assert_eq!(several.matches("16 shots, the most of 4 and 16.").count(), 2, "{several}");
    for title in ["**ECE over shots, base classes**", "**worst 10 % over shots, new classes**"] {
        let table = several.split(title).nth(1).unwrap_or_else(|| panic!("{title}: {several}"));
        let header = table.lines().find(|line| line.starts_with('|')).unwrap();
        let columns: Vec<&str> = header.split('|').map(str::trim).filter(|word| !word.is_empty()).collect();
        assert_eq!(columns, ["method", "4", "16"]);
    }
    let single = page(&[16]);
    assert!(!single.contains("the most of") && !single.contains("over shots"), "{single}");
}

/// Other datasets than the one trained on have tables of their own, and its numbers are in no average with theirs.
#[test]
fn other_datasets_stand_apart_from_the_one_trained_on() {
    let tested = [("imagenet", 30), ("imagenet_a", 20), ("imagenet_r", 10)];
    let tested = tested.map(|(id, right)| (id, Classes::All, right, 60));
    let mut records = vec![record("zero_shot", "imagenet", None, 16, &tested)];
    records.extend((1..=2).map(|seed| record("rpo", "imagenet", Some(seed), 16, &tested)));
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(&[Section::Calibration, Section::Classes]);
    let report = render(&records, &spec, dir.path(), &predictions).unwrap();
    let page = std::fs::read_to_string(dir.path().join("README.md")).unwrap();
    assert_eq!(page.matches("### Tested on the dataset trained on").count(), 2, "{page}");
    let shifted: Vec<&str> =
        page.split("### Trained on ImageNet, tested on other datasets").skip(1).collect();
    assert_eq!(shifted.len(), 2);
    assert!(shifted.iter().all(|part| part.trim_start().starts_with("_Means over 2 datasets")), "{page}");
    for name in ["reliability_all.png", "reliability_all_shifted.png"] {
        assert!(report.files.iter().any(|file| file == name), "{name}: {:?}", report.files);
    }
}

/// Files of earlier versions hold no confidences, and some are gone.
#[test]
fn what_is_missing_is_said_and_is_no_zero() {
    let without = |record: &RunRecord, evaluation: &Evaluation| {
        let rows = predictions(record, evaluation)?;
        Some(rows.into_iter().map(|row| Prediction { confidence: None, ..row }).collect())
    };
    let (page, csv) = page_with(&[Section::Calibration, Section::Classes], &without);
    assert!(page.contains("No predictions with confidences"), "{page}");
    assert!(page.contains("**Base classes**"), "classes need none");
    let first = csv.lines().nth(1).unwrap();
    assert!(first.contains(",,,dtd,"), "both calibration errors are empty: {first}");
    let (page, csv) = page_with(&[Section::Calibration, Section::Classes], &|_, _| None);
    assert!(page.contains("No dataset has predictions of every method"), "{page}");
    assert!(csv.lines().nth(1).unwrap().contains(",,,,,,,,,,"), "{csv}");
}

/// Every image right within its half; among all classes half of the base images and a third of the new ones, the others
/// taken for a class of the other half, all equally sure.
fn one_space(_: &RunRecord, evaluation: &Evaluation) -> Option<Vec<Prediction>> {
    let row = |half: u32, image: u32| {
        let is_all = evaluation.classes == Classes::All;
        let own = image / 6 + if is_all { 10 * half } else { 0 };
        let is_right = !is_all || image.is_multiple_of(2 + half);
        let predicted = if is_right { own } else { (own + 10) % 20 };
        let confidence = Some(Confidence { p_predicted: 0.9, margin: 0.8 });
        Prediction { path: format!("{half}/{image}"), label: own, predicted, p_true: 0.5, confidence }
    };
    let halves: &[u32] = match evaluation.classes {
        Classes::Base => &[0],
        Classes::New => &[1],
        Classes::All => &[0, 1],
    };
    Some(halves.iter().flat_map(|half| (0..60).map(move |image| row(*half, image))).collect())
}

#[test]
fn one_label_space_by_hand_and_not_without_its_test() {
    let evaluations =
        [("dtd", Classes::Base, 60, 60), ("dtd", Classes::New, 60, 60), ("dtd", Classes::All, 50, 120)];
    let mut records = vec![record("zero_shot", "dtd", None, 16, &evaluations)];
    records[0].evaluations[2].class_count = 20;
    let page = |records: &[RunRecord]| {
        let dir = tempfile::tempdir().unwrap();
        render(records, &spec(&[Section::OpenWorld]), dir.path(), &one_space).unwrap();
        std::fs::read_to_string(dir.path().join("README.md")).unwrap()
    };
    let whole = page(&records);
    let is_row = |line: &&str| line.starts_with("| CLIP ") && !line.contains("`zero_shot`");
    let line = whole.lines().find(is_row).unwrap();
    let values: Vec<&str> =
        line.split('|').skip(2).filter_map(|cell| cell.split_whitespace().next()).collect();
    // H = 2 · ½ · ⅓ / (½ + ⅓). Pairs by score: ½ · ⅓ the new one higher; ½ · ⅔ + ½ · ⅓ equal, which count half.
    assert_eq!(values, ["50.00", "33.33", "40.00", "41.67", "41.67"], "{line}");
    records[0].evaluations.pop();
    assert!(page(&records).contains("No dataset was tested among base, new and all classes"));
}
