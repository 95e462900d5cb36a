//! Record sets that break naive reports: one seed, no spread, everything right, nothing at all.

use proptest::prelude::*;
use rpo_bench::data::Classes;
use rpo_bench::frame::OwnSettings;
use rpo_bench::record::{Outcome, RunRecord};
use rpo_bench::report::{Damage, Planned, ReportError, ReportSpec, Section};

use crate::records::{DATASETS, Keyed, METHODS, base2new, domain_shift, record};
use crate::rendering::{EVERY_SECTION, files, page, spec};

fn assert_page_is_sound(page: &str) {
    for bad in ["NaN", "inf", "-0.00", "−0.00"] {
        assert!(!page.contains(bad), "the page holds {bad}:\n{page}");
    }
    for table in page.split("\n\n").filter(|block| block.starts_with('|')) {
        // An escaped bar belongs to the text of a cell.
        let bars: Vec<usize> = table.lines().map(|l| l.replace("\\|", "").matches('|').count()).collect();
        assert!(bars.windows(2).all(|w| w[0] == w[1]), "ragged table:\n{table}");
    }
}

#[test]
fn no_record_is_an_error() {
    assert!(matches!(files(&[], &spec(&EVERY_SECTION)), Err(ReportError::Empty)));
}

#[test]
fn one_seed_has_no_spread() {
    let page = page(&base2new(&DATASETS[..3], &[1]), &spec(&EVERY_SECTION));
    assert_page_is_sound(&page);
    let start = page.find("**H**").unwrap();
    let table = &page[start..start + page[start..].find("**Base classes**").unwrap()];
    assert!(!table.contains('±'), "{table}");
    assert!(page.contains("Variance needs two seeds"));
}

#[test]
fn five_datasets_can_show_nothing_and_the_page_says_so() {
    let shown = spec(&[Section::MethodTests]);
    let few = page(&base2new(&DATASETS[..5], &[1, 2, 3]), &shown);
    assert!(
        few.contains("2 / 2^5 = 0.062, after Holm over 4 tests 0.250: no corrected p can reach 5 %"),
        "{few}"
    );
    let mut two_methods = base2new(&DATASETS[..8], &[1, 2, 3]);
    two_methods.retain(|r| ["coop", "rpo"].contains(&r.cell.method.as_str()));
    let enough = page(&two_methods, &shown);
    assert!(
        enough.contains("2 / 2^8 = 0.008, after Holm over 1 test 0.008.")
            && !enough.contains("no corrected p")
    );
}

/// Two methods that tie on every dataset but one: the ties are zeros, and no line sets one of them apart.
#[test]
fn ties_are_kept() {
    let mut records = base2new(&DATASETS[..6], &[1, 2, 3]);
    records.retain(|r| ["coop", "rpo"].contains(&r.cell.method.as_str()));
    let coop: Vec<RunRecord> = records.iter().filter(|r| r.cell.method == "coop").cloned().collect();
    for record in records.iter_mut().filter(|r| r.cell.method == "rpo" && r.cell.dataset != "food101") {
        let twin =
            coop.iter().find(|c| (&c.cell.dataset, c.cell.seed) == (&record.cell.dataset, record.cell.seed));
        record.evaluations = twin.unwrap().evaluations.clone();
    }
    let page = page(&records, &spec(&[Section::BaseToNew, Section::MethodTests]));
    assert_page_is_sound(&page);
    assert!(page.contains("1–5–0"), "{page}");
    let tied =
        page.lines().filter(|l| l.starts_with("| OxfordPets") && (l.contains("**") || l.contains("<u>")));
    assert_eq!(tied.count(), 0, "{page}");
}

/// Counts in another order of the seeds: means differ in their last bits, which is neither a win nor a rank.
#[test]
fn last_bits_are_no_wins() {
    let counts = [[701, 733, 755], [755, 701, 733]];
    let run = |method: &str, counts: [u64; 3], dataset: &str| -> Vec<RunRecord> {
        let one = |(seed, correct): (u64, u64)| {
            let halves = [(dataset, Classes::Base, correct, 959), (dataset, Classes::New, correct, 959)];
            record(method, dataset, Some(seed), 16, &halves)
        };
        (1..).zip(counts).map(one).collect()
    };
    let mut records: Vec<RunRecord> = DATASETS
        .iter()
        .flat_map(|d| [run("coop", counts[0], d), run("rpo", counts[1], d)].concat())
        .collect();
    let mean = |counts: [u64; 3]| counts.map(|c| 100.0 * c as f64 / 959.0).iter().sum::<f64>() / 3.0;
    assert_ne!(mean(counts[0]), mean(counts[1]), "the case: equal counts, other bits");
    let shown = spec(&[Section::BaseToNew, Section::MethodTests]);
    let page_of = page(&records, &shown);
    assert!(page_of.contains("No test over datasets for H: all values are equal"), "{page_of}");
    assert!(!page_of.contains("**7") && !page_of.contains("<u>7"));
    // One dataset that differs: one win, ten ties.
    records.iter_mut().rfind(|r| r.cell.method == "rpo").unwrap().evaluations[0].correct += 9;
    assert!(page(&records, &shown).contains("| RPO − CoOp |      +0.01 |             1–10–0 |"));
}

