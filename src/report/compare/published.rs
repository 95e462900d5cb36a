//! The published figures, compiled in from `reports/paper/`, whose README names every source.
//!
//! A figure has per-seed counts only where the authors' logs exist; otherwise it is a bare mean.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::data::Classes;
use crate::report::error::ReportError;

const MEANS: &str = include_str!("../../../reports/paper/means.csv");
const SEEDS: &str = include_str!("../../../reports/paper/seeds.csv");

/// What a figure belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FigureKey {
    /// Method id.
    pub method: String,
    /// Dataset trained on.
    pub train_dataset: String,
    /// Dataset evaluated on.
    pub dataset: String,
    /// Classes trained on.
    pub train_classes: Classes,
    /// Classes that competed.
    pub classes: Classes,
    /// Training images per class; `None` for zero-shot.
    pub shots: Option<u32>,
}

/// What was published for a place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Published {
    /// The printed mean in percent.
    pub printed_pct: Option<f64>,
    /// Accuracies in percent by seed, ascending, from the authors' counts.
    pub by_seed: Vec<(u64, f64)>,
    /// Seed, correct predictions and test images, ascending.
    pub counts: Vec<(u64, u64, u64)>,
    /// Number of prompts in those runs.
    pub k: Option<u32>,
    /// Where the figures come from.
    pub source: String,
}

/// All published figures.
///
/// # Errors
/// [`ReportError::Published`] for a malformed line, which the tests rule out for the files compiled in.
pub fn published() -> Result<BTreeMap<FigureKey, Published>, ReportError> {
    let mut figures: BTreeMap<FigureKey, Published> = BTreeMap::new();
    for line in Line::all("means.csv", MEANS)? {
        let figure = figures.entry(line.place()?).or_default();
        figure.printed_pct = Some(line.number("accuracy_pct")?);
        figure.source = line.text("source")?.to_owned();
    }
    for line in Line::all("seeds.csv", SEEDS)? {
        let figure = figures.entry(line.place()?).or_default();
        let (correct, total): (f64, f64) = (line.number("correct")?, line.number("total")?);
        figure.by_seed.push((line.number("seed")?, 100.0 * correct / total));
        figure.counts.push((line.number("seed")?, line.number("correct")?, line.number("total")?));
        figure.k = Some(line.number("k")?);
        figure.source = format!("logs of {}", line.text("source")?);
    }
    for figure in figures.values_mut() {
        figure.by_seed.sort_by_key(|(seed, _)| *seed);
        figure.counts.sort_unstable();
    }
    Ok(figures)
}

/// One line of a file without quoted fields.
struct Line {
    file: &'static str,
    number: usize,
    fields: BTreeMap<&'static str, &'static str>,
}

impl Line {
    fn all(file: &'static str, text: &'static str) -> Result<Vec<Self>, ReportError> {
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let parse = |(i, line): (usize, &'static str)| {
            let values: Vec<&str> = line.split(',').collect();
            let fields = header.iter().copied().zip(values.iter().copied()).collect();
            let parsed = Self { file, number: i + 2, fields };
            if values.len() == header.len() {
                Ok(parsed)
            } else {
                Err(parsed.error(format!("{} fields, expected {}", values.len(), header.len())))
            }
        };
        lines.enumerate().map(parse).collect()
    }

    fn error(&self, reason: String) -> ReportError {
        ReportError::Published { file: self.file.to_owned(), line: self.number, reason }
    }

    fn text(&self, field: &str) -> Result<&'static str, ReportError> {
        self.fields.get(field).copied().ok_or_else(|| self.error(format!("no field {field}")))
    }

    fn number<T: FromStr<Err: Display>>(&self, field: &str) -> Result<T, ReportError> {
        let text = self.text(field)?;
        text.parse().map_err(|e| self.error(format!("{field} is {text:?}: {e}")))
    }

    fn classes(&self, field: &str) -> Result<Classes, ReportError> {
        let text = self.text(field)?;
        let known = [Classes::Base, Classes::New, Classes::All].into_iter().find(|c| c.as_str() == text);
        known.ok_or_else(|| self.error(format!("{field} is {text:?}, expected base, new or all")))
    }

    fn place(&self) -> Result<FigureKey, ReportError> {
        let shots = self.text("shots")?;
        Ok(FigureKey {
            method: self.text("method")?.to_owned(),
            train_dataset: self.text("train_dataset")?.to_owned(),
            dataset: self.text("dataset")?.to_owned(),
            train_classes: self.classes("train_classes")?,
            classes: self.classes("classes")?,
            shots: if shots.is_empty() { None } else { Some(self.number("shots")?) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::describe::mean;

    #[test]
    fn the_files_hold_the_figures_of_the_paper() {
        let figures = published().unwrap();
        let rpo = |f: &(&FigureKey, &Published)| f.0.method == "rpo" && f.0.shots == Some(16);
        let both: Vec<_> = figures.iter().filter(rpo).filter(|(_, f)| f.printed_pct.is_some()).collect();
        assert_eq!(both.len(), 22);
        for (place, figure) in both.iter().filter(|(_, f)| !f.by_seed.is_empty()) {
            let first_three: Vec<f64> = figure.by_seed.iter().filter(|s| s.0 <= 3).map(|s| s.1).collect();
            let difference = mean(&first_three).unwrap() - figure.printed_pct.unwrap();
            assert_eq!(first_three.len(), 3, "{place:?}");
            assert!(difference.abs() < 0.06, "{place:?}: {difference}");
        }
        let average = mean(
            &both
                .iter()
                .filter(|(p, _)| p.classes == Classes::Base)
                .map(|(_, f)| f.printed_pct.unwrap())
                .collect::<Vec<_>>(),
        );
        assert!((average.unwrap() - 81.13).abs() < 0.01, "{average:?}");
    }

    /// Ten targets average to the average that the table prints (CoPrompt's rows to 66.99).
    #[test]
    fn the_cross_dataset_rows_average_to_what_was_printed() {
        let figures = published().unwrap();
        let printed = [
            ("coop", 63.88),
            ("cocoop", 65.74),
            ("maple", 66.30),
            ("promptsrc", 65.81),
            ("mma", 66.61),
            ("coprompt", 67.00),
        ];
        for (method, average) in printed {
            let target = |p: &&FigureKey| {
                p.method == method
                    && (p.train_dataset.as_str(), p.classes) == ("imagenet", Classes::All)
                    && !p.dataset.starts_with("imagenet")
            };
            let targets: Vec<f64> =
                figures.iter().filter(|(p, _)| target(p)).filter_map(|(_, f)| f.printed_pct).collect();
            assert_eq!(targets.len(), 10, "{method}");
            assert!((mean(&targets).unwrap() - average).abs() < 0.011, "{method}");
        }
    }

    #[test]
    fn malformed_lines_name_their_place() {
        let lines = Line::all("x.csv", "a,b\n1,2\n3");
        assert!(matches!(lines, Err(ReportError::Published { line: 3, .. })));
        let lines = Line::all("x.csv", "a,b\n1,x").unwrap();
        assert!(matches!(lines[0].number::<u32>("b"), Err(ReportError::Published { line: 2, .. })));
    }
}
