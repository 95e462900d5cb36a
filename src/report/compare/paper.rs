//! A run against the published figures.
//!
//! Verdicts are about seeds: consistent if TOST shows the means within ±1 point at 5 %, different if Welch's
//! t rejects equality at 5 % and equivalence is not shown, else nothing can be told.

use super::published::{Place, Published, published};
use crate::data::Classes;
use crate::frame::{Accuracy, Frame, SummaryRow};
use crate::record::RunRecord;
use crate::report::error::ReportError;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, dataset_order, method_name, method_order};
use crate::report::number::{NONE, signed, two, with_spread};
use crate::stats::describe::{mean, sample_std};
use crate::stats::equivalence::{Verdict, verdict};

/// Margin of the equivalence test, in points.
pub const MARGIN_POINTS: f64 = 1.0;
const ALPHA: f64 = 0.05;

/// One cell beside its published figure.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperLine {
    /// Method, datasets, classes, shots.
    pub place: Place,
    /// Our accuracies.
    pub ours: Accuracy,
    /// The published figure.
    pub published: Published,
    /// What the two allow to be said.
    pub verdict: Verdict,
}

impl PaperLine {
    /// The published mean: over seeds where they are known, else as printed.
    pub fn published_mean(&self) -> Option<f64> {
        mean(&self.published_values()).or(self.published.printed_pct)
    }

    fn published_values(&self) -> Vec<f64> {
        self.published.by_seed.iter().map(|(_, value)| *value).collect()
    }
}

/// Sets every cell that has a published figure beside it, in page order. Variants are left out.
///
/// # Errors
/// [`ReportError::NotComparable`] for pocket, folder or limited records, or if no figure was published
/// for any cell; [`ReportError::Frame`] for contradictory records.
pub fn against_paper(records: &[RunRecord]) -> Result<Vec<PaperLine>, ReportError> {
    check_comparable(records)?;
    let figures = published()?;
    let frame = Frame::from_records(records)?;
    let mut lines = Vec::new();
    for row in frame.summary().iter().filter(|r| r.place.variant.is_empty()) {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            let (place, ours) = (place_of(row, classes), row.accuracy(classes));
            if let (true, Some(figure)) = (ours.n() > 0, figures.get(&place)) {
                lines.push(line(records, place, ours, figure));
            }
        }
    }
    if lines.is_empty() {
        return Err(ReportError::NotComparable { reason: "no figure was published for any cell".to_owned() });
    }
    lines.sort_by_key(|l| {
        (method_order(&l.place.method), l.place.shots, dataset_order(&l.place.dataset), l.place.classes)
    });
    Ok(lines)
}

fn check_comparable(records: &[RunRecord]) -> Result<(), ReportError> {
    let refuse = |reason: &str| Err(ReportError::NotComparable { reason: reason.to_owned() });
    if records.iter().any(|r| r.cell.profile == "pocket" || r.provenance.data_kind == "pocket") {
        return refuse("pocket pictures and the pocket CLIP are not what was published on");
    }
    if records.iter().any(|r| r.provenance.data_kind != "coop") {
        return refuse("the pictures are not those of the published datasets");
    }
    if records.iter().any(|r| r.cell.limit.is_some()) {
        return refuse("a limited run evaluates part of the test images");
    }
    Ok(())
}

fn place_of(row: &SummaryRow, classes: Classes) -> Place {
    Place {
        method: row.place.method.clone(),
        train_dataset: row.place.train_dataset.clone(),
        dataset: row.place.dataset.clone(),
        train_classes: row.place.train_classes,
        classes,
        shots: row.place.shots,
    }
}

fn line(records: &[RunRecord], place: Place, ours: &Accuracy, figure: &Published) -> PaperLine {
    let theirs: Vec<f64> = figure.by_seed.iter().map(|(_, value)| *value).collect();
    // With another number of prompts the published runs answer another question.
    let same_k = |r: &RunRecord| {
        let ours = r.config.get("rpo.k").or_else(|| r.config.get("k"));
        ours.zip(figure.k).is_none_or(|(ours, theirs)| *ours == theirs.to_string())
    };
    let same = |r: &&RunRecord| r.cell.method == place.method && r.cell.shots == place.shots;
    let verdict = if records.iter().filter(same).all(same_k) {
        verdict(&ours.values(), &theirs, MARGIN_POINTS, ALPHA)
    } else {
        Verdict::CannotTell
    };
    PaperLine { place, ours: ours.clone(), published: figure.clone(), verdict }
}

/// The comparison as Markdown.
pub fn markdown(lines: &[PaperLine]) -> String {
    let header =
        ["method", "dataset", "classes", "shots", "ours", "n", "published", "n", "difference", "verdict"];
    let mut table = Table::new(header).left(3);
    for line in lines {
        let theirs = line.published_values();
        let difference = line.ours.mean().zip(line.published_mean()).map(|(a, b)| signed(a - b));
        table.row([
            method_name(&line.place.method).to_owned(),
            dataset_name(&line.place.dataset).to_owned(),
            line.place.classes.to_string(),
            line.place.shots.map_or_else(String::new, |s| s.to_string()),
            with_spread(line.ours.mean(), line.ours.std()),
            line.ours.n().to_string(),
            with_spread(line.published_mean(), sample_std(&theirs)),
            if theirs.is_empty() { NONE.to_owned() } else { theirs.len().to_string() },
            difference.unwrap_or_else(|| two(None)),
            words(line.verdict).to_owned(),
        ]);
    }
    format!("{}\n{NOTE}\n", table.markdown())
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Consistent => "consistent",
        Verdict::Different => "different",
        Verdict::CannotTell => "cannot tell",
    }
}

const NOTE: &str = "_Accuracy in percent, mean ± sample standard deviation over n seeds; difference: ours − \
    published, in \
    points. Consistent: two one-sided Welch tests show the means within ±1 point at 5 %. Different: Welch's \
    t rejects equality at \
    5 % and equivalence is not shown. Cannot tell: neither, or no figures by seed, or another number of \
    prompts. Verdicts are not \
    corrected for their number. Published figures are those of CLIP ViT-B/16; sources: \
    `reports/paper/README.md`._";