/// Both datasets agree on one order: F has no value, and no p.
#[test]
fn an_infinite_f_has_no_p() {
    let mut records = base2new(&["dtd", "eurosat"], &[1, 2, 3]);
    records.retain(|r| ["zero_shot", "rpo"].contains(&r.cell.method.as_str()));
    let page = page(&records, &spec(&[Section::MethodTests]));
    let line = page.lines().find(|l| l.starts_with("| H ")).unwrap();
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    assert_eq!((cells[5], cells[6]), ("—", "—"), "{line}");
    assert!(cells[7].starts_with("0.5") || cells[7].starts_with("0.4"), "{line}");
}

#[test]
fn words_fit_one_seed_and_one_dataset() {
    let one_seed = page(&base2new(&["dtd"], &[1]), &spec(&EVERY_SECTION));
    let shift: Vec<RunRecord> =
        domain_shift().into_iter().filter(|r| r.cell.seed.is_none_or(|seed| seed == 1)).collect();
    let shift = page(&shift, &spec(&EVERY_SECTION));
    for page in [&one_seed, &shift] {
        assert!(!page.contains("deviation (ddof 1) over 1 seed"), "{page}");
        for word in ["seeds", "datasets", "methods", "pairs", "tests", "targets"] {
            assert!(!page.contains(&format!(" 1 {word}")), "1 {word}: {page}");
        }
    }
    assert!(one_seed.contains("one seed, so no spread") && one_seed.contains("over the 1 dataset"));
    assert!(shift.contains("one seed, so no spread"), "{shift}");
}

/// The banner does not claim what is false: a dataset at which some seeds failed stays in the averages.
#[test]
fn cells_with_fewer_seeds_are_named() {
    let mut records = base2new(&["dtd", "eurosat"], &[1, 2, 3]);
    let failed = records.iter_mut().find(|r| r.cell.method == "coop" && r.cell.seed == Some(2)).unwrap();
    failed.outcome = Outcome::Failed { error: "stopped".to_owned() };
    failed.evaluations.clear();
    failed.training = None;
    for section in [Section::BaseToNew, Section::MethodTests, Section::Ablation] {
        let page = page(&records, &spec(&[section]));
        assert!(page.contains("fewer seeds than in other cells (DTD, CoOp: 2 of 3)"), "{page}");
        assert!(page.contains("averages leave out datasets on which a method has none"), "{page}");
        if section == Section::BaseToNew {
            assert!(page.contains("average (n = 2)"), "the dataset is averaged all the same: {page}");
        }
    }
    let mut shift = domain_shift();
    shift.retain(|r| !(r.cell.method == "coop" && r.cell.seed == Some(2)));
    let shift = page(&shift, &spec(&[Section::DomainShift]));
    assert!(shift.contains(" †") && shift.contains("ImageNet-A, CoOp: 2 of 3"), "{shift}");
    let whole = page(&base2new(&["dtd"], &[1, 2]), &spec(&[Section::BaseToNew]));
    assert!(!whole.contains("fewer seeds"));
}

#[test]
fn images_left_out_are_listed() {
    let mut records = base2new(&["dtd"], &[1, 2]);
    records[2].evaluations[1].skipped = 7;
    let page = page(&records, &spec(&Section::CLOSING));
    let listed = |line: &str| line.starts_with("| DTD     | new     |") && line.ends_with(" 7 |");
    assert!(page.lines().any(listed), "{page}");
}

#[test]
fn only_failures() {
    let mut records = base2new(&["dtd"], &[1, 2]);
    for record in &mut records {
        record.outcome = Outcome::Failed { error: "no | space\nleft".to_owned() };
        record.evaluations.clear();
        record.training = None;
    }
    let page = page(&records, &spec(&EVERY_SECTION));
    assert_page_is_sound(&page);
    assert!(page.contains("Incomplete: 9 cells failed"));
    assert!(page.contains("no \\| space left"));
}

#[test]
fn all_right_all_wrong_and_no_spread() {
    for correct in [0, 500] {
        let halves = [("dtd", Classes::Base, correct, 500), ("dtd", Classes::New, correct, 500)];
        let records: Vec<RunRecord> = METHODS
            .iter()
            .flat_map(|m| {
                (1..=5).map(|seed| record(m.0, "dtd", (m.0 != "zero_shot").then_some(seed), 16, &halves))
            })
            .collect();
        assert_page_is_sound(&page(&records, &spec(&EVERY_SECTION)));
    }
}

