//! `doctor`: what the machine has, which data and model are there, what could run now and for how long.
//!
//! It opens the model whole and the lists of every dataset, but no image: `data verify` does that.

use std::path::Path;

use candle_core::Device;
use serde::Serialize;

use super::doctor_page::print;
use super::exit::{Exit, Failure};
use crate::backbone::ClipFolder;
use crate::data::{Availability, Catalog, DataRoot};
use crate::preprocess::DECODER;
use crate::suite::{Estimate, Plan, SuiteFile, World, estimate, secs_per_gflop};

/// Everything on the page; field names are the JSON keys.
#[derive(Serialize)]
pub(super) struct Page {
    pub version: &'static str,
    /// Cargo features compiled in.
    pub features: Vec<&'static str>,
    pub decoder: &'static str,
    pub cores: usize,
    pub memory_mib: Option<u64>,
    /// Name, driver and memory of each card, as nvidia-smi says them.
    pub gpus: Vec<String>,
    pub model: Option<Finding>,
    pub datasets: Vec<Availability>,
    pub suite: String,
    /// Datasets of the suite that are not there.
    pub missing: Vec<String>,
    pub can_run: Option<CanRun>,
}

/// A thing that is usable, or why not.
#[derive(Serialize)]
pub(super) struct Finding {
    pub usable: bool,
    pub what: String,
}

/// What could run now.
#[derive(Serialize)]
pub(super) struct CanRun {
    pub command: String,
    pub datasets: Vec<String>,
    pub estimate: Estimate,
    /// About how long it takes on this CPU.
    pub seconds: f64,
}

pub(super) fn doctor(
    suite: &str,
    data: Option<&str>,
    clip: Option<&Path>,
    json: bool,
) -> Result<Exit, Failure> {
    let suite = SuiteFile::find(suite)?;
    let datasets = data.map(states).transpose()?.unwrap_or_default();
    let mut page = Page {
        version: env!("CARGO_PKG_VERSION"),
        features: features(),
        decoder: DECODER,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_mib: memory_mib(),
        gpus: gpus(),
        model: clip.map(model),
        suite: suite.name.clone(),
        missing: Vec::new(),
        datasets,
        can_run: None,
    };
    let model_is_there = page.model.as_ref().is_none_or(|model| model.usable);
    if model_is_there && (data.is_none() || clip.is_some()) {
        let world = World::open(data, clip, &Device::Cpu)?;
        let suite = suite.for_profile(world.settings_profile).0;
        let wanted = world.own_datasets().unwrap_or_else(|| suite.datasets.clone());
        let (ready, missing) = world.available(&wanted)?;
        page.missing = missing;
        if !ready.is_empty() {
            let command = command(&suite.name, data, clip, (ready.len() < wanted.len()).then_some(&ready));
            page.can_run = Some(what_runs(&world, suite, ready, command)?);
        }
    }
    match json {
        true => println!("{}", serde_json::to_string(&page)?),
        false => print(&page),
    }
    Ok(if model_is_there && page.can_run.is_some() { Exit::Ok } else { Exit::Data })
}

fn what_runs(
    world: &World,
    suite: SuiteFile,
    datasets: Vec<String>,
    command: String,
) -> Result<CanRun, Failure> {
    let plan = Plan::new(SuiteFile { datasets: datasets.clone(), ..suite }, &[], None)?;
    let estimate = estimate(world, &plan)?;
    let seconds = estimate.gflop * secs_per_gflop(world)?;
    Ok(CanRun { command, datasets, estimate, seconds })
}

/// The command as one would type it.
fn command(suite: &str, data: Option<&str>, clip: Option<&Path>, part: Option<&Vec<String>>) -> String {
    let mut words = vec!["rpo-bench".to_owned(), "suite".to_owned(), suite.to_owned()];
    let quoted = |text: &str| match text.contains(|c: char| c.is_whitespace() || "'\"$&;()*?".contains(c)) {
        true => format!("'{}'", text.replace('\'', "'\\''")),
        false => text.to_owned(),
    };
    words.extend(data.map(|data| format!("--data {}", quoted(data))));
    words.extend(clip.map(|clip| format!("--clip {}", quoted(&clip.display().to_string()))));
    words.extend(part.map(|ids| format!("--datasets {}", ids.join(","))));
    words.join(" ")
}

fn features() -> Vec<&'static str> {
    let known = [("cuda", cfg!(feature = "cuda")), ("parquet", cfg!(feature = "parquet"))];
    known.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect()
}

fn memory_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

fn gpus() -> Vec<String> {
    let query = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
    let Ok(output) = std::process::Command::new("nvidia-smi").args(query).output() else { return Vec::new() };
    if !output.status.success() {
        return Vec::new();
    }
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).collect()
}

/// The folder read whole: a truncated file shows here and not at hour 1.
fn model(dir: &Path) -> Finding {
    match ClipFolder::open(dir).and_then(|folder| folder.load()) {
        Err(error) => Finding { usable: false, what: error.to_string() },
        Ok(loaded) => {
            let (config, tokenizer) = (&loaded.config, loaded.tokenizer.is_some());
            let what = format!(
                "{}: {} px, patch {}, vision {} × {} layers, text {} × {} layers, joint {}, sha256 {}{}",
                loaded.name,
                config.image_size,
                config.patch_size,
                config.vision.width,
                config.vision.layers,
                config.text.width,
                config.text.layers,
                config.projection_dim,
                &loaded.weights_sha256[..12],
                if tokenizer { "" } else { "; no vocab.json and merges.txt" },
            );
            Finding { usable: tokenizer, what }
        }
    }
}

fn states(value: &str) -> Result<Vec<Availability>, Failure> {
    let catalog = Catalog::new(&DataRoot::parse(value)?)?;
    Ok(catalog.availability(&catalog.ids())?)
}
