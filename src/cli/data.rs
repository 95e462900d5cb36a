//! `data`: what datasets are, whether they are sound, what a seed draws.

use std::path::Path;
use std::sync::Arc;

use super::args::DataCommand;
use super::exit::{Exit, Failure};
use super::progress::Pass;
use crate::data::export::{Encoding, InMemoryDataset, export, fitting, mark_pocket_export};
use crate::data::fewshot::draw_with;
use crate::data::guide::describe;
use crate::data::make_split::{ListShares, make_split};
use crate::data::split_write::save_split_json;
use crate::data::verify::{VerifyOptions, verify, verify_table};
use crate::data::{Catalog, DataRoot, PyRandom, Split, embedded, read_split_json};
use crate::fetch::dataset::Sources;
use crate::pocket::{self, PocketImages};

pub(super) fn data(command: DataCommand) -> Result<Exit, Failure> {
    match command {
        DataCommand::List { dataset: None } => super::list::list(super::args::Listing::Datasets, None),
        DataCommand::List { dataset: Some(id) } => {
            let manifest = embedded::manifest(&id).map_err(|error| Failure::new(Exit::Usage, error))?;
            println!("{}", describe(&manifest));
            Ok(Exit::Ok)
        }
        DataCommand::Verify { datasets, data, quick, state, json } => {
            check(&datasets, &data, quick, state.as_deref(), json)
        }
        DataCommand::Fetch { datasets, data, mirror, unchecked, dry_run, patience } => {
            let sources = Sources { mirror, unchecked };
            super::fetch::datasets(&datasets, &data, &sources, dry_run, patience)
        }
        DataCommand::Split { folder: Some(folder), save: Some(save), split, seed, json, .. } => {
            make(&folder, &save, &seed, shares(split)?, json)
        }
        DataCommand::Split { dataset, data, split_file, shots: Some(shots), seed, json, .. } => {
            let lists = lists(&dataset, data.as_deref(), split_file.as_deref())?;
            split(&lists, &seed, shots, json)
        }
        DataCommand::Split { .. } => Err(Failure::new(
            Exit::Usage,
            "expected --shots K, with --data DIR or --split-file FILE, or --folder DIR with --save FILE",
        )),
        DataCommand::Draw(args) => super::draw::draw(&args),
        DataCommand::Export { pocket, datasets, lossless, jpeg } => {
            let encoding = match (lossless, jpeg) {
                (true, _) => Encoding::Png,
                (false, None) => Encoding::Published,
                (false, Some(quality @ 1..=100)) => Encoding::Jpeg { quality },
                (false, Some(quality)) => {
                    return Err(Failure::new(Exit::Usage, format!("--jpeg {quality}: expected 1 to 100")));
                }
            };
            export_pocket(&pocket, &datasets, encoding)
        }
    }
}

pub(super) fn check(
    ids: &[String],
    data: &str,
    quick: bool,
    state: Option<&Path>,
    json: bool,
) -> Result<Exit, Failure> {
    let catalog = Catalog::new(&DataRoot::parse(data)?)?;
    let ids: Vec<&str> =
        if ids.is_empty() { catalog.ids() } else { ids.iter().map(String::as_str).collect() };
    let mut reports = Vec::new();
    for id in ids {
        let mut pass = Pass::new(id, "files");
        let state_file = state.map(|dir| dir.join(format!("{id}.jsonl")));
        let options = VerifyOptions { quick, state_file };
        let report = verify(&catalog, id, &options, &mut |done, total| {
            pass.at(done as u64, total as u64);
        })?;
        reports.push(report);
    }
    match json {
        true => println!("{}", serde_json::to_string(&reports)?),
        false => print!("{}", verify_table(&reports)),
    }
    Ok(if reports.iter().all(|report| report.passed()) { Exit::Ok } else { Exit::Data })
}

