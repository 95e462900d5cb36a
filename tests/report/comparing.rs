//! Comparisons with published figures and between runs.

use rpo_bench::data::Classes;
use rpo_bench::record::RunRecord;
use rpo_bench::report::ReportError;
use rpo_bench::report::compare::{against_paper, between_runs, paper, runs};
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
        against_paper(records).unwrap().iter().map(|line| line.verdict).collect()
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
    assert!(against_paper(&records).unwrap().iter().all(|line| line.verdict == Verdict::CannotTell));
}

#[test]
fn means_without_seeds_cannot_be_judged() {
    let mut records = like_the_logs(0);
    records.extend(base2new(&["caltech101"], &[1, 2, 3]).into_iter().filter(|r| r.cell.method == "coop"));
    insta::assert_snapshot!(paper::markdown(&against_paper(&records).unwrap()));
}

#[test]
fn pocket_folder_limited_and_unpublished_are_refused() {
    let change: [fn(&mut RunRecord); 4] = [
        |r| r.cell.profile = "pocket".to_owned(),
        |r| r.provenance.data_kind = "folder".to_owned(),
        |r| r.cell.limit = Some(10),
        |r| r.evaluations.iter_mut().for_each(|e| e.dataset = "mine".to_owned()),
    ];
    for change in change {
        let mut records = like_the_logs(0);
        records.iter_mut().for_each(change);
        assert!(matches!(against_paper(&records), Err(ReportError::NotComparable { .. })));
    }
}

#[test]
fn two_runs_side_by_side() {
    let first = base2new(&["dtd", "eurosat"], &[1, 2, 3]);
    let mut second = first.clone();
    second.retain(|r| r.cell.method != "linear_probe");
    for record in second.iter_mut().filter(|r| r.cell.method == "rpo") {
        record.provenance.dtype = "bf16".to_owned();
        record.evaluations.iter_mut().for_each(|e| e.correct -= 10 + record.cell.seed.unwrap());
    }
    let second: Vec<RunRecord> = second.into_iter().map(Keyed::keyed).collect();
    insta::assert_snapshot!(runs::markdown(&between_runs(&first, &second).unwrap()));
    assert!(matches!(between_runs(&first, &[]), Err(ReportError::Empty)));
}
