//! `status`: how far the runs of an output folder are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::args::StatusArgs;
use super::cluster::gone;
use super::exit::{Exit, Failure};
use super::plan::duration;
use crate::suite::{RunStatus, Status, Watcher};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// Lines about cells of one kind before the rest is only counted.
const LINES: usize = 40;

pub(super) fn status(args: &StatusArgs) -> Result<Exit, Failure> {
    let mut watcher = Watcher::new(&args.out, gone());
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
        let status = watcher.look(now)?;
        if args.json {
            println!("{}", serde_json::to_string(&status)?);
            return Ok(Exit::Ok);
        }
        print!("{}", page(&status));
        if !args.watch || status.running + status.waiting == 0 {
            return Ok(Exit::Ok);
        }
        println!();
        std::thread::sleep(EVERY);
    }
}

fn page(status: &Status) -> String {
    if status.runs.is_empty() {
        return "no run here; --out DIR names the folder that holds runs/\n".to_owned();
    }
    status.runs.iter().map(one).collect()
}

fn one(run: &RunStatus) -> String {
    let mut text = format!(
        "{}: {} cells, {} done, {} running, {} waiting, {} failed{}\n",
        run.run,
        run.cells,
        run.done,
        run.running.len(),
        run.waiting,
        run.failed.len(),
        run.seconds_left.map_or_else(String::new, |left| format!("; about {} left", duration(left as f64))),
    );
    let running = run.running.iter().map(|cell| {
        let task = cell.task.as_ref().map_or_else(String::new, |task| format!(", task {task}"));
        let again = match cell.restarts {
            Some(restarts) if restarts > 0 => format!(" (restart {restarts})"),
            _ => String::new(),
        };
        let epoch = cell.epoch.map_or_else(String::new, |epoch| format!(", {epoch} epochs kept"));
        format!("  running  {}  on {}{task}{again} since {}{epoch}\n", cell.cell, cell.host, cell.since)
    });
    text.extend(running.take(LINES));
    text.extend(rest(run.running.len(), "running"));
    text.extend(
        run.failed.iter().map(|cell| format!("  failed   {}  {}\n", cell.cell, cell.reason)).take(LINES),
    );
    text.extend(rest(run.failed.len(), "failed"));
    text
}

fn rest(count: usize, kind: &str) -> Option<String> {
    (count > LINES).then(|| format!("  … and {} more {kind}; --json lists all\n", count - LINES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{FailedCell, RunningCell};

    #[test]
    fn a_page_says_who_does_what_and_counts_the_rest() {
        let running = RunningCell {
            cell: "dtd rpo seed 1".to_owned(),
            host: "n7".to_owned(),
            task: Some("12_3".to_owned()),
            restarts: Some(2),
            since: "2026-11-25T10:00:00Z".to_owned(),
            epoch: Some(4),
        };
        let failed = FailedCell { cell: "dtd coop seed 1".to_owned(), reason: "not finite".to_owned() };
        let run = RunStatus {
            run: "smoke-pocket".to_owned(),
            cells: 50,
            done: 4,
            running: vec![running; 45],
            waiting: 0,
            failed: vec![failed],
            seconds_left: Some(125),
        };
        let text = one(&run);
        assert!(text.starts_with(
            "smoke-pocket: 50 cells, 4 done, 45 running, 0 waiting, 1 failed; about 2 min 5 s left\n"
        ));
        assert!(
            text.contains("on n7, task 12_3 (restart 2) since 2026-11-25T10:00:00Z, 4 epochs kept"),
            "{text}"
        );
        assert!(text.contains("5 more running") && text.contains("dtd coop seed 1  not finite"), "{text}");
    }
}