#[test]
fn an_empty_test_set_is_drawn_as_zero() {
    let record =
        record("rpo", "dtd", Some(1), 16, &[("dtd", Classes::Base, 0, 0), ("dtd", Classes::New, 0, 0)]);
    assert_page_is_sound(&page(&[record], &spec(&EVERY_SECTION)));
}

#[test]
fn planned_cells_without_a_record_are_listed() {
    let records = base2new(&["dtd"], &[1, 2]);
    let planned = |r: &RunRecord| Planned { cell: r.cell.clone(), settings: r.config.clone() };
    let planned: Vec<Planned> = records.iter().map(planned).collect();
    let shown = spec(&[Section::Failures]);
    let complete = ReportSpec { expected: planned.clone(), ..shown.clone() };
    assert!(page(&records, &complete).contains("None: every cell has a result."));
    let page = page(&records[1..], &complete);
    assert!(page.contains("no record") && page.contains("CLIP"), "{page}");
    // The same cells under other settings are no results of those that were asked for.
    let longer = |mut one: Planned| {
        one.settings.insert("epochs".to_owned(), "30".to_owned());
        one
    };
    let other = ReportSpec { expected: planned.into_iter().map(longer).collect(), ..shown };
    let page = crate::rendering::page(&records, &other);
    assert!(page.contains("no record") && !page.contains("None: every"), "{page}");
}

/// Trying something on one dataset of eleven, or on a few images, leaves the tables as they were.
#[test]
fn a_trial_stands_apart_and_averages_stay() {
    let shown = spec(&[Section::BaseToNew, Section::Deviations]);
    let records = base2new(&DATASETS, &[1, 2, 3]);
    let plain = page(&records, &shown);
    let tables = |page: &str| {
        let start = page.find("## Base to new").unwrap();
        let end = page.find("## Other settings").or(page.find("## Deviations")).unwrap();
        page[start..end].to_owned()
    };
    let own = records.iter().find(|r| r.cell.method == "rpo").unwrap();
    let settings = own.config.clone().into_iter().chain(own.switches.clone()).collect();
    let known = ReportSpec { own: OwnSettings([("rpo".to_owned(), settings)].into()), ..shown.clone() };
    let trial = |change: fn(&mut RunRecord)| -> Vec<RunRecord> {
        let mut trial: Vec<RunRecord> = records
            .iter()
            .filter(|r| r.cell.method == "rpo" && r.cell.dataset == "eurosat" && r.cell.seed != Some(1))
            .cloned()
            .collect();
        trial.iter_mut().for_each(change);
        records.iter().cloned().chain(trial.into_iter().map(Keyed::keyed)).collect()
    };
    let longer: fn(&mut RunRecord) = |r| drop(r.config.insert("epochs".to_owned(), "30".to_owned()));
    let limited: fn(&mut RunRecord) = |r| r.cell.limit = Some(3);
    for (change, word) in [(longer, "RPO (epochs=30)"), (limited, "RPO (limit 3)")] {
        let page = page(&trial(change), &known);
        assert_eq!(tables(&page), tables(&plain), "{word}");
        let apart = page.split("## Other settings").nth(1).unwrap();
        assert!(apart.contains(word) && apart.contains("EuroSAT"), "{apart}");
        assert!(!page.contains("Limited run"), "the tables hold full results");
        assert_page_is_sound(&page);
    }
    assert!(!plain.contains("## Other settings"));
    // What covers as much as the rest is compared side by side.
    let mut both = records.clone();
    both.extend(records.iter().filter(|r| r.cell.method == "rpo").cloned().map(|mut r| {
        longer(&mut r);
        r.keyed()
    }));
    let page = page(&both, &known);
    assert!(tables(&page).contains("RPO (epochs=30)") && !page.contains("## Other settings"));
}

/// A trial that failed does not turn the hole of another arm into a failure.
#[test]
fn a_failed_trial_is_listed_with_its_settings() {
    let mut records = base2new(&["dtd", "eurosat"], &[1, 2]);
    records.retain(|r| !(r.cell.method == "rpo" && r.cell.dataset == "dtd"));
    let mut failed = records.iter().find(|r| r.cell.method == "rpo").unwrap().clone();
    failed.cell.dataset = "dtd".to_owned();
    failed.config.insert("rpo.learning_rate".to_owned(), "1e300".to_owned());
    failed.outcome = Outcome::Failed { error: "loss is NaN".to_owned() };
    failed.evaluations.clear();
    records.push(failed.keyed());
    let page = page(&records, &spec(&[Section::BaseToNew, Section::Failures]));
    let line = page.lines().find(|l| l.starts_with("| DTD") && l.contains("loss is NaN")).unwrap();
    assert!(line.contains("rpo.learning_rate=1e300"), "{line}");
    let tables = page.split("## Failed").next().unwrap();
    assert!(!tables.contains("failed |") && !page.contains("Incomplete"), "{tables}");
}

