//! Comparisons with published figures and between runs.

use rpo_bench::data::Classes;
use rpo_bench::record::RunRecord;
use rpo_bench::report::ReportError;
use rpo_bench::report::compare::{RunLine, RunVerdict, against_paper, between_runs, drift, json, text};
use rpo_bench::stats::equivalence::Verdict;

use crate::records::{Keyed, base2new, record};

/// RPO on Caltech101 as in the authors' logs, shifted by `extra` correct predictions.
fn like_the_logs(extra: i64) -> Vec<RunRecord> {
    let counts = [(1, 1519, 865), (2, 1516, 864), (3, 1517, 865)];
    let one = |(seed, base, new): (u64, i64, i64)| {
        let count = |n: i64| (n + extra).unsigned_abs();
        let halves =
            [("caltech101", Classes::Base, count(base), 1549), ("caltech101", Classes::New, count(new), 916)];
        record("rpo", "caltech101", Some(seed), 16, &halves)
    };
    counts.into_iter().map(one).collect()
}

#[test]
fn the_authors_own_counts_are_consistent_and_shifted_ones_differ() {
    let verdicts = |records: &[RunRecord]| -> Vec<Verdict> {
        against_paper(records).unwrap().lines.iter().map(|line| line.verdict()).collect()
    };
    assert_eq!(verdicts(&like_the_logs(0)), [Verdict::Consistent; 2]);
    assert_eq!(verdicts(&like_the_logs(-60)), [Verdict::Different; 2]);
    assert_eq!(verdicts(&like_the_logs(0)[..1]), [Verdict::CannotTell; 2], "one seed tells nothing");
}

#[test]
fn another_number_of_prompts_cannot_be_judged() {
    let mut records = like_the_logs(0);
    for record in &mut records {
        record.config.insert("rpo.k".to_owned(), "4".to_owned());
    }
    assert!(against_paper(&records).unwrap().lines.iter().all(|line| line.verdict() == Verdict::CannotTell));
}

#[test]
fn means_without_seeds_cannot_be_judged() {
    let mut records = like_the_logs(0);
    let others = base2new(&["caltech101"], &[1, 2, 3]);
    records.extend(others.into_iter().filter(|r| ["coop", "linear_probe"].contains(&r.cell.method.as_str())));
    let comparison = against_paper(&records).unwrap();
    insta::assert_snapshot!(text::paper(&comparison));
    let document = json::paper(&comparison);
    assert_eq!(document["lines"][0]["verdict"], "cannot_tell");
    assert_eq!(document["lines"][0]["published"]["by_seed"], serde_json::json!([]));
    assert_eq!(document["unpublished"].as_array().unwrap().len(), 2, "linear probing on both halves");
}

#[test]
fn pocket_folder_limited_and_unpublished_are_refused() {
    let change: [fn(&mut RunRecord); 4] = [
        |r| r.cell.profile = "pocket".to_owned(),
        |r| r.provenance.data_kind = "folder".to_owned(),
        |r| r.cell.limit = Some(10),
        |r| r.evaluations.iter_mut().for_each(|e| e.dataset = "mine".to_owned()),
    ];
    let mut said = Vec::new();
    for change in change {
        let mut records = like_the_logs(0);
        records.iter_mut().for_each(change);
        let error = against_paper(&records).unwrap_err();
        assert!(matches!(error, ReportError::NotComparable { .. }));
        said.push(error.to_string());
    }
    insta::assert_snapshot!(said.join("\n"));
    assert!(matches!(against_paper(&[]), Err(ReportError::Empty)));
}

/// Two runs of which the second lacks a method and has another dtype and other counts for RPO.
fn two_runs() -> (Vec<RunRecord>, Vec<RunRecord>) {
    let first = base2new(&["dtd", "eurosat"], &[1, 2, 3]);
    let mut second = first.clone();
    second.retain(|r| r.cell.method != "linear_probe");
    for record in second.iter_mut().filter(|r| r.cell.method == "rpo") {
        record.provenance.dtype = "bf16".to_owned();
        record.config.insert("epochs".to_owned(), "30".to_owned());
        record.evaluations.iter_mut().for_each(|e| e.correct -= 10 + record.cell.seed.unwrap());
    }
    (first, second.into_iter().map(Keyed::keyed).collect())
}

#[test]
fn two_runs_side_by_side() {
    let (first, second) = two_runs();
    let comparison = between_runs(&first, &second).unwrap();
    insta::assert_snapshot!(text::runs(&comparison));
    assert!(matches!(between_runs(&first, &[]), Err(ReportError::Empty)));
    let same = between_runs(&first, &first).unwrap();
    assert_eq!(same.changes, []);
    assert!(same.lines.iter().all(|line| line.verdict() == RunVerdict::Identical));
}

#[test]
fn seeds_are_paired_only_on_the_same_draws() {
    let (first, mut second) = two_runs();
    let rpo = |records: &[RunRecord], other: &[RunRecord]| {
        let lines = between_runs(records, other).unwrap().lines;
        lines
            .into_iter()
            .find(|l| {
                l.place.method == "rpo" && l.place.dataset == "eurosat" && l.place.classes == Classes::New
            })
            .unwrap()
    };
    // Every seed lost between 11 and 13 of 2000 images: paired that is plain, unpaired it drowns.
    let paired = rpo(&first, &second);
    assert_eq!((paired.paired, paired.verdict()), (true, RunVerdict::Of(Verdict::Consistent)));
    for record in &mut second {
        record.provenance.draw_sha256 = record.provenance.draw_sha256.as_ref().map(|_| "f".repeat(64));
    }
    let unpaired = rpo(&first, &second);
    let width = |line: &RunLine| line.interval().map(|i| i.high - i.low).unwrap();
    assert!(!unpaired.paired && width(&unpaired) > 5.0 * width(&paired), "{unpaired:?}");
    assert_eq!(unpaired.sign_flip_p(), None);
    let changed = between_runs(&first, &second).unwrap().changes;
    assert_eq!(changed.iter().filter(|c| c.what.starts_with("draw (16 shots")).count(), 2 * 3);
}

#[test]
fn a_shift_without_spread_cannot_be_judged() {
    let (first, _) = two_runs();
    let mut second = first.clone();
    second.iter_mut().flat_map(|r| &mut r.evaluations).for_each(|e| e.correct -= 100);
    let lines = between_runs(&first, &second).unwrap().lines;
    assert!(lines.iter().all(|l| l.verdict() == RunVerdict::Of(Verdict::CannotTell)), "{lines:?}");
}

#[test]
fn the_drift_plot_holds_every_difference() {
    let (first, second) = two_runs();
    let picture = drift::runs(&between_runs(&first, &second).unwrap(), "second − first").unwrap().unwrap();
    // CLIP, CoOp, CoCoOp and RPO on two datasets and two halves, hollow where nothing can be told, and
    // four legend entries. Only RPO changed, and on none of its four results is the verdict open.
    assert_eq!(picture.svg.matches("<circle").count(), 4 * 2 * 2 + 4);
    for word in ["second − first", "DTD", "EuroSAT", "base classes", "new classes", "difference (points)"] {
        assert!(picture.svg.lines().any(|l| l.trim() == word), "{word} is missing");
    }
    let paper = against_paper(&like_the_logs(0)).unwrap();
    assert!(drift::paper(&paper, "a run").unwrap().is_some());
}
