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
    let suite = match command {
        Command::Suite(args) => Some(&**args),
        Command::Slurm(args) => Some(&args.suite),
        _ => None,
    };
    let (typed, lanes) = suite.map_or((None, None), |args| (args.threads, args.lanes));
    let kind = match (suite, command) {
        (Some(args), _) if args.clip.is_none() => Kind::Pocket,
        (Some(args), _) if args.device == "cpu" => Kind::Real,
        // A card is filled by one lane.
        (Some(_), _) => Kind::Alone,
        (None, Command::Doctor { clip: None, .. } | Command::Pocket(_)) => Kind::Pocket,
        (None, _) => Kind::Alone,
    };
    let threads = typed.unwrap_or_else(cores).max(1);
    (Wanted::new(kind, threads, lanes), typed.is_some() || lanes.is_some())
}

/// What is computed.
#[derive(Clone, Copy)]
enum Kind {
    /// A suite on the small model.
    Pocket,
    /// A suite on a model of any size.
    Real,
    /// One piece of work.
    Alone,
}

/// Threads of a lane of a real model: few enough that a product is not cut too small, enough that lanes do not fill the
/// memory.
const LANE_THREADS: usize = 4;

/// How threads are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    inner: usize,
    lanes: usize,
}

impl Wanted {
    fn new(kind: Kind, threads: usize, lanes: Option<usize>) -> Self {
        let lanes = match (kind, lanes) {
            (_, Some(lanes)) => lanes.max(1),
            (Kind::Alone, None) => 1,
            (Kind::Pocket, None) => threads,
            (Kind::Real, None) => (threads / LANE_THREADS).max(1),
        };
        Self { inner: (threads / lanes).max(1), lanes }
    }

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
    fn lanes_share_the_threads() {
        let wanted = |kind, threads, lanes| {
            let Wanted { inner, lanes } = Wanted::new(kind, threads, lanes);
            (lanes, inner)
        };
        assert_eq!([2, 7, 16, 64].map(|n| wanted(Kind::Real, n, None)), [(1, 2), (1, 7), (4, 4), (16, 4)]);
        assert_eq!(wanted(Kind::Real, 16, Some(2)), (2, 8));
        assert_eq!(wanted(Kind::Real, 2, Some(3)), (3, 1), "more lanes than threads, as asked");
        assert_eq!((wanted(Kind::Pocket, 2, None), wanted(Kind::Alone, 16, None)), ((2, 1), (1, 16)));
    }

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
