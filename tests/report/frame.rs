//! The table: independent of input order, no duplicates, no silent averaging of different settings.

use rpo_bench::data::Classes;
use rpo_bench::frame::{Frame, FrameError};
use rpo_bench::record::{Outcome, RunRecord};
use rpo_bench::util::rng::Stream;

use crate::records::{DATASETS, Keyed, base2new, record};

fn results(records: &[RunRecord]) -> String {
    let mut out = Vec::new();
    Frame::from_records(records).unwrap().write_results_csv(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn summary(records: &[RunRecord]) -> String {
    let mut out = Vec::new();
    Frame::from_records(records).unwrap().write_summary_csv(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn cells<'a>(csv: &'a str, line: usize, columns: &[&str]) -> Vec<&'a str> {
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let values: Vec<&str> = csv.lines().nth(line).unwrap().split(',').collect();
    assert_eq!(header.len(), values.len());
    columns.iter().map(|c| values[header.iter().position(|h| h == c).unwrap()]).collect()
}

#[test]
fn any_order_and_repetition_give_the_same_bytes() {
    let records = base2new(&DATASETS, &[1, 2, 3]);
    let (expected_results, expected_summary) = (results(&records), summary(&records));
    for seed in ["1", "2", "3"] {
        let mut shuffled = records.clone();
        shuffled.extend_from_slice(&records[..7]);
        Stream::new(&["shuffle", seed]).shuffle(&mut shuffled);
        assert_eq!(results(&shuffled), expected_results);
        assert_eq!(summary(&shuffled), expected_summary);
    }
    assert_eq!(expected_results.lines().count(), 1 + 11 * (1 + 4 * 3) * 2);
    assert_eq!(expected_summary.lines().count(), 1 + 11 * 5);
}

#[test]
fn the_contract_columns_are_there_and_zero_shot_has_no_seed() {
    let csv = results(&base2new(&["dtd"], &[1]));
    let header = csv.lines().next().unwrap();
    assert!(
        header.starts_with(
            "suite,profile,data,dataset,method,variant,seed,shots,classes,correct,total,accuracy_pct,\
             trainable_parameters,dtype"
        ),
        "{header}"
    );
    let line = csv.lines().position(|l| l.contains("zero_shot")).unwrap();
    assert_eq!(cells(&csv, line, &["seed", "shots", "trainable_parameters"]), ["", "", "0"]);
}

#[test]
fn both_kinds_of_h_and_sample_deviations() {
    let run = |seed, base, new| {
        let halves = [("dtd", Classes::Base, base, 100), ("dtd", Classes::New, new, 100)];
        record("rpo", "dtd", Some(seed), 16, &halves)
    };
    let csv = summary(&[run(1, 90, 10), run(2, 50, 50)]);
    let columns = [
        "n_seeds",
        "base_pct",
        "new_pct",
        "h_pct",
        "h_seed_mean_pct",
        "base_std_pct",
        "new_std_pct",
        "h_seed_std_pct",
    ];
    // H of (70, 30) is 42; the seeds' H are 18 and 50.
    let expected =
        ["2", "70.000000", "30.000000", "42.000000", "34.000000", "28.284271", "28.284271", "22.627417"];
    assert_eq!(cells(&csv, 1, &columns), expected);
}

#[test]
fn one_seed_has_no_deviation_and_missing_halves_are_empty() {
    let base_only = record("rpo", "dtd", Some(1), 16, &[("dtd", Classes::Base, 9, 10)]);
    let csv = summary(&[base_only]);
    let columns = ["base_pct", "new_pct", "h_pct", "h_seed_mean_pct", "base_std_pct"];
    assert_eq!(cells(&csv, 1, &columns), ["90.000000", "", "", "", ""]);
}

#[test]
fn the_same_cell_with_other_settings_becomes_a_variant() {
    let halves = [("dtd", Classes::Base, 80, 100)];
    let default = record("rpo", "dtd", Some(1), 16, &halves);
    let other_seed = record("rpo", "dtd", Some(2), 16, &halves);
    let mut longer = default.clone();
    longer.config.insert("epochs".to_owned(), "30".to_owned());
    let frame = Frame::from_records(&[default, other_seed, longer.keyed()]).unwrap();
    let variants: Vec<&str> = frame.rows().iter().map(|r| r.variant.as_str()).collect();
    assert_eq!(variants, ["epochs=15", "epochs=15", "epochs=30"]);
}

#[test]
fn indistinguishable_records_are_an_error() {
    let one = record("rpo", "dtd", Some(1), 16, &[("dtd", Classes::Base, 80, 100)]);
    let mut two = record("rpo", "dtd", Some(1), 16, &[("dtd", Classes::Base, 81, 100)]);
    two.key = "other".to_owned();
    let error = Frame::from_records(&[one, two]).unwrap_err();
    assert!(matches!(&error, FrameError::Conflict { cell, .. } if cell.contains("seed 1")), "{error}");
}

#[test]
fn failed_records_have_no_row_and_impossible_counts_are_refused() {
    let mut failed = record("rpo", "dtd", Some(1), 16, &[]);
    failed.outcome = Outcome::Failed { error: "loss is NaN".to_owned() };
    assert_eq!(Frame::from_records(&[failed]).unwrap().rows(), []);
    assert!(summary(&[]).starts_with("suite,"), "an empty table still has its header");
    let impossible = record("rpo", "dtd", Some(1), 16, &[("dtd", Classes::Base, 11, 10)]);
    assert!(matches!(Frame::from_records(&[impossible]), Err(FrameError::Count { correct: 11, .. })));
}
