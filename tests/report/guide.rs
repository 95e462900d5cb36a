//! `docs/statistics.md`: every part a caption links to is there, and every caption that states a test links.

use std::path::Path;

use rpo_bench::report::Section;
use rpo_bench::report::guide::Anchor;

use crate::records::{DATASETS, base2new, domain_shift};
use crate::rendering::{page, spec};

/// GitHub's anchors of the headings.
fn anchors() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/statistics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    headings.map(|heading| heading.trim().to_lowercase().replace(' ', "-")).collect()
}

#[test]
fn every_part_that_is_linked_exists() {
    let anchors = anchors();
    for anchor in Anchor::ALL {
        assert!(anchors.iter().any(|id| id == anchor.id()), "{} is not among {anchors:?}", anchor.id());
    }
}

#[test]
fn captions_link_to_their_part() {
    let records = base2new(&DATASETS[..6], &[1, 2, 3]);
    for (section, anchor) in [
        (Section::BaseToNew, Anchor::BaseToNew),
        (Section::MethodTests, Anchor::OverDatasets),
        (Section::MethodTests, Anchor::WithinDatasets),
        (Section::Ablation, Anchor::Ablation),
        (Section::Variance, Anchor::Variance),
    ] {
        let page = page(&records, &spec(&[section]));
        assert!(page.contains(&format!("(../../docs/statistics.md#{})", anchor.id())), "{section:?}: {page}");
    }
    let page = page(&domain_shift(), &spec(&[Section::DomainShift]));
    assert!(page.contains("(../../docs/statistics.md#transfer-to-other-datasets)"));
}
