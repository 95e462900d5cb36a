//! `doctor`: what the machine has, which data and model are there, and what could run now.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use super::exit::{Exit, Failure};
use crate::backbone::ClipFolder;
use crate::data::{Availability, Catalog, DataRoot};
use crate::preprocess::DECODER;

/// Everything on the page.
#[derive(Serialize)]
struct Page {
    version: &'static str,
    features: Vec<&'static str>,
    decoder: &'static str,
    cores: usize,
    memory_mib: Option<u64>,
    /// Name, driver and memory of each card, as nvidia-smi says them.
    gpus: Vec<String>,
    model: Option<Finding>,
    datasets: Vec<Availability>,
    run: Option<String>,
}

/// A thing that is usable, or why not.
#[derive(Serialize)]
struct Finding {
    usable: bool,
    what: String,
}

pub(super) fn doctor(data: Option<&str>, clip: Option<&Path>, json: bool) -> Result<Exit, Failure> {
    let mut page = Page {
        version: env!("CARGO_PKG_VERSION"),
        features: features(),
        decoder: DECODER,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_mib: memory_mib(),
        gpus: gpus(),
        model: clip.map(model),
        datasets: data.map(datasets).transpose()?.unwrap_or_default(),
        run: None,
    };
    page.run = what_runs(&page, data);
    match json {
        true => println!("{}", serde_json::to_string(&page)?),
        false => print(&page),
    }
    let sound = page.model.as_ref().is_none_or(|model| model.usable) && page.run.is_some();
    Ok(if sound { Exit::Ok } else { Exit::Data })
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
    let Ok(output) = Command::new("nvidia-smi").args(query).output() else { return Vec::new() };
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

fn datasets(value: &str) -> Result<Vec<Availability>, Failure> {
    let catalog = Catalog::new(&DataRoot::parse(value)?)?;
    Ok(catalog.availability(&catalog.ids())?)
}

/// The command that could run now.
fn what_runs(page: &Page, data: Option<&str>) -> Option<String> {
    if data.is_none() {
        return Some("rpo-bench suite base2new".to_owned());
    }
    let ready: Vec<&str> = page
        .datasets
        .iter()
        .filter_map(|state| match state {
            Availability::Ready { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let usable = page.model.as_ref().is_some_and(|model| model.usable);
    (usable && !ready.is_empty())
        .then(|| format!("rpo-bench suite base2new --data DATA --clip CLIP --datasets {}", ready.join(",")))
}

fn print(page: &Page) {
    let none = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join("; ") };
    let features: Vec<String> = page.features.iter().map(|name| (*name).to_owned()).collect();
    println!("rpo-bench {}, features: {}, JPEG decoder: {}", page.version, none(&features), page.decoder);
    let memory = page.memory_mib.map_or("unknown".to_owned(), |mib| format!("{mib} MiB"));
    println!("machine   {} cores, {memory} memory, GPU: {}", page.cores, none(&page.gpus));
    if !page.gpus.is_empty() && !cfg!(feature = "cuda") {
        println!("          this build has no GPU support: cargo build --release --features cuda");
    }
    match &page.model {
        Some(Finding { usable, what }) => {
            println!("model     {} {what}", if *usable { "ok  " } else { "FAIL" })
        }
        None => println!("model     none given; the embedded pocket model runs without one (--clip DIR)"),
    }
    for state in &page.datasets {
        println!("data      {}", line(state));
    }
    match &page.run {
        Some(command) => {
            println!("can run   {command}");
            println!("          add --plan to see its cells, image passes and time; nothing is written");
        }
        None => println!("can run   nothing on this data yet: give --clip DIR and at least one dataset"),
    }
}

fn line(state: &Availability) -> String {
    match state {
        Availability::Ready { id, counts } => {
            format!("ok    {id}: {} train, {} val, {} test", counts.train, counts.val, counts.test)
        }
        Availability::Missing { id, what, .. } => {
            format!("none  {id}: {what} is missing; `rpo-bench data list {id}` says where to get it")
        }
        Availability::Unreadable { id, reason } => format!("FAIL  {id}: {reason}"),
    }
}
