//! The environment the engine needs: number of threads and what freed memory does. Settled once, first.
//!
//! candle asks the system for the number of cores at every matrix product unless RAYON_NUM_THREADS says
//! it, which costs a small model a third of its time. The allocator hands freed memory back to the kernel
//! after 10 ms unless told otherwise, and a large model spends a quarter of a step on getting zeroed pages
//! again. A variable cannot be set safely in a running process, so the program starts itself again.

use super::args::Command;
use super::exit::Failure;

const VARIABLE: &str = "RAYON_NUM_THREADS";
/// The allocator's delay in milliseconds before it returns freed memory; negative keeps it for reuse.
const PURGE: &str = "MIMALLOC_PURGE_DELAY";
/// Lanes asked for, handed to the program started again.
const LANES: &str = "RPO_BENCH_LANES";

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Threads inside one piece of work, and pieces of work side by side; and whether somebody typed their number.
fn wanted(command: &Command) -> (Wanted, bool) {
    let (typed, pocket) = match command {
        Command::Suite(args) => (args.threads, args.clip.is_none()),
        Command::Slurm(args) => (args.suite.threads, args.suite.clip.is_none()),
        Command::Doctor { clip, .. } => (None, clip.is_none()),
        Command::Pocket(_) => (None, true),
        _ => (None, false),
    };
    let threads = typed.unwrap_or_else(cores).max(1);
    let wanted =
        if pocket { Wanted { inner: 1, lanes: threads } } else { Wanted { inner: threads, lanes: 1 } };
    (wanted, typed.is_some())
}

/// How threads are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    inner: usize,
    lanes: usize,
}

impl Wanted {
    /// What the environment must say instead of what it says; `None` where it is as wanted. What was typed wins over a
    /// variable that was set; what follows from the number of cores does not.
    fn change(self, typed: bool, threads: Option<&str>, lanes: Option<&str>) -> Option<Self> {
        let as_wanted = threads == Some(&self.inner.to_string()) && lanes == Some(&self.lanes.to_string());
        let change = if typed { !as_wanted } else { threads.is_none() };
        change.then_some(self)
    }
}

/// Datasets to work on side by side.
pub(super) fn lanes() -> usize {
    std::env::var(LANES).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Starts the program again with what its environment lacks. What is set there already stays, unless `--threads` says
/// otherwise.
#[cfg(unix)]
pub(super) fn settle(command: &Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;

    let (wanted, typed) = wanted(command);
    let said = |name: &str| std::env::var(name).ok();
    let change = wanted.change(typed, said(VARIABLE).as_deref(), said(LANES).as_deref());
    let purge = std::env::var_os(PURGE).is_none();
    if change.is_none() && !purge {
        return Ok(());
    }
    let mut program = std::process::Command::new(std::env::current_exe()?);
    program.args(std::env::args_os().skip(1));
    if purge {
        program.env(PURGE, "-1");
    }
    if let Some(Wanted { inner, lanes }) = change {
        program.env(VARIABLE, inner.to_string()).env(LANES, lanes.to_string());
    }
    Err(program.exec().into())
}

/// Elsewhere the environment stays as it is.
#[cfg(not(unix))]
pub(super) fn settle(command: &Command) -> Result<(), Failure> {
    let _ = wanted(command);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_wins_over_the_environment_and_cores_do_not() {
        let wanted = Wanted { inner: 1, lanes: 3 };
        assert_eq!(wanted.change(true, Some("2"), None), Some(wanted));
        assert_eq!(wanted.change(true, Some("1"), Some("2")), Some(wanted));
        assert_eq!(wanted.change(true, Some("1"), Some("3")), None, "started again, it goes on");
        assert_eq!(wanted.change(false, Some("2"), None), None);
        assert_eq!(wanted.change(false, None, None), Some(wanted));
    }
}
