//! The environment the engine needs: number of threads and what freed memory does. Settled once, first.
//!
//! candle asks the system for the number of cores at each of its own matrix products unless RAYON_NUM_THREADS says
//! it, which a small model feels. The allocator hands freed memory back to the kernel
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

/// What was typed, and what is computed.
fn asked(command: &Command) -> Asked {
    let small = |clip: Option<&Path>| clip.is_none_or(is_embedded);
    let suite = match command {
        Command::Suite(args) => Some(&**args),
        Command::Slurm(args) => Some(&args.suite),
        _ => None,
    };
    let kind = match (suite, command) {
        (Some(args), _) if small(args.clip.as_deref()) => Kind::Pocket,
        (Some(args), _) if args.device == "cpu" => Kind::Real,
        (None, Command::Doctor { clip, .. }) if small(clip.as_deref()) => Kind::Pocket,
        (None, Command::Pocket(_)) => Kind::Pocket,
        // A card is filled by one lane.
        _ => Kind::Alone,
    };
    let (threads, lanes) = suite.map_or((None, None), |args| (args.threads, args.lanes));
    Asked { threads, lanes, kind }
}

/// Numbers that were typed, and what they are for.
#[derive(Clone, Copy)]
struct Asked {
    threads: Option<usize>,
    lanes: Option<usize>,
    kind: Kind,
}

/// What is computed.
#[derive(Clone, Copy)]
enum Kind {
    /// The small model: faster with a piece of work for each thread than with all threads in one.
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
    /// number of threads that was set, and that over the number of cores. Lanes in the environment are this program's
    /// own words: it was started again, and only something typed may differ.
    fn change(asked: Asked, threads: Option<&str>, lanes: Option<&str>) -> Option<Self> {
        if asked.threads.is_none() && asked.lanes.is_none() && lanes.is_some() {
            return None;
        }
        // Started again, the environment holds a lane's share.
        let side: usize = lanes.and_then(|text| text.parse().ok()).unwrap_or(1);
        let set = threads.and_then(|text| text.parse::<usize>().ok()).filter(|number| *number > 0);
        let number = asked.threads.or(set.map(|inner| inner * side)).unwrap_or_else(cores).max(1);
        let wanted = Self::new(asked.kind, number, asked.lanes);
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
    fn lanes_share_the_threads() {
        let wanted = |kind, threads, lanes| {
            let Wanted { inner, lanes } = Wanted::new(kind, threads, lanes);
            (lanes, inner)
        };
        assert_eq!([2, 7, 16, 64].map(|n| wanted(Kind::Real, n, None)), [(1, 2), (1, 7), (4, 4), (16, 4)]);
        assert_eq!(wanted(Kind::Real, 16, Some(2)), (2, 8));
        assert_eq!(wanted(Kind::Real, 2, Some(3)), (3, 1), "more lanes than threads, as asked");
        assert_eq!((wanted(Kind::Pocket, 2, None), wanted(Kind::Alone, 16, None)), ((2, 1), (1, 16)));
        let typed = Asked { threads: None, lanes: Some(2), kind: Kind::Real };
        let first = Wanted::change(typed, Some("8"), None);
        assert_eq!(first, Some(Wanted { inner: 4, lanes: 2 }));
        assert_eq!(Wanted::change(typed, Some("4"), Some("2")), None, "started again, it goes on");
    }

    #[test]
    fn what_was_typed_wins_over_the_environment_and_that_over_the_cores() {
        let lanes = |lanes| Some(Wanted { inner: 1, lanes });
        let asked = |kind, threads| Asked { threads, lanes: None, kind };
        let small = |typed, threads, lanes| Wanted::change(asked(Kind::Pocket, typed), threads, lanes);
        assert_eq!(small(Some(3), Some("2"), None), lanes(3));
        assert_eq!(small(Some(3), Some("1"), Some("2")), lanes(3));
        assert_eq!(small(Some(3), Some("1"), Some("3")), None, "started again, it goes on");
        assert_eq!(small(None, Some("1"), Some("4")), None, "started again, it goes on");
        assert_eq!(small(None, Some("4"), None), lanes(4), "four threads are four lanes");
        assert_eq!(small(None, Some("1"), None), None);
        for unset in [None, Some("0"), Some("many")] {
            assert_eq!(small(None, unset, None), lanes(cores()), "{unset:?}");
        }
        let large = |typed, threads, lanes| Wanted::change(asked(Kind::Real, typed), threads, lanes);
        assert_eq!(large(None, Some("4"), None), None, "a large model has its threads in one lane");
        assert_eq!(large(Some(2), Some("4"), None), Some(Wanted { inner: 2, lanes: 1 }));
    }
}
