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

/// Threads inside one piece of work, and pieces of work side by side.
fn wanted(command: &Command) -> (usize, usize) {
    let (threads, pocket) = match command {
        Command::Suite(args) => (args.threads.unwrap_or_else(cores).max(1), args.clip.is_none()),
        Command::Slurm(args) => (args.suite.threads.unwrap_or_else(cores).max(1), args.suite.clip.is_none()),
        Command::Doctor { clip, .. } => (cores(), clip.is_none()),
        Command::Pocket(_) => (cores(), true),
        _ => (cores(), false),
    };
    if pocket { (1, threads) } else { (threads, 1) }
}

/// Datasets to work on side by side.
pub(super) fn lanes() -> usize {
    std::env::var(LANES).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Starts the program again with what its environment lacks. What is set there already stays.
#[cfg(unix)]
pub(super) fn settle(command: &Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;

    let missing = |name: &str| std::env::var_os(name).is_none();
    if !missing(VARIABLE) && !missing(PURGE) {
        return Ok(());
    }
    let mut program = std::process::Command::new(std::env::current_exe()?);
    program.args(std::env::args_os().skip(1));
    if missing(PURGE) {
        program.env(PURGE, "-1");
    }
    if missing(VARIABLE) {
        let (inner, lanes) = wanted(command);
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