/// The lists that a draw is made from: a split file's, those of a dataset under a data root, or the pocket's.
fn lists(dataset: &str, data: Option<&str>, split_file: Option<&Path>) -> Result<Split, Failure> {
    if let Some(file) = split_file {
        return Ok(read_split_json(file).map_err(|error| Failure::new(Exit::Data, error))?.split);
    }
    if let Some(data) = data {
        let opened = Catalog::new(&DataRoot::parse(data)?)?.open(dataset)?;
        return Ok(Arc::unwrap_or_clone(opened.split));
    }
    match pocket::dataset(dataset) {
        Some(dataset) => Ok(dataset.split),
        None => {
            let known = pocket::datasets().join(", ");
            let message = format!(
                "find dataset {dataset:?} among the pocket pictures ({known}); pass --data DIR or --split-file FILE"
            );
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

/// `--split SHARE`.
fn shares(split: Option<f64>) -> Result<ListShares, Failure> {
    match split {
        None => Ok(ListShares::CoOp),
        Some(share) if share > 0.0 && share < 1.0 => Ok(ListShares::Train(share)),
        Some(share) => {
            Err(Failure::new(Exit::Usage, format!("--split {share}: expected a share between 0 and 1")))
        }
    }
}

fn split(lists: &Split, seed: &str, shots: u32, json: bool) -> Result<Exit, Failure> {
    let random = PyRandom::from_decimal(seed).map_err(|error| Failure::new(Exit::Usage, error))?;
    let drawn = draw_with(lists, shots, random);
    if json {
        println!("{}", serde_json::json!({"train": drawn.train, "val": drawn.val}));
        return Ok(Exit::Ok);
    }
    for (list, positions, items) in [("train", &drawn.train, &lists.train), ("val", &drawn.val, &lists.val)] {
        for position in positions {
            println!("{list} {position:6} {:4} {}", items[*position].label, items[*position].path);
        }
    }
    Ok(Exit::Ok)
}

/// Makes a split file for a folder of class folders and says how many items each list got.
fn make(folder: &Path, save: &Path, seed: &str, shares: ListShares, json: bool) -> Result<Exit, Failure> {
    let number = seed.parse().map_err(|error| {
        Failure::new(Exit::Usage, format!("--seed {seed}: {error}; a made split takes a 64-bit seed"))
    })?;
    let made = make_split(folder, number, shares)?;
    let bytes = made.to_json_bytes().map_err(|error| Failure::new(Exit::Data, error))?;
    save_split_json(save, &bytes).map_err(|error| Failure::new(Exit::Data, error))?;
    made.skipped.iter().for_each(|note| eprintln!("{note}"));
    let [train, val, test] = [&made.split.train, &made.split.val, &made.split.test].map(Vec::len);
    let classes = made.class_names.len();
    if json {
        println!("{}", serde_json::json!({"classes": classes, "train": train, "val": val, "test": test}));
    } else {
        println!("{}: {classes} classes, {train} train, {val} val, {test} test", save.display());
    }
    Ok(Exit::Ok)
}

fn export_pocket(root: &Path, wanted: &[String], encoding: Encoding) -> Result<Exit, Failure> {
    let known = pocket::datasets();
    if let Some(id) = wanted.iter().find(|id| !known.contains(&id.as_str())) {
        return Err(Failure::new(
            Exit::Usage,
            format!("--datasets {id}: unknown; known: {}", known.join(", ")),
        ));
    }
    mark_pocket_export(root).map_err(|error| Failure::new(Exit::Data, error))?;
    for id in known {
        let Some(dataset) = pocket::dataset(id) else { continue };
        if !wanted.is_empty() && !wanted.iter().any(|other| other == id) {
            continue;
        }
        let manifest = embedded::manifest(id).map_err(|error| Failure::new(Exit::Internal, error))?;
        let split = fitting(&manifest, &dataset.split);
        let memory = InMemoryDataset {
            manifest: &manifest,
            class_names: &dataset.class_names,
            split: &split,
            images: &PocketImages,
        };
        let report = export(memory, root, encoding).map_err(|error| Failure::new(Exit::Data, error))?;
        println!("{id:16} {:5} files, {:6.2} MB", report.files, report.bytes as f64 / 1e6);
    }
    Ok(Exit::Ok)
}
