//! The environment the engine needs: number of threads and what freed memory does. Settled once, first.
//!
//! candle asks the system for the number of cores at every matrix product unless RAYON_NUM_THREADS says
//! it, which costs a small model a third of its time. The allocator hands freed memory back to the kernel
//! after 10 ms unless told otherwise, and a large model spends a quarter of a step on getting zeroed pages
//! again. A variable cannot be set safely in a running process, so the program starts itself again.

use std::path::Path;

use super::args::Command;
use super::exit::Failure;
use crate::suite::is_embedded;

const VARIABLE: &str = "RAYON_NUM_THREADS";
/// The allocator's delay in milliseconds before it returns freed memory; negative keeps it for reuse.
const PURGE: &str = "MIMALLOC_PURGE_DELAY";
/// Lanes asked for, handed to the program started again.
const LANES: &str = "RPO_BENCH_LANES";

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The number of threads that was typed, and whether the small model runs: it is faster with a piece of work for each
/// thread than with all threads in one.
fn asked(command: &Command) -> (Option<usize>, bool) {
    let small = |clip: Option<&Path>| clip.is_none_or(is_embedded);
    match command {
        Command::Suite(args) => (args.threads, small(args.clip.as_deref())),
        Command::Slurm(args) => (args.suite.threads, small(args.suite.clip.as_deref())),
        Command::Doctor { clip, .. } => (None, small(clip.as_deref())),
        Command::Pocket(_) => (None, true),
        _ => (None, false),
    }
}

/// How threads are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    inner: usize,
    lanes: usize,
}

impl Wanted {
    /// What the environment must say instead of what it says; `None` where it is as wanted. What was typed wins over a
    /// number of threads that was set, and that over the number of cores. Lanes in the environment are this program's
    /// own words: it was started again, and only something typed may differ.
    fn change(
        (typed, small): (Option<usize>, bool),
        threads: Option<&str>,
        lanes: Option<&str>,
    ) -> Option<Self> {
        if typed.is_none() && lanes.is_some() {
            return None;
        }
        let set = threads.and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        let number = typed.or(set).unwrap_or_else(cores).max(1);
        let wanted = match small {
            true => Self { inner: 1, lanes: number },
            false => Self { inner: number, lanes: 1 },
        };
        let as_wanted =
            threads == Some(&wanted.inner.to_string()) && lanes.unwrap_or("1") == wanted.lanes.to_string();
        (!as_wanted).then_some(wanted)
    }
}

/// Datasets to work on side by side.
pub(super) fn lanes() -> usize {
    std::env::var(LANES).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Starts the program again with what its environment lacks. A number of threads that is
/// set there is kept to, unless `--threads` says otherwise.
#[cfg(unix)]
pub(super) fn settle(command: &Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;

    let said = |name: &str| std::env::var(name).ok();
    let change = Wanted::change(asked(command), said(VARIABLE).as_deref(), said(LANES).as_deref());
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
    drop(asked(command));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_wins_over_the_environment_and_that_over_the_cores() {
        let lanes = |lanes| Some(Wanted { inner: 1, lanes });
        let small = |typed, threads, lanes| Wanted::change((typed, true), threads, lanes);
        assert_eq!(small(Some(3), Some("2"), None), lanes(3));
        assert_eq!(small(Some(3), Some("1"), Some("2")), lanes(3));
        assert_eq!(small(Some(3), Some("1"), Some("3")), None, "started again, it goes on");
        assert_eq!(small(None, Some("1"), Some("4")), None, "started again, it goes on");
        assert_eq!(small(None, Some("4"), None), lanes(4), "four threads are four lanes");
        assert_eq!(small(None, Some("1"), None), None);
        for unset in [None, Some("0"), Some("many")] {
            assert_eq!(small(None, unset, None), lanes(cores()), "{unset:?}");
        }
        let large = |typed, threads, lanes| Wanted::change((typed, false), threads, lanes);
        assert_eq!(large(None, Some("4"), None), None, "a large model has its threads in one lane");
        assert_eq!(large(Some(2), Some("4"), None), Some(Wanted { inner: 2, lanes: 1 }));
    }
}