/// Untested is not "not significant": the page says which predictions are missing.
#[test]
fn missing_predictions_are_no_verdict() {
    let records = base2new(&["dtd", "eurosat"], &[1, 2]);
    let lost = records.iter().find(|r| r.cell.method == "rpo" && r.cell.dataset == "dtd").unwrap();
    let damage = Damage {
        key: lost.key.clone(),
        path: lost.evaluations[0].predictions_path.clone(),
        reason: "it is missing".to_owned(),
    };
    let sections = [Section::BaseToNew, Section::Failures];
    let sound = page(&records, &spec(&sections));
    assert!(!sound.contains("Not tested"), "the control");
    let page = page(&records, &ReportSpec { damaged: vec![damage.clone()], ..spec(&sections) });
    assert!(page.contains("> **Not tested: predictions of 1 evaluation"), "{page}");
    assert!(page.contains("predictions of DTD are missing or damaged"), "{page}");
    let listed = page.split("## Failed and missing").nth(1).unwrap();
    assert!(listed.contains(&damage.path) && listed.contains("it is missing"), "{listed}");
}

/// The page's settings are those of the records, whatever a suite's text says.
#[test]
fn settings_and_deviations_come_from_the_records() {
    let mut records = base2new(&["dtd"], &[1]);
    for record in records.iter_mut().filter(|r| r.cell.method == "rpo") {
        for (key, value) in [("k", "8"), ("epochs", "3"), ("learning_rate", "0.01"), ("batch_size", "4")] {
            record.config.insert(format!("rpo.{key}"), value.to_owned());
        }
    }
    let published = [("rpo.k", "24"), ("rpo.epochs", "15"), ("rpo.learning_rate", "0.01")];
    let published = published.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let page = page(&records, &ReportSpec { published, ..spec(&[Section::Deviations]) });
    // The legend above the sections has lines that begin like theirs.
    let (_, page) = page.split_once("\n## ").unwrap();
    let cells = |start: &str| -> Vec<String> {
        let line = page.lines().find(|l| l.replace(' ', "").starts_with(start)).unwrap_or_default();
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    assert_eq!(cells("|RPO|"), ["RPO", "8", "0.01", "3", "4"], "{page}");
    assert_eq!(cells("|rpo.k|"), ["rpo.k", "8", "24", "RPO"], "{page}");
    assert_eq!(cells("|rpo.epochs|"), ["rpo.epochs", "3", "15", "RPO"], "{page}");
    assert_eq!(cells("|rpo.learning_rate|"), [""], "it has its published value");
}

#[test]
fn pocket_and_limited_runs_say_so_in_every_title() {
    let mut records = base2new(&["dtd", "eurosat"], &[1, 2]);
    for record in &mut records {
        record.cell.profile = "pocket".to_owned();
        record.provenance.data_kind = "pocket".to_owned();
        record.cell.limit = Some(50);
    }
    let files = files(&records, &spec(&EVERY_SECTION)).unwrap();
    let page = String::from_utf8_lossy(&files["README.md"]);
    for title in page.lines().filter(|l| l.starts_with('#') || l.starts_with("![")) {
        assert!(title.contains("[pocket, at most 50 test images a class]"), "{title}");
    }
    assert_eq!(page.lines().filter(|l| l.starts_with("> **")).count(), 2);
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".svg") || name.ends_with(".tex")) {
        assert!(String::from_utf8_lossy(bytes).contains("pocket, at most 50 test images a class"), "{name}");
    }
}

#[test]
fn domain_shift_with_every_section() {
    assert_page_is_sound(&page(&domain_shift(), &spec(&EVERY_SECTION)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4) })]

    #[test]
    fn any_part_of_a_suite_makes_a_sound_page(
        keep in proptest::collection::vec(any::<bool>(), 4 * 17),
        fail in proptest::collection::vec(0..6_u8, 4 * 17),
    ) {
        let mut records = base2new(&["dtd", "eurosat", "sun397", "food101"], &[1, 2, 3, 4]);
        for (record, _) in records.iter_mut().zip(&fail).filter(|(_, f)| **f == 0) {
            record.outcome = Outcome::Failed { error: "stopped".to_owned() };
            record.evaluations.clear();
        }
        let kept: Vec<RunRecord> = records.into_iter().zip(&keep).filter(|(_, k)| **k).map(|(r, _)| r).collect();
        prop_assume!(!kept.is_empty());
        assert_page_is_sound(&page(&kept, &spec(&EVERY_SECTION)));
    }
}
