//! Cells that failed, and planned cells without a record. Silence here means there are none, and says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Cell, Evaluation, Outcome};
use crate::report::context::Context;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, method_name};
use crate::report::page::Part;

/// Everything of a line but its seed.
type Place = (Cell, String);

/// The section. Cells that differ by seed alone share a line.
pub fn render(context: &Context<'_>) -> Part {
    let mut seeds: BTreeMap<Place, Vec<String>> = BTreeMap::new();
    let mut add = |cell: &Cell, what: String| {
        let place = (Cell { seed: None, ..cell.clone() }, what);
        seeds.entry(place).or_default().extend(cell.seed.map(|s| s.to_string()));
    };
    for record in context.failed() {
        if let Outcome::Failed { error } = &record.outcome {
            add(&record.cell, format!("failed: {error}"));
        }
    }
    for cell in missing(context) {
        add(&cell, "no record".to_owned());
    }
    let mut table =
        Table::new(["dataset", "method", "trained on", "shots", "seeds", "variant", "what happened"]).left(7);
    for ((cell, what), seeds) in seeds {
        let variant: Vec<String> = cell.variant.iter().map(|(key, value)| format!("{key}={value}")).collect();
        table.row([
            dataset_name(&cell.dataset).to_owned(),
            method_name(&cell.method).to_owned(),
            format!("{} classes", cell.train_classes),
            cell.shots.map_or_else(String::new, |s| s.to_string()),
            seeds.join(", "),
            variant.join(" "),
            what,
        ]);
    }
    let cells =
        if table.is_empty() { "None: every cell has a result.\n".to_owned() } else { table.markdown() };
    let body = format!("{cells}\n{}", left_out(context));
    Part { heading: "Failed and missing cells".to_owned(), body, ..Part::default() }
}

/// Images left out of trainings and of evaluations.
fn left_out(context: &Context<'_>) -> String {
    trained_without(context) + &fewer_than_shots(context) + &skipped(context)
}

/// Trainings with fewer images than shots times classes, by dataset and draw; empty where there are none.
fn fewer_than_shots(context: &Context<'_>) -> String {
    let mut lines = BTreeSet::new();
    for record in &context.records {
        let (cell, Some(training)) = (&record.cell, &record.training) else { continue };
        let own = |e: &&Evaluation| e.dataset == cell.dataset && e.classes == cell.train_classes;
        let Some(classes) = record.evaluations.iter().find(own).map(|e| e.class_count) else { continue };
        let wanted = cell.shots.map_or(0, u64::from) * classes;
        let drawn = training.images + training.skipped;
        // Parameters that were read from a file say nothing of the images they were trained on.
        if drawn > 0 && drawn < wanted {
            lines.insert((cell.dataset.as_str(), cell.shots, cell.seed, drawn, wanted));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["dataset", "shots", "seed", "images drawn", "shots × classes"]);
    for (dataset, shots, seed, drawn, wanted) in lines {
        let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
        table.row([
            dataset_name(dataset).to_owned(),
            number(shots.map(u64::from)),
            number(seed),
            drawn.to_string(),
            wanted.to_string(),
        ]);
    }
    let why = "Some classes have fewer training images than shots; all of theirs were used.\n\n";
    format!("{why}{}\n", table.markdown())
}

/// Drawn images left out of trainings, by dataset and draw; empty where there are none.
fn trained_without(context: &Context<'_>) -> String {
    let mut lines: BTreeSet<(&str, Option<u32>, Option<u64>, u64)> = BTreeSet::new();
    for record in &context.records {
        let skipped = record.training.as_ref().map_or(0, |training| training.skipped);
        if skipped > 0 {
            let cell = &record.cell;
            lines.insert((&cell.dataset, cell.shots, cell.seed, skipped));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["dataset", "shots", "seed", "unreadable training images left out"]);
    for (dataset, shots, seed, skipped) in lines {
        let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
        table.row([
            dataset_name(dataset).to_owned(),
            number(shots.map(u64::from)),
            number(seed),
            skipped.to_string(),
        ]);
    }
    table.markdown() + "\n"
}

/// Images left out of evaluations, by dataset and classes: most of any cell.
fn skipped(context: &Context<'_>) -> String {
    let mut most: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for evaluation in context.records.iter().flat_map(|r| &r.evaluations).filter(|e| e.skipped > 0) {
        let place = (evaluation.dataset.as_str(), evaluation.classes.as_str());
        let images = most.entry(place).or_default();
        *images = evaluation.skipped.max(*images);
    }
    if most.is_empty() {
        return "No test image was left out.\n".to_owned();
    }
    let mut table = Table::new(["dataset", "classes", "unreadable test images left out"]).left(2);
    for ((dataset, classes), images) in most {
        table.row([dataset_name(dataset).to_owned(), classes.to_owned(), images.to_string()]);
    }
    table.markdown()
}

/// Expected cells without a record, in order.
fn missing(context: &Context<'_>) -> Vec<Cell> {
    let present: BTreeSet<&Cell> = context.records.iter().map(|r| &r.cell).collect();
    let expected =
        if context.spec.expected.is_empty() { combinations(context) } else { context.spec.expected.clone() };
    let mut missing: Vec<Cell> = expected.into_iter().filter(|cell| !present.contains(cell)).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// Every cell that occurs, with every dataset, seed and number of shots that occur in its suite at the
/// same training classes.
fn combinations(context: &Context<'_>) -> Vec<Cell> {
    let blank = |c: &Cell| Cell {
        dataset: String::new(),
        seed: c.seed.map(|_| 0),
        shots: c.shots.map(|_| 0),
        ..c.clone()
    };
    let templates: BTreeSet<Cell> = context.records.iter().map(|r| blank(&r.cell)).collect();
    templates.iter().flat_map(|template| filled(context, template)).collect()
}

fn filled(context: &Context<'_>, template: &Cell) -> Vec<Cell> {
    let family = |c: &&Cell| {
        (&c.suite, &c.profile, c.train_classes)
            == (&template.suite, &template.profile, template.train_classes)
    };
    let cells = || context.records.iter().map(|r| &r.cell).filter(family);
    let datasets: BTreeSet<&String> = cells().map(|c| &c.dataset).collect();
    let mut draws: BTreeSet<(Option<u64>, Option<u32>)> = cells().map(|c| (c.seed, c.shots)).collect();
    draws.retain(|draw| draw.0.is_some() == template.seed.is_some());
    let at = |dataset: &&String, (seed, shots): &(Option<u64>, Option<u32>)| Cell {
        dataset: (*dataset).clone(),
        seed: *seed,
        shots: *shots,
        ..template.clone()
    };
    datasets
        .iter()
        .flat_map(|dataset| draws.iter().map(|draw| at(dataset, draw)).collect::<Vec<_>>())
        .collect()
}
