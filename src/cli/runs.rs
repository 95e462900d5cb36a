//! `runs list` and `runs forget`: what lies under --out, and how to be rid of a part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::args::RunsCommand;
use super::exit::{Exit, Failure};
use super::named::{self, Run};
use crate::frame::variant::variant_names;
use crate::record::RunRecord;
use crate::suite::{Where, forget, outcome, own_settings};

pub(super) fn runs(command: RunsCommand) -> Result<Exit, Failure> {
    match command {
        RunsCommand::List { out, json } => list(&out, json),
        RunsCommand::Forget { name, conditions, out, dry_run } => {
            forget_cells(&out, name.as_deref(), &conditions, dry_run)
        }
    }
}

/// Cells of one method under one set of settings.
#[derive(Debug, Serialize)]
struct Group {
    method: String,
    /// `default`, or what differs from the suite's own settings.
    settings: String,
    complete: usize,
    failed: usize,
    datasets: BTreeSet<String>,
    seeds: BTreeSet<u64>,
    shots: BTreeSet<u32>,
}

#[derive(Debug, Serialize)]
struct Listed {
    run: String,
    complete: usize,
    failed: usize,
    groups: Vec<Group>,
}

fn list(out: &Path, json: bool) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    for name in named::known(&out.join("runs")) {
        all.push(listed(&named::find(out, &name, "runs list")?)?);
    }
    if json {
        println!("{}", serde_json::json!({ "runs": all }));
        return Ok(Exit::Ok);
    }
    for run in &all {
        println!("{}: {} complete, {} failed", run.run, run.complete, run.failed);
        for group in &run.groups {
            let words = |what: &str, values: Vec<String>| {
                if values.is_empty() { String::new() } else { format!("; {what} {}", values.join(", ")) }
            };
            println!(
                "  {} ({}): {} complete, {} failed{}{}{}",
                group.method,
                group.settings,
                group.complete,
                group.failed,
                words("datasets", group.datasets.iter().cloned().collect()),
                words("seeds", group.seeds.iter().map(u64::to_string).collect()),
                words("shots", group.shots.iter().map(u32::to_string).collect()),
            );
        }
    }
    if all.is_empty() {
        println!("no run under {}", out.join("runs").display());
    }
    Ok(Exit::Ok)
}

fn listed(run: &Run) -> Result<Listed, Failure> {
    let records = run.store.all()?;
    let all: Vec<&RunRecord> = records.iter().collect();
    let names = variant_names(&all, &own_settings(&run.suite, &run.profile)?);
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let mut counts = [0, 0];
    for (record, name) in records.iter().zip(names) {
        let settings = described(record, name);
        let method = record.cell.method.clone();
        let group = groups.entry((method.clone(), settings.clone())).or_insert_with(|| Group {
            method,
            settings,
            complete: 0,
            failed: 0,
            datasets: BTreeSet::new(),
            seeds: BTreeSet::new(),
            shots: BTreeSet::new(),
        });
        let failed = usize::from(outcome(record) == "failed");
        counts[failed] += 1;
        group.failed += failed;
        group.complete += 1 - failed;
        group.datasets.insert(record.cell.dataset.clone());
        group.seeds.extend(record.cell.seed);
        group.shots.extend(record.cell.shots);
    }
    let [complete, failed] = counts;
    Ok(Listed { run: run.name.clone(), complete, failed, groups: groups.into_values().collect() })
}

/// The variant's name, with what has a column of its own in tables.
fn described(record: &RunRecord, variant: String) -> String {
    let dtype = Some(&record.provenance.dtype).filter(|dtype| *dtype != "f32");
    let words = [
        variant,
        dtype.map_or_else(String::new, |dtype| format!("dtype={dtype}")),
        record.cell.limit.map_or_else(String::new, |limit| format!("limit={limit}")),
    ];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "default".to_owned() } else { words.join(" ") }
}

fn forget_cells(out: &Path, name: Option<&str>, conditions: &[String], dry: bool) -> Result<Exit, Failure> {
    let conditions = conditions.iter().map(|text| Where::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => named::known(&out.join("runs")),
    };
    let mut cells = 0;
    for name in names {
        let run = named::find(out, &name, "runs forget")?;
        let gone = forget(&run.store, &conditions, dry)?;
        cells += gone.records.len();
        for record in &gone.records {
            let cell = &record.cell;
            let seed = cell.seed.map_or_else(String::new, |seed| format!(" seed {seed}"));
            let key = record.key.get(..12).unwrap_or(&record.key);
            println!("{}: {} {}{seed} {} {key}", run.name, cell.dataset, cell.method, outcome(record));
        }
        if let Some(place) = &gone.moved_to {
            println!(
                "{}: {} cells moved to {}; `rpo-bench report {}` renders the page without them",
                run.name,
                gone.records.len(),
                place.display(),
                run.name
            );
        }
    }
    if cells == 0 {
        return Err(Failure::new(
            Exit::Data,
            "runs forget: no cell meets this; `runs list` shows what is there",
        ));
    }
    if dry {
        println!("{cells} cells would be moved to runs/.forgotten; nothing was done");
    }
    Ok(Exit::Ok)
}
