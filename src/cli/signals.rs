//! The signals that ask a run to stop: Ctrl-C, TERM, HUP, and those batch systems send before they kill.
//!
//! Easy to get wrong: under `nohup` a HUP is ignored already, and listening for it would undo that.

use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::{Exit, Failure};

static STOP: AtomicBool = AtomicBool::new(false);

/// True once somebody asked to stop.
pub(super) fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// The first signal stops after the current step; the second ends the process at once.
fn heard() {
    if STOP.swap(true, Ordering::Relaxed) {
        std::process::exit(i32::from(Exit::Interrupted as u8));
    }
    eprintln!("\nstopping after this step; once more stops at once");
}

/// Starts listening.
#[cfg(unix)]
pub(super) fn listen() -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

    let mut wanted = vec![SIGINT, SIGTERM, SIGUSR1, SIGUSR2];
    if is_heeded(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let failed = |error: std::io::Error| Failure::new(Exit::Internal, format!("listen for signals: {error}"));
    let mut signals = signal_hook::iterator::Signals::new(wanted).map_err(failed)?;
    let listener = move || signals.forever().for_each(|_| heard());
    std::thread::Builder::new().name("signals".to_owned()).spawn(listener).map_err(failed)?;
    Ok(())
}

/// Whether the process was started with this signal at its default. Where the system does not say, the signal is
/// left as it is, which under `nohup` is ignored.
#[cfg(unix)]
fn is_heeded(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) == 0)
}

/// Starts listening.
#[cfg(not(unix))]
pub(super) fn listen() -> Result<(), Failure> {
    let failed = |error| Failure::new(Exit::Internal, format!("listen for interruptions: {error}"));
    ctrlc::set_handler(heard).map_err(failed)
}
