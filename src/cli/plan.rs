//! `suite NAME --plan`: what would run and what it would take. Writes nothing.

use std::collections::BTreeMap;

use super::args::SuiteArgs;
use super::exit::{Exit, Failure};
use super::signals::stopped;
use super::threads::lanes;
use crate::suite::{Estimate, Load, MethodSettings, Plan, World, estimate};

/// Columns of a terminal that nobody has to widen.
pub(super) const WIDTH: usize = 80;
/// Where the words of a named line begin.
const INDENT: usize = 14;

pub(super) fn show(args: &SuiteArgs, world: &World, plan: &Plan) -> Result<Exit, Failure> {
    world.check(&[plan.suite.datasets.as_slice(), &plan.suite.evaluate_on].concat())?;
    let estimate = estimate(world, plan, (&args.out, lanes()), &stopped)?;
    if args.json {
        println!("{}", serde_json::to_string(&estimate)?);
        return Ok(Exit::Ok);
    }
    header(world, plan);
    println!();
    loads("method", &estimate.methods);
    println!();
    loads("dataset", &estimate.datasets);
    println!();
    if args.cells {
        cells(&estimate);
        println!();
    }
    departures(&estimate.settings);
    println!();
    line("in all", &[format!("{}; nothing was written", summary(&estimate))]);
    if !args.cells {
        line("", &["--cells shows every cell, --json has everything".to_owned()]);
    }
    Ok(Exit::Ok)
}

/// What the suite asks for, a line each.
fn header(world: &World, plan: &Plan) {
    let suite = &plan.suite;
    let numbers = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    line("suite", &[format!("{} on {}: {}", suite.name, world.profile, suite.title)]);
    line("datasets", &suite.datasets);
    if !suite.evaluate_on.is_empty() {
        line("tested on too", &suite.evaluate_on);
    }
    line("methods", &suite.methods);
    line("seeds", &[numbers(suite.seeds.iter().map(u64::to_string).collect())]);
    line("shots", &[numbers(suite.shots.iter().map(u32::to_string).collect())]);
    if !suite.sweep.is_empty() {
        let swept: Vec<String> = suite.sweep.iter().flat_map(|table| table.keys().cloned()).collect();
        line("swept", &swept);
    }
}

/// A table of the methods or datasets.
fn loads(what: &str, loads: &[Load]) {
    println!("{what:18} {:>7} {:>9} {:>10} {:>9} {:>14}", "cells", "complete", "trainings", "TFLOP", "time");
    for load in loads {
        println!(
            "{:18} {:>7} {:>9} {:>10} {:>9.2} {:>14}",
            load.name,
            load.cells,
            load.cells - load.cells_to_run,
            load.trainings,
            1e-12 * load.flop,
            duration(load.seconds),
        );
    }
}

fn cells(estimate: &Estimate) {
    for planned in &estimate.cells {
        let cell = &planned.cell;
        let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let variant: Vec<String> = cell.variant.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let text = format!(
            "{:16} {:13} seed {:>2} shots {:>2} {} {}{}{}",
            cell.dataset,
            cell.method,
            number(cell.seed),
            number(cell.shots.map(u64::from)),
            &planned.key[..12],
            if planned.complete { "complete " } else { "" },
            variant.join(" "),
            if planned.trained_classes_only { "new classes —, trained classes only" } else { "" },
        );
        println!("{}", text.trim_end());
    }
}

/// A name and its list, broken between words where the terminal ends.
fn line(name: &str, values: &[String]) {
    let text = values.join(", ");
    let mut row = format!("{name:<INDENT$}");
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && row.chars().count() + 1 + word.chars().count() > WIDTH {
            println!("{row}");
            row = " ".repeat(INDENT);
            empty = true;
        }
        // Wide names leave no room between themselves and the first word.
        if !empty || !row.ends_with(' ') {
            row.push(' ');
        }
        row.push_str(word);
        empty = false;
    }
    println!("{row}");
}

/// Where settings are not the published ones, a line for each method; what all of them share comes first.
fn departures(settings: &[MethodSettings]) {
    let own: Vec<&MethodSettings> = settings.iter().filter(|each| each.variant.is_empty()).collect();
    let mut shared = BTreeMap::new();
    for each in &own {
        let global = each.published.iter().filter(|(key, _)| !key.starts_with(&format!("{}.", each.method)));
        shared.extend(global.map(|(key, published)| (key, (&each.settings[key], published))));
    }
    println!("settings that are not the published ones (`list settings` explains them)");
    if own.iter().all(|each| each.published.is_empty()) {
        line("none", &[]);
    }
    if !shared.is_empty() {
        let words = |(key, (ours, published)): (&String, (&String, &String))| {
            format!("{key} {ours} (published {published})")
        };
        line("all methods", &shared.into_iter().map(words).collect::<Vec<_>>());
    }
    for each in own {
        let prefix = format!("{}.", each.method);
        let words = |(key, published): (&String, &String)| {
            let field = key.strip_prefix(&prefix)?;
            Some(format!("{field} {} (published {published})", each.settings[key]))
        };
        let values: Vec<String> = each.published.iter().filter_map(words).collect();
        let name = match &each.dataset {
            Some(dataset) => format!("{} on {dataset}", each.method),
            None => each.method.clone(),
        };
        if !values.is_empty() {
            line(&name, &values);
        }
        if let Some(caution) = &each.caution {
            line(&name, std::slice::from_ref(caution));
        }
    }
}

/// One line on all of it.
pub(super) fn summary(estimate: &Estimate) -> String {
    format!(
        "{} cells, {} to run, {} trainings; {} training and {} evaluation image passes; {:.2} TFLOP; about {} \
         after a quick calibration; {:.1} MB on disk",
        estimate.cells.len(),
        estimate.cells_to_run,
        estimate.trainings,
        estimate.training_image_passes,
        estimate.evaluation_image_passes,
        1e-12 * estimate.flop,
        duration(estimate.seconds),
        1e-6 * estimate.disk_bytes as f64,
    )
}

/// Two significant units at most.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.0} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(duration(3.4), "3 s");
        assert_eq!(duration(125.0), "2 min 5 s");
        assert_eq!(duration(7_320.0), "2 h 2 min");
    }
}
