//! The page of `doctor` as text.

use super::doctor::{CanRun, Finding, Page};
use super::plan::{WIDTH, summary};
use crate::data::Availability;
use crate::report::terminal::wrapped;

/// Where the words of a line begin.
const INDENT: usize = 10;

/// Prints the page.
pub(super) fn print(page: &Page) {
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
