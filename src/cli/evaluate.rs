//! `evaluate --prompts FILE`: somebody's prompts, one's own data.

use std::cell::RefCell;
use std::path::Path;

use super::args::EvaluateArgs;
use super::exit::{Exit, Failure};
use super::progress::Pass;
use super::signals::{graceful, stopped};
use super::world;
use crate::data::Classes;
use crate::record::predictions_csv;
use crate::suite::{FileEvaluation, SavedPrompts, Settings, about, evaluate_file, method_id};
use crate::util::atomic_file;

pub(super) fn evaluate(args: &EvaluateArgs) -> Result<Exit, Failure> {
    let saved = SavedPrompts::read(&args.prompts, args.method.as_deref().map(method_id))?;
    let mut settings = saved.settings(&Settings::new([])?)?;
    for text in &args.set {
        let (key, value) = Settings::parse_assignment(text)?;
        settings = settings.with(&key, &value)?;
    }
    let world = world::open(&args.world)?;
    let trained_on = saved.metadata.get(about::DATASET);
    let datasets = match (&args.datasets, trained_on) {
        (Some(datasets), _) => datasets.clone(),
        (None, Some(dataset)) => vec![dataset.clone()],
        (None, None) => world.own_datasets().ok_or_else(|| {
            Failure::new(Exit::Usage, "the file does not say what it was trained on: name --datasets")
        })?,
    };
    let halves = match (&args.classes, saved.metadata.get(about::TRAIN_CLASSES).map(String::as_str)) {
        (Some(classes), _) => classes.clone(),
        (None, Some("all")) => vec![Classes::All],
        (None, _) => vec![Classes::Base, Classes::New],
    };
    world.check(&datasets)?;
    world.notes(&datasets, &[])?.iter().for_each(|note| eprintln!("{note}"));
    let same_weights =
        saved.metadata.get(about::WEIGHTS).map(|sha256| *sha256 == world.identity.weights_sha256);
    if same_weights == Some(false) {
        eprintln!(
            "these prompts were trained with another model (other weights): numbers will not be reproduced"
        );
    }
    graceful();
    let mut rows = Vec::new();
    for dataset in &datasets {
        for classes in &halves {
            let half = (dataset.as_str(), *classes);
            let pass = RefCell::new(Pass::new(&format!("{dataset} {classes}"), "images"));
            let heard = |done: usize, of: usize| pass.borrow_mut().at(done as u64, of as u64);
            rows.push(evaluate_file(&world, &saved, &settings, half, args.world.limit, &stopped, &heard)?);
            drop(pass);
            let Some(row) = rows.last().filter(|_| !args.json) else { continue };
            let percent = 100.0 * row.correct as f64 / row.total as f64;
            let half = row.classes.as_str();
            println!("{:18} {half:4}  {:6} / {:6}  {percent:6.2} %", row.dataset, row.correct, row.total);
        }
    }
    let document = serde_json::json!({
        "method": saved.method,
        "prompts_sha256": saved.sha256,
        "metadata": saved.metadata,
        "weights_sha256": world.identity.weights_sha256,
        "same_weights": same_weights,
        "dtype": args.world.dtype.as_str(),
        "limit": args.world.limit,
        "set": args.set,
        "evaluations": rows,
    });
    if args.json {
        println!("{document}");
    }
    if let Some(dir) = &args.out {
        save(dir, &document, &rows)?;
    }
    Ok(Exit::Ok)
}

/// `--out`: the document, and the predictions in the form of a run's own.
fn save(dir: &Path, document: &serde_json::Value, rows: &[FileEvaluation]) -> Result<(), Failure> {
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new(Exit::RunFailed, format!("write {}: {error}", path.display()))
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let write = |name: &str, text: String| {
        let path = dir.join(name);
        atomic_file::write(&path, text.as_bytes()).map_err(|error| failed(&path, &error))
    };
    for row in rows {
        write(&format!("{}-{}.csv", row.dataset, row.classes), predictions_csv(&row.predictions))?;
    }
    write("evaluation.json", format!("{document:#}\n"))
}
