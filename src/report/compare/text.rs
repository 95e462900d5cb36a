//! Comparisons as Markdown.

use std::collections::{BTreeMap, BTreeSet};

use super::changes;
use super::json::error_of;
use super::paper::PaperComparison;
use super::runs::{RunComparison, RunLine, RunVerdict};
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, method_name, method_order};
use crate::report::number::{NONE, count, interval, p, signed, two, with_spread};
use crate::stats::describe::sample_std;
use crate::stats::equivalence::Verdict;

/// A run beside the paper.
pub fn paper(comparison: &PaperComparison) -> String {
    let header = [
        "method",
        "dataset",
        "classes",
        "shots",
        "ours",
        "n",
        "published",
        "n",
        "difference",
        "95 %",
        "error of",
        "verdict",
        "published by seed",
    ];
    let mut table = Table::new(header).left(3);
    for line in &comparison.lines {
        let theirs = line.published_values();
        table.row([
            method_name(&line.place.method).to_owned(),
            dataset_name(&line.place.dataset).to_owned(),
            line.place.classes.to_string(),
            line.place.shots.map_or_else(String::new, |s| s.to_string()),
            with_spread(line.ours.mean(), line.ours.std()),
            line.ours.n().to_string(),
            with_spread(line.published_mean(), sample_std(&theirs)),
            if theirs.is_empty() { NONE.to_owned() } else { theirs.len().to_string() },
            line.difference().map_or_else(|| NONE.to_owned(), signed),
            interval(line.interval()),
            line.estimate().map_or(NONE, error_of).to_owned(),
            line.obstacle.clone().unwrap_or_else(|| line.verdict().as_str().replace('_', " ")),
            theirs.iter().map(|v| two(Some(*v))).collect::<Vec<_>>().join(" "),
        ]);
    }
    let of = |verdict| comparison.lines.iter().filter(|l| l.verdict() == verdict).count();
    let (same, other) = (of(Verdict::Consistent), of(Verdict::Different));
    let summary = format!(
        "{} with a published figure: {same} consistent, {other} different, {} cannot be told.\n",
        count(comparison.lines.len(), "result"),
        of(Verdict::CannotTell),
    );
    format!("{summary}\n{}\n{}{PAPER_NOTE} {EXPLAINED}_\n", table.markdown(), unpublished(comparison))
}

/// What no published figure was found for, by method, and why where that is known. Not found is not the same as
/// never published.
fn unpublished(comparison: &PaperComparison) -> String {
    let mut methods: BTreeMap<_, (&str, BTreeSet<&str>, usize)> = BTreeMap::new();
    for place in &comparison.unpublished {
        let entry = methods.entry(method_order(&place.method)).or_default();
        entry.0 = &place.method;
        entry.1.insert(&place.dataset);
        entry.2 += 1;
    }
    let mut out = String::new();
    for (method, datasets, results) in methods.values() {
        let why = if *method == "linear_probe" { "; the paper's table 1 has no row for it" } else { "" };
        out.push_str(&format!(
            "- No published figure found: {} ({} on {}{why}).\n",
            method_name(method),
            count(*results, "result"),
            count(datasets.len(), "dataset"),
        ));
    }
    if comparison.variants_left_out > 0 {
        let left_out = count(comparison.variants_left_out, "result");
        out.push_str(&format!(
            "- Left out: {left_out} of variants, which the paper's table 1 does not have.\n"
        ));
    }
    if out.is_empty() { out } else { format!("{out}\n") }
}

/// Where a comparison is explained, from the folder of a saved page or from a terminal.
const EXPLAINED: &str = "How to read it: `docs/statistics.md`, “Comparisons”.";

