//! What the tables say of numbers that were chosen by too many images, and of methods that cannot meet new classes.

use rpo_bench::data::Classes;
use rpo_bench::record::{RunRecord, ValidationUse};
use rpo_bench::report::Section;

use crate::records::{DATASETS, base2new, record};
use crate::rendering::{page, spec};

const TABLES: [Section; 4] =
    [Section::BaseToNew, Section::MethodTests, Section::FewShotCurves, Section::Variance];

/// Two datasets of made-up records, those of `method` chosen by these images.
fn chosen(method: &str, mark: Option<&str>) -> Vec<RunRecord> {
    let mut records = base2new(&DATASETS[1..3], &[1, 2, 3]);
    for record in records.iter_mut().filter(|record| record.cell.method == method) {
        let training = record.training.as_mut().unwrap();
        training.validation = ValidationUse::new(120, "alpha and beta", mark);
    }
    records
}

/// Lines of tables that stand for a method.
fn lines<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let is = |cell: &str| {
        cell.trim().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
    };
    let stands = |line: &&str| line.starts_with('|') && line.split('|').any(is);
    page.lines().filter(stands).collect()
}

#[test]
fn numbers_chosen_by_more_than_the_rule_allows_carry_a_mark_in_every_table() {
    for (mark, words) in [("whole_split", "whole split"), ("test_images", "test images")] {
        for section in TABLES {
            let page = page(&chosen("coop", Some(mark)), &spec(&[section]));
            let label = format!("CoOp (‡validation={mark})");
            assert!(page.contains(&label), "{section:?}: {page}");
            // The folded table of names and the list of what was run call the method by its name.
            let bare: Vec<&str> =
                lines(&page, "CoOp").into_iter().filter(|line| !line.contains('‡')).collect();
            assert!(bare.iter().all(|line| line.contains("`coop`")), "{section:?}: {bare:?}");
            assert!(page.contains(&format!("min(shots, 4) validation images a class ({words})")), "{page}");
        }
    }
}

#[test]
fn the_control_has_no_mark() {
    for mark in [None, Some("few")] {
        let records = match mark {
            None => base2new(&DATASETS[1..3], &[1, 2, 3]),
            Some(_) => chosen("coop", None),
        };
        for section in TABLES {
            let page = page(&records, &spec(&[section]));
            assert!(!page.contains('‡') && !lines(&page, "CoOp").is_empty(), "{section:?}: {page}");
        }
    }
}

/// Methods that own a row a class: trained and tested on base classes, and no new class to meet.
fn with_rows(method: &str) -> Vec<RunRecord> {
    let mut records = base2new(&DATASETS[..7], &[1, 2, 3]);
    for dataset in &DATASETS[..7] {
        for seed in [1, 2, 3] {
            records.push(record(
                method,
                dataset,
                Some(seed),
                16,
                &[(dataset, Classes::Base, 80 + seed, 100)],
            ));
        }
    }
    records
}

#[test]
fn a_method_that_cannot_meet_new_classes_says_so_in_its_cells() {
    let page_of = |records: &[RunRecord]| page(records, &spec(&[Section::BaseToNew, Section::Failures]));
    let with = page_of(&with_rows("task_res"));
    assert!(with.contains("—, trained classes only") && with.contains("TaskRes"), "{with}");
    assert!(with.contains("None: every cell has a result."), "it is no failure: {with}");
    // The others keep their averages.
    let average = lines(&with, "CoOp").into_iter().find(|line| line.matches('.').count() >= 4);
    assert!(average.is_some(), "{with}");
    let tested = "Wilcoxon's signed ranks over 7 datasets, every method against RPO, Holm over 4 tests";
    assert!(with.contains(tested), "tests go on without it: {with}");
    let control = page_of(&base2new(&DATASETS[..7], &[1, 2, 3]));
    assert!(!control.contains("trained classes only"), "{control}");
}
