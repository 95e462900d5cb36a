//! `doctor`: what the machine has, which data and model are there, what could run now and for how long.
//!
//! It opens the model whole, the lists of every dataset, the head of every listed file and the few images that methods
//! are timed on; whether all images can be decoded is for `data verify` to find.

use std::path::Path;

use candle_core::Device;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::plan::{WIDTH, summary};
use super::threads::lanes;
use super::version::Build;
use crate::backbone::ClipSource;
use crate::data::{Availability, Catalog, DataRoot};
use crate::record::Store;
use crate::report::terminal::wrapped;
use crate::suite::{
    Estimate, Plan, Sizes, SuiteError, SuiteFile, World, estimate, is_embedded, load_pocket, settle_sizes,
};

/// Where the words of a line begin.
const INDENT: usize = 10;

/// Everything on the page; field names are the JSON keys.
#[derive(Serialize)]
struct Page {
    /// Build and machine.
    #[serde(flatten)]
    build: Build,
    model: Option<Finding>,
    datasets: Vec<Availability>,
    suite: String,
    /// Datasets of the suite that are not there.
    missing: Vec<String>,
    can_run: Option<CanRun>,
}

/// A thing that is usable, or why not.
#[derive(Serialize)]
struct Finding {
    usable: bool,
    what: String,
}

/// What could run now.
#[derive(Serialize)]
struct CanRun {
    command: String,
    datasets: Vec<String>,
    /// What it would take; absent where even timing the methods fails.
    takes: Option<Estimate>,
    /// Why it is absent.
    fault: Option<String>,
}

pub(super) fn doctor(
    suite: &str,
    (data, clip): (Option<&str>, Option<&Path>),
    out: &Path,
    json: bool,
) -> Result<Exit, Failure> {
    let suite = SuiteFile::find(suite)?;
    let datasets = data.map(states).transpose()?.unwrap_or_default();
    let mut page = Page {
        build: Build::here(),
        model: clip.map(model),
        suite: suite.name.clone(),
        missing: Vec::new(),
        datasets,
        can_run: None,
    };
    let model_is_there = page.model.as_ref().is_none_or(|model| model.usable);
    if model_is_there && (data.is_none() || clip.is_some()) {
        let world = World::open(data, clip, &Device::Cpu)?;
        let mut suite = suite.for_profile(world.settings_profile);
        let wanted = world.own_datasets().unwrap_or_else(|| suite.datasets.clone());
        let (ready, missing) = world.available(&wanted)?;
        let (tested, untested) = world.available(&suite.evaluate_on)?;
        page.missing = [missing, untested].concat();
        suite.evaluate_on = tested;
        if !ready.is_empty() {
            let command = command(&suite.name, data, clip, !page.missing.is_empty());
            let suite = SuiteFile { datasets: ready, ..suite };
            page.can_run = Some(what_runs(&world, suite, out, command));
        }
    }
    match json {
        true => println!("{}", serde_json::to_string(&page)?),
        false => print(&page),
    }
    let sound = page.datasets.iter().all(files_are_sound);
    Ok(if sound && page.can_run.is_some_and(|run| run.fault.is_none()) { Exit::Ok } else { Exit::Data })
}

/// False where a dataset's lists open and some of its files are missing or no pictures.
fn files_are_sound(state: &Availability) -> bool {
    match state {
        Availability::Ready { files: Some(files), .. } => files.is_sound(),
        _ => true,
    }
}

fn what_runs(world: &World, mut suite: SuiteFile, out: &Path, command: String) -> CanRun {
    let datasets = suite.datasets.clone();
    let store = Store::new(out, &suite.name, &world.profile);
    let sizes = Sizes::of(&store, world.clip.device_kind());
    let settled = sizes.and_then(|mut sizes| settle_sizes(&mut suite.set, &world.clip, &mut sizes));
    let plan = settled.and_then(|()| Plan::new(suite, &[], None)).and_then(|plan| plan.with_prompts(None));
    let (takes, fault) = match plan.and_then(|plan| estimate(world, &plan, (out, lanes()), &|| false)) {
        Ok(takes) => (Some(takes), None),
        Err(error) => (None, Some(error.to_string())),
    };
    CanRun { command, datasets, takes, fault }
}

