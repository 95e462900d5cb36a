//! Verification reports as text: one line a dataset, then what is wrong.

use super::fault::{Severity, VerifyReport};

/// Faults printed per dataset; the JSON report has them all.
const SHOWN_FAULTS: usize = 10;

/// The reports as a text table.
pub fn verify_table(reports: &[VerifyReport]) -> String {
    let header =
        ["dataset", "result", "classes", "train", "val", "test", "files", "decoded", "errors", "warnings"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(reports.iter().map(row));
    let mut text = align(&rows);
    for report in reports {
        for note in &report.notes {
            text.push_str(&format!("{}: note: {note}\n", report.dataset));
        }
        for fault in report.faults.iter().take(SHOWN_FAULTS) {
            text.push_str(&format!("{}: {fault}\n", report.dataset));
        }
        if let Some(more) = report.faults.len().checked_sub(SHOWN_FAULTS).filter(|more| *more > 0) {
            text.push_str(&format!("{}: and {more} more\n", report.dataset));
        }
    }
    text
}

fn row(report: &VerifyReport) -> [String; 10] {
    let count = |pick: fn(&crate::data::ListCounts) -> usize| {
        report.counts.as_ref().map_or("-".to_owned(), |counts| pick(counts).to_string())
    };
    [
        report.dataset.clone(),
        if report.passed() { "ok".to_owned() } else { "FAULTY".to_owned() },
        count(|counts| counts.classes),
        count(|counts| counts.train),
        count(|counts| counts.val),
        count(|counts| counts.test),
        report.checked_files.to_string(),
        if report.quick { "-".to_owned() } else { report.decoded_images.to_string() },
        report.count(Severity::Error).to_string(),
        report.count(Severity::Warning).to_string(),
    ]
}

/// Text columns to the left, figures to the right.
fn align(rows: &[[String; 10]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..10).map(width).collect();
    let cell = |(column, text): (usize, &String)| match column {
        0 | 1 => format!("{text:<w$}", w = widths[column]),
        _ => format!("{text:>w$}", w = widths[column]),
    };
    let line = |row: &[String; 10]| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ") + "\n";
    rows.iter().map(line).collect()
}
