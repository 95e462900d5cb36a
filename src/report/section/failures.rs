//! Cells that failed, planned cells without a record, and predictions that cannot be used. Silence here means
//! there are none, and says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Cell, Evaluation, Outcome, RunRecord, SettingValues};
use crate::report::context::Context;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, method_name};
use crate::report::part::Part;
use crate::report::spec::{Damage, Planned};

/// Everything of a line but its seed.
type FailedAs = (Cell, String);

/// The section. Cells that differ by seed alone share a line.
pub fn render(context: &Context<'_>) -> Part {
    let mut seeds: BTreeMap<FailedAs, Vec<String>> = BTreeMap::new();
    let mut add = |cell: &Cell, what: String| {
        let place = (Cell { seed: None, ..cell.clone() }, what);
        seeds.entry(place).or_default().extend(cell.seed.map(|s| s.to_string()));
    };
    for record in context.every_record() {
        if let Outcome::Failed { error } = &record.outcome {
            add(&record.cell, format!("{}failed: {error}", in_words(context, record)));
        }
    }
    for planned in missing(context) {
        add(&planned.cell, format!("{}no record", other_than_own(context, &planned)));
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
    let body = format!("{cells}\n{}{}", untested(context), left_out(context));
    Part { heading: "Failed and missing cells".to_owned(), body, ..Part::default() }
}

/// Settings that tell a failed record from the others of its method, before its error.
fn in_words(context: &Context<'_>, record: &RunRecord) -> String {
    let swept: BTreeSet<String> = record.cell.variant.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let words = context.frame.variant(&record.key).split(' ');
    let told: Vec<&str> = words.filter(|word| !word.is_empty() && !swept.contains(*word)).collect();
    if told.is_empty() { String::new() } else { format!("with {}: ", told.join(" ")) }
}

/// Planned settings that are not the suite's own, before what happened; empty where nobody knows the own ones.
fn other_than_own(context: &Context<'_>, planned: &Planned) -> String {
    let Some(own) = context.spec.own.0.get(&planned.cell.method) else { return String::new() };
    let differs = |(key, value): &(&String, &String)| {
        !planned.cell.variant.contains_key(*key) && own.get(*key) != Some(*value)
    };
    let told: Vec<String> =
        planned.settings.iter().filter(differs).map(|(k, v)| format!("{k}={v}")).collect();
    let limit = planned.cell.limit.map(|n| format!("limit={n}"));
    let told: Vec<String> = told.into_iter().chain(limit).collect();
    if told.is_empty() { String::new() } else { format!("with {}: ", told.join(" ")) }
}

/// Predictions that are missing or damaged, and what that means; empty where there are none.
fn untested(context: &Context<'_>) -> String {
    let mut table = Table::new(["dataset", "method", "seed", "predictions", "what is wrong"]).left(5);
    let mut by_key: BTreeMap<&str, Vec<&Damage>> = BTreeMap::new();
    context.spec.damaged.iter().for_each(|damage| by_key.entry(&damage.key).or_default().push(damage));
    for record in context.every_record() {
        for damage in by_key.get(record.key.as_str()).into_iter().flatten() {
            table.row([
                dataset_name(&record.cell.dataset).to_owned(),
                context.arm_of_record(record).label(),
                record.cell.seed.map_or_else(String::new, |seed| seed.to_string()),
                damage.path.clone(),
                damage.reason.clone(),
            ]);
        }
    }
    if table.is_empty() {
        return String::new();
    }
    format!(
        "**Not tested:** the predictions below cannot be used, so no test over images was made with them; that a \
         line is not set apart says nothing there. The suite's command makes them again.\n\n{}\n",
        table.markdown()
    )
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
    for record in context.every_record() {
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
    for evaluation in context.every_record().flat_map(|r| &r.evaluations).filter(|e| e.skipped > 0) {
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
pub fn missing(context: &Context<'_>) -> Vec<Planned> {
    let mut present: BTreeMap<&Cell, Vec<&RunRecord>> = BTreeMap::new();
    for record in context.every_record() {
        present.entry(&record.cell).or_default().push(record);
    }
    let is_missing = |planned: &Planned| {
        !present.get(&planned.cell).is_some_and(|records| records.iter().any(|record| planned.is(record)))
    };
    let plain = |cell: Cell| Planned { cell, settings: SettingValues::default() };
    let mut missing: Vec<Planned> = match context.spec.expected.is_empty() {
        true => combinations(context).into_iter().map(plain).filter(is_missing).collect(),
        false => context.spec.expected.iter().filter(|planned| is_missing(planned)).cloned().collect(),
    };
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