/// The command as one would type it.
fn command(suite: &str, data: Option<&str>, clip: Option<&Path>, part: bool) -> String {
    let mut words = vec!["rpo-bench".to_owned(), "suite".to_owned(), suite.to_owned()];
    let quoted = |text: &str| match text.contains(|c: char| c.is_whitespace() || "'\"$&;()*?".contains(c)) {
        true => format!("'{}'", text.replace('\'', "'\\''")),
        false => text.to_owned(),
    };
    words.extend(data.map(|data| format!("--data {}", quoted(data))));
    words.extend(clip.map(|clip| format!("--clip {}", quoted(&clip.display().to_string()))));
    words.extend(part.then(|| "--available".to_owned()));
    words.join(" ")
}

/// The folder read whole: a truncated file shows here and not at hour 1.
fn model(dir: &Path) -> Finding {
    let loaded = match is_embedded(dir) {
        true => load_pocket(),
        false => ClipSource::open(dir).and_then(|folder| folder.load()).map_err(SuiteError::from),
    };
    match loaded {
        Err(error) => Finding { usable: false, what: error.to_string() },
        Ok(loaded) => {
            let (config, tokenizer) = (&loaded.config, loaded.tokenizer.is_some());
            let vision = match &config.resnet {
                Some(resnet) => format!("ResNet {} × {:?} blocks", resnet.width, resnet.layers),
                None => format!(
                    "patch {}, vision {} × {} layers",
                    config.patch_size, config.vision.width, config.vision.layers
                ),
            };
            let what = format!(
                "{}: {} px, {vision}, text {} × {} layers, joint {}, sha256 {}{}",
                loaded.name,
                config.image_size,
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
    Ok(catalog.availability_of_files(&catalog.ids())?)
}

/// Prints the page.
fn print(page: &Page) {
    page.build.lines().iter().for_each(|(name, value)| line(name, value));
    if !page.build.gpus.is_empty() && !cfg!(feature = "cuda") {
        line("", "this build has no GPU support: cargo build --release --features cuda");
    }
    match &page.model {
        Some(Finding { usable, what }) => {
            line("model", &format!("{} {what}", if *usable { "ok   " } else { "FAULT" }));
        }
        None if page.datasets.is_empty() => line("model", "the embedded pocket model (--clip DIR: your own)"),
        None => line("model", "none given; --data needs --clip MODEL too, or --clip pocket to try it out"),
    }
    if page.datasets.is_empty() {
        line("data", "the embedded pocket pictures (--data DIR: your own)");
    }
    for state in &page.datasets {
        line("data", &dataset(state));
        if let Availability::Ready { notes, .. } = state {
            notes.iter().for_each(|note| line("", &format!("      {note}")));
        }
    }
    match &page.can_run {
        Some(run) => can_run(page, run),
        None => line("can run", &format!("nothing of suite {} yet", page.suite)),
    }
}

fn line(key: &str, text: &str) {
    for (row, text) in wrapped(text, WIDTH - INDENT).lines().enumerate() {
        println!("{:<INDENT$}{text}", if row == 0 { key } else { "" });
    }
}

fn can_run(page: &Page, run: &CanRun) {
    // Somebody copies it.
    println!("{:<INDENT$}{}", "can run", run.command);
    if !page.missing.is_empty() {
        line("", &format!("on {}; not there:", run.datasets.join(", ")));
        page.missing.iter().for_each(|reason| line("", &format!("  {reason}")));
    }
    match (&run.takes, &run.fault) {
        (Some(takes), _) => line("takes", &summary(takes)),
        (None, fault) => line("FAULT", fault.as_deref().unwrap_or("unknown")),
    }
}

fn dataset(state: &Availability) -> String {
    match state {
        Availability::Ready { id, files: Some(files), .. } if !files.is_sound() => {
            format!("FAULT {id}: {files}")
        }
        Availability::Ready { id, counts, .. } => {
            format!("ok    {id}: {} train, {} val, {} test", counts.train, counts.val, counts.test)
        }
        Availability::Missing { id, what, .. } => {
            format!("none  {id}: {what} is missing; `rpo-bench data list {id}` says where to get it")
        }
        Availability::Unreadable { id, reason } => format!("FAULT {id}: {reason}"),
    }
}