const PAPER_NOTE: &str = "_Accuracy in percent, mean ± sample standard deviation over n seeds; difference: ours \
    − published, in points. Consistent: two one-sided Welch tests show the means within ±1 point at 5 %. \
    Different: Welch's t rejects equality at 5 % and equivalence is not shown. Cannot tell: neither, or no \
    figures by seed. Other test images or another number of prompts: no verdict. Where neither side varies over \
    seeds the error is that of the images. Verdicts are not corrected for their number. Published figures are those \
    of CLIP ViT-B/16; records do not name the model's shape, so a run of zero-shot alone, or of ViT-B/32 with its equal \
    widths, is not told from it. Sources and checks: `reports/paper/README.md`.";

/// Two runs side by side.
pub fn runs(comparison: &RunComparison) -> String {
    let header = [
        "method",
        "dataset",
        "classes",
        "shots",
        "first",
        "n",
        "second",
        "n",
        "difference",
        "95 %",
        "error of",
        "pairs",
        "p (sign flips)",
        "verdict",
    ];
    let mut table = Table::new(header).left(3);
    for line in &comparison.lines {
        let [first, second] = [&line.first, &line.second].map(|accuracy| {
            let text = accuracy.as_ref().map(|a| with_spread(a.mean(), a.std()));
            let n = accuracy.as_ref().map(|a| a.n().to_string());
            [text, n].map(|cell| cell.unwrap_or_else(|| NONE.to_owned()))
        });
        let variant =
            if line.place.variant.is_empty() { String::new() } else { format!(" ({})", line.place.variant) };
        let names = [
            format!("{}{variant}", method_name(&line.place.method)),
            dataset_name(&line.place.dataset).to_owned(),
            line.place.classes.to_string(),
            line.place.shots.map_or_else(String::new, |s| s.to_string()),
        ];
        let last = [
            line.difference().map_or_else(|| NONE.to_owned(), signed),
            interval(line.interval()),
            line.estimate().map_or(NONE, error_of).to_owned(),
            pairs(line),
            line.sign_flip_p().map_or_else(|| NONE.to_owned(), p),
            line.verdict().as_str().replace('_', " "),
        ];
        table.row(names.into_iter().chain(first).chain(second).chain(last));
    }
    let of =
        |keep: &dyn Fn(RunVerdict) -> bool| comparison.lines.iter().filter(|l| keep(l.verdict())).count();
    let summary = format!(
        "{}: {} identical, {} consistent, {} different, {} cannot be told, {} in one run only.\n",
        count(comparison.lines.len(), "result"),
        of(&|v| v == RunVerdict::Identical),
        of(&|v| v == RunVerdict::Of(Verdict::Consistent)),
        of(&|v| v == RunVerdict::Of(Verdict::Different)),
        of(&|v| v == RunVerdict::Of(Verdict::CannotTell)),
        of(&|v| v == RunVerdict::OneSided),
    );
    let changed = changes::markdown(&comparison.changes);
    format!(
        "**What changed**\n\n{changed}\n**Cell by cell**\n\n{summary}\n{}\n{RUNS_NOTE} {EXPLAINED}_\n",
        table.markdown()
    )
}

/// Number of paired seeds, and how many of either run have no partner.
fn pairs(line: &RunLine) -> String {
    match (line.paired, line.left_out) {
        (false, _) => NONE.to_owned(),
        (true, 0) => line.differences().len().to_string(),
        (true, left_out) => format!("{} ({left_out} left out)", line.differences().len()),
    }
}

const RUNS_NOTE: &str = "_Accuracy in percent, mean ± sample standard deviation over n seeds; difference: second \
    − first, in points. Seeds are paired where both runs trained on the same draws (pairs: how many; paired t, exact \
    sign-flip p, at least 2 / 2ⁿ); such a line is about the seeds that both runs have, and says how many it leaves \
    out. Else Welch's t over all seeds of either. Where the differences have no spread, or nothing is drawn, the error \
    is that of the images, counted as if the two runs had seen different ones, which is an upper bound. Identical: the \
    same counts at every seed compared. Consistent: two one-sided tests show the means within ±1 point at 5 %. \
    Different: the test rejects equality at 5 % and equivalence is not shown. Cannot tell: neither, or one drawn seed. \
    Verdicts are not corrected for their number.";
