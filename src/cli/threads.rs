//! How many threads: settled once, before any other work.
//!
//! candle asks the system for the number of cores at every matrix product unless RAYON_NUM_THREADS says
//! it, which costs a small model a third of its time. A variable cannot be set safely in a running
//! process, so the program starts itself again with it.

use super::args::Command;
use super::exit::Failure;

const VARIABLE: &str = "RAYON_NUM_THREADS";
/// Lanes asked for, handed to the program started again.
const LANES: &str = "RPO_BENCH_LANES";

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Threads inside one piece of work, and pieces of work side by side.
fn wanted(command: &Command) -> (usize, usize) {
    let (threads, pocket) = match command {
        Command::Suite(args) => (args.threads.unwrap_or_else(cores).max(1), args.clip.is_none()),
        Command::Pocket(_) => (cores(), true),
        _ => (cores(), false),
    };
    if pocket { (1, threads) } else { (threads, 1) }
}

/// Datasets to work on side by side.
pub(super) fn lanes() -> usize {
    std::env::var(LANES).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Starts the program again with the number of threads in its environment, unless it is there already.
#[cfg(unix)]
pub(super) fn settle(command: &Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;

    if std::env::var_os(VARIABLE).is_some() {
        return Ok(());
    }
    let (inner, lanes) = wanted(command);
    let program = std::env::current_exe()?;
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(VARIABLE, inner.to_string())
        .env(LANES, lanes.to_string())
        .exec();
    Err(error.into())
}

/// Elsewhere the environment stays as it is.
#[cfg(not(unix))]
pub(super) fn settle(command: &Command) -> Result<(), Failure> {
    let _ = wanted(command);
    Ok(())
}
