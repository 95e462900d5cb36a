//! The Markdown page and the LaTeX table, as snapshots.

use rpo_bench::record::{Outcome, RunRecord};
use rpo_bench::report::Section;
use rpo_bench::util::rng::Stream;

use crate::records::{DATASETS, Keyed, base2new};
use crate::rendering::{EVERY_SECTION, files, page, spec};

/// Three datasets, three seeds; one cell failed, one is missing.
fn with_holes() -> Vec<RunRecord> {
    let mut records = base2new(&["dtd", "eurosat", "caltech101"], &[1, 2, 3]);
    let is =
        |r: &RunRecord, method: &str, dataset: &str| r.cell.method == method && r.cell.dataset == dataset;
    records.retain(|r| !(is(r, "coop", "dtd") && r.cell.seed == Some(3)));
    for record in records.iter_mut().filter(|r| is(r, "cocoop", "eurosat")) {
        record.outcome = Outcome::Failed { error: "loss is NaN in epoch 3".to_owned() };
        record.evaluations.clear();
        record.training = None;
    }
    records
}

#[test]
fn base_to_new_with_holes() {
    insta::assert_snapshot!(page(&with_holes(), &spec(&[Section::BaseToNew, Section::Failures])));
}

#[test]
fn latex_with_holes() {
    let files = files(&with_holes(), &spec(&[Section::BaseToNew])).unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&files["base2new.tex"]));
}

#[test]
fn tests_between_methods() {
    let records = base2new(&["dtd", "eurosat", "caltech101", "food101", "sun397", "ucf101"], &[1, 2, 3]);
    insta::assert_snapshot!(page(&records, &spec(&[Section::MethodTests])));
}

/// The first lines name who came out ahead where a test shows it, and say that none can where so few datasets are there.
#[test]
fn the_first_lines_say_what_the_tests_say() {
    let first = |datasets: &[&str]| {
        let page = page(&base2new(datasets, &[1, 2, 3]), &spec(&[Section::MethodTests]));
        let line = page.lines().find(|line| line.starts_with("**What came out.**")).unwrap().to_owned();
        (line, page)
    };
    let (said, page) = first(&DATASETS);
    let (h, _) = said.split_once(" base: ").unwrap();
    let (_, ahead) = h.split_once("RPO came out ahead of ").unwrap();
    assert!(ahead.contains("CoOp") && said.contains("Holm over 4 tests"), "{said}");
    let table = page.split("**Every method against RPO, H**").nth(1).unwrap();
    for method in ["CLIP", "LP", "CoOp", "CoCoOp"] {
        let line = table.lines().find(|line| line.starts_with(&format!("| RPO − {method} "))).unwrap();
        let corrected = line.split('|').rev().nth(2).unwrap().trim().trim_matches('*');
        let shown = corrected.starts_with('<') || corrected.parse::<f64>().unwrap() <= 0.05;
        let named = ahead.trim_end_matches('.').split(", ").any(|name| name == method);
        assert_eq!(named, shown, "{method}: {corrected}: {said}");
    }
    let (said, _) = first(&DATASETS[..6]);
    assert!(said.contains("no order can be shown") && !said.contains("ahead of"), "{said}");
}

#[test]
fn provenance_and_reproduction() {
    let sections = Section::CLOSING;
    insta::assert_snapshot!(page(&base2new(&["dtd"], &[1, 2]), &spec(&sections)));
}

#[test]
fn variance_over_draws() {
    insta::assert_snapshot!(page(
        &base2new(&["fgvc_aircraft"], &[1, 2, 3, 4, 5]),
        &spec(&[Section::Variance])
    ));
}

#[test]
fn variants_side_by_side() {
    let mut records = base2new(&["dtd", "eurosat"], &[1, 2, 3]);
    records.retain(|r| r.cell.method == "rpo");
    let mut without_mask = records.clone();
    for record in &mut without_mask {
        record.cell.variant.insert("rpo.mask".to_owned(), "false".to_owned());
        record.evaluations.iter_mut().for_each(|e| e.correct -= 60);
    }
    records.extend(without_mask.into_iter().map(Keyed::keyed));
    insta::assert_snapshot!(page(&records, &spec(&[Section::Ablation])));
}

#[test]
fn domain_shift() {
    insta::assert_snapshot!(page(&crate::records::domain_shift(), &spec(&[Section::DomainShift])));
}

#[test]
fn the_same_records_give_the_same_bytes_in_any_order() {
    let records = with_holes();
    let expected = files(&records, &spec(&EVERY_SECTION)).unwrap();
    let mut shuffled = records.clone();
    shuffled.extend_from_slice(&records[..5]);
    Stream::new(&["shuffle"]).shuffle(&mut shuffled);
    let again = files(&shuffled, &spec(&EVERY_SECTION)).unwrap();
    assert_eq!(expected.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in &expected {
        assert!(*bytes == again[name], "{name} differs");
    }
}

#[test]
fn every_picture_on_the_page_was_written_and_the_reverse() {
    let files = files(&with_holes(), &spec(&EVERY_SECTION)).unwrap();
    let page = String::from_utf8_lossy(&files["README.md"]);
    let pictures: Vec<&String> = files.keys().filter(|name| name.ends_with(".png")).collect();
    assert!(pictures.len() >= 6, "{pictures:?}");
    for name in &pictures {
        assert!(page.contains(&format!("]({name})")), "{name} is on no page");
        assert!(files.contains_key(&name.replace(".png", ".svg")), "{name} has no SVG");
    }
    assert_eq!(page.matches(".png)").count(), pictures.len());
}
