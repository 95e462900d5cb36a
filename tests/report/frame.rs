//! The table: independent of input order, no duplicates, no silent averaging of different settings.

use rpo_bench::data::Classes;
use rpo_bench::frame::{Frame, FrameError, OwnSettings};
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

/// Seeds 1, 2 and 3 of RPO on one dataset, the last two after a change.
fn changed_after_the_first(change: impl Fn(&mut RunRecord)) -> Vec<RunRecord> {
    let run = |seed| record("rpo", "dtd", Some(seed), 16, &[("dtd", Classes::Base, 80 + seed, 100)]);
    let mut records = vec![run(1), run(2), run(3)];
    for record in &mut records[1..] {
        change(record);
        *record = record.clone().keyed();
    }
    records
}

/// Label and number of seeds of every mean.
fn means(records: &[RunRecord]) -> Vec<(String, usize)> {
    let summary = Frame::from_records(records).unwrap().summary();
    summary.iter().map(|row| (row.place.variant.clone(), row.n_seeds())).collect()
}

#[test]
fn seeds_are_averaged_only_where_every_setting_agrees() {
    type Change = fn(&mut RunRecord);
    let set = |record: &mut RunRecord, key: &str, value: &str| {
        record.config.insert(key.to_owned(), value.to_owned());
    };
    assert_eq!(means(&changed_after_the_first(|_| {})), [(String::new(), 3)], "the control");
    let told: [(Change, [&str; 2]); 4] = [
        (|r| drop(r.config.insert("epochs".into(), "30".into())), ["epochs=15", "epochs=30"]),
        (
            |r| drop(r.switches.insert("views".into(), "per_method".into())),
            ["views=per_method", "views=shared"],
        ),
        (|r| r.provenance.device = "cuda".into(), ["device=cpu", "device=cuda"]),
        (|r| r.provenance.numerics_version = 2, ["numerics_version=1", "numerics_version=2"]),
    ];
    for (change, expected) in told {
        let found = means(&changed_after_the_first(change));
        let mut labels: Vec<&str> = found.iter().map(|(label, _)| label.as_str()).collect();
        labels.sort_unstable();
        assert_eq!(labels, expected);
        let mut seeds: Vec<usize> = found.iter().map(|(_, n)| *n).collect();
        seeds.sort_unstable();
        assert_eq!(seeds, [1, 2]);
    }
    // Where the setting has a column of its own, the column tells.
    for change in [(|r| r.provenance.dtype = "bf16".into()) as Change, |r| r.cell.limit = Some(3)] {
        assert_eq!(means(&changed_after_the_first(change)).len(), 2);
    }
    // The number of trained parameters alone separates nothing, and is not lost either.
    let grown = changed_after_the_first(|r| r.training.as_mut().unwrap().trainable_parameters = 7);
    assert_eq!(means(&grown), [(String::new(), 3)]);
    let wider = changed_after_the_first(|r| {
        set(r, "rpo.k", "8");
        r.training.as_mut().unwrap().trainable_parameters = 99;
    });
    let rows = Frame::from_records(&wider).unwrap().summary();
    assert_eq!(rows.iter().map(|r| r.place.trainable_parameters).collect::<Vec<_>>(), [30_720, 99]);
}

/// Another dataset under other settings is another variant, and the suite's own settings stay unnamed.
#[test]
fn the_suites_own_settings_need_no_name() {
    let halves = |dataset: &'static str| [(dataset, Classes::Base, 80, 100)];
    let own = record("rpo", "dtd", Some(1), 16, &halves("dtd"));
    let mut other = record("rpo", "eurosat", Some(1), 16, &halves("eurosat"));
    other.config.insert("epochs".to_owned(), "30".to_owned());
    let records = [own.clone(), other.keyed()];
    let settings = own.config.into_iter().chain(own.switches).collect();
    let known = OwnSettings([("rpo".to_owned(), settings)].into());
    let frame = Frame::with_own(&records, &known).unwrap();
    let variants: Vec<&str> = frame.rows().iter().map(|r| r.variant.as_str()).collect();
    assert_eq!(variants, ["", "epochs=30"]);
    let mut csv = Vec::new();
    frame.write_results_csv(&mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert_eq!(cells(&csv, 1, &["variant"]), ["default"]);
    assert_eq!(cells(&csv, 2, &["variant"]), ["epochs=30"]);
    let ids = [1, 2].map(|line| cells(&csv, line, &["settings"])[0].to_owned());
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 13 && id.starts_with('s')), "{ids:?}");
}

#[test]
fn two_models_data_folders_or_test_sets_are_refused_by_name() {
    let with_pictures = |change: fn(&mut RunRecord)| {
        changed_after_the_first(move |record| {
            record.evaluations[0].images_sha256 = Some("5".repeat(64));
            change(record);
        })
    };
    let cases: [(fn(&mut RunRecord), &str, &str); 4] = [
        (
            |r| r.provenance.weights_sha256 = "b".repeat(64),
            "the model called vit_b16",
            "weights=aaaaaaaaaaaa",
        ),
        (|r| r.provenance.split_sha256 = "b".repeat(64), "the lists of dtd", "split="),
        (|r| r.evaluations[0].class_count = 11, "number of base classes of dtd", "class_count=10"),
        (
            |r| {
                let other = if r.cell.seed == Some(3) { "6" } else { "5" };
                r.evaluations[0].images_sha256 = Some(other.repeat(64));
            },
            "the test pictures of dtd",
            "images=",
        ),
    ];
    for (change, what, word) in cases {
        let error = Frame::from_records(&with_pictures(change)).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, FrameError::Mixed { .. }), "{said}");
        assert!(said.contains(what) && said.contains(word) && said.contains("--out"), "{said}");
    }
    assert!(Frame::from_records(&with_pictures(|_| {})).is_ok(), "the control");
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
