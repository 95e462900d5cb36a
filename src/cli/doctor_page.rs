//! The page of `doctor` as text.

use super::doctor::{CanRun, Finding, Page};
use crate::data::Availability;

/// Prints the page.
pub(super) fn print(page: &Page) {
    println!(
        "rpo-bench {}, features: {}, JPEG decoder: {}",
        page.version,
        listed(&page.features),
        page.decoder
    );
    let memory = page.memory_mib.map_or("unknown".to_owned(), |mib| format!("{mib} MiB"));
    line("machine", &format!("{} cores, {memory} memory, GPU: {}", page.cores, listed(&page.gpus)));
    if !page.gpus.is_empty() && !cfg!(feature = "cuda") {
        line("", "this build has no GPU support: cargo build --release --features cuda");
    }
    match &page.model {
        Some(Finding { usable, what }) => {
            line("model", &format!("{} {what}", if *usable { "ok   " } else { "FAULT" }));
        }
        None if page.datasets.is_empty() => line("model", "the embedded pocket model (--clip DIR: your own)"),
        None => line("model", "none given; --data needs --clip DIR too"),
    }
    if page.datasets.is_empty() {
        line("data", "the embedded pocket pictures (--data DIR: your own)");
    }
    page.datasets.iter().for_each(|state| line("data", &dataset(state)));
    match &page.can_run {
        Some(run) => can_run(page, run),
        None => line("can run", &format!("nothing of suite {} yet", page.suite)),
    }
}

fn line(key: &str, text: &str) {
    println!("{key:<9} {text}");
}

fn listed<T: AsRef<str>>(list: &[T]) -> String {
    match list {
        [] => "none".to_owned(),
        _ => list.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("; "),
    }
}

fn can_run(page: &Page, run: &CanRun) {
    line("can run", &run.command);
    let all = run.datasets.len() + page.missing.len();
    line(
        "",
        &format!(
            "{} of {all} datasets, {} trainings, {} steps, {} image passes, {:.3e} GFLOP",
            run.datasets.len(),
            run.estimate.trainings,
            run.estimate.steps,
            run.estimate.image_passes,
            run.estimate.gflop
        ),
    );
    line("time", &format!("about {} on this CPU, from one measured image pass", duration(run.seconds)));
}

/// Two significant figures are more than the estimate has.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

fn dataset(state: &Availability) -> String {
    match state {
        Availability::Ready { id, counts } => {
            format!("ok    {id}: {} train, {} val, {} test", counts.train, counts.val, counts.test)
        }
        Availability::Missing { id, what, .. } => {
            format!("none  {id}: {what} is missing; `rpo-bench data list {id}` says where to get it")
        }
        Availability::Unreadable { id, reason } => format!("FAULT {id}: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_a_unit_that_fits() {
        let said = [12.0, 600.0, 7200.0, 864_000.0].map(duration);
        assert_eq!(said, ["12 s", "10 min", "2.0 h", "10.0 days"]);
    }
}
