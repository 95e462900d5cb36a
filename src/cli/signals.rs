//! What ends a run early: Ctrl-C, TERM, HUP, USR1, USR2 and `--stop-after`, all in one way.
//!
//! A command that can stop between two steps says so with [`graceful`]: the first signal then asks it to stop and
//! the second ends the process at once. Any other command ends at the first. Easy to get wrong: `nohup` works by an
//! ignored HUP that is inherited, so a handler must not be put in its place; and Slurm may deliver one TERM twice
//! within an instant, from `srun` and from its own daemon.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::exit::{Exit, Failure};

static STOP: AtomicBool = AtomicBool::new(false);
static GRACEFUL: AtomicBool = AtomicBool::new(false);
static STARTED: OnceLock<Instant> = OnceLock::new();
static CAUSE: OnceLock<Cause> = OnceLock::new();

/// Two equal signals within this time are one, delivered twice; of Ctrl-C each counts.
const ONE_DELIVERY: Duration = Duration::from_millis(400);

/// Why the run is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A person pressed Ctrl-C.
    Keyboard,
    /// TERM or HUP: the system, a scheduler or a person ends the process.
    Terminated,
    /// USR1, USR2 or `--stop-after`: time is nearly up, and another start is wanted.
    TimeNearlyUp,
}

/// True once the run is asked to stop.
pub(super) fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Why, once [`stopped`].
pub(super) fn cause() -> Option<Cause> {
    CAUSE.get().copied()
}

/// From now on the first signal asks to stop, and the running command looks at [`stopped`].
pub(super) fn graceful() {
    GRACEFUL.store(true, Ordering::Relaxed);
}

/// Asks to stop when this much time has passed since the program started.
///
/// # Errors
/// [`Exit::Internal`] where no thread can be started.
pub(super) fn stop_after(time: Duration) -> Result<(), Failure> {
    let started = *STARTED.get_or_init(Instant::now);
    let wait = move || {
        std::thread::sleep(time.saturating_sub(started.elapsed()));
        ask("--stop-after: the time is over", Cause::TimeNearlyUp);
    };
    std::thread::Builder::new().name("stop-after".to_owned()).spawn(wait)?;
    Ok(())
}

/// Asks to stop and says so; false where that was asked before.
fn ask(reason: &str, cause: Cause) -> bool {
    // The cause is there before the flag that makes others look for it.
    if CAUSE.set(cause).is_err() {
        return false;
    }
    STOP.store(true, Ordering::Release);
    say(&format!(
        "\n{reason}: stopping after this step, with a checkpoint; a second signal stops at once, and what is \
         finished is kept"
    ));
    true
}

/// A line on stderr, which may be gone together with the terminal that sent HUP.
fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

#[cfg(unix)]
mod system {
    use super::{Cause, Exit, Failure, GRACEFUL, Instant, ONE_DELIVERY, Ordering, STARTED, ask, say};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::Signals;

    /// Hears signals from now on.
    ///
    /// # Errors
    /// [`Exit::Internal`] where the system refuses a handler.
    pub(in crate::cli) fn watch() -> Result<(), Failure> {
        STARTED.get_or_init(Instant::now);
        let mut wanted = vec![SIGINT, SIGTERM, SIGUSR1, SIGUSR2];
        if !is_ignored(SIGHUP) {
            wanted.push(SIGHUP);
        }
        let mut signals = Signals::new(wanted)
            .map_err(|error| Failure::new(Exit::Internal, format!("listen for signals: {error}")))?;
        let listen = move || {
            let mut first = None;
            for signal in signals.forever() {
                hear(signal, &mut first);
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
        Ok(())
    }

    fn hear(signal: i32, first: &mut Option<(i32, Instant)>) {
        let (name, cause) = match signal {
            SIGINT => ("Ctrl-C", Cause::Keyboard),
            SIGTERM => ("SIGTERM", Cause::Terminated),
            SIGHUP => ("SIGHUP", Cause::Terminated),
            SIGUSR1 => ("SIGUSR1", Cause::TimeNearlyUp),
            _ => ("SIGUSR2", Cause::TimeNearlyUp),
        };
        if !GRACEFUL.load(Ordering::Relaxed) {
            say(&format!("{name}: ended"));
            end();
        }
        let (number, since) = *first.get_or_insert_with(|| (signal, Instant::now()));
        let again = signal == number && signal != SIGINT && since.elapsed() < ONE_DELIVERY;
        // A first signal after `--stop-after` is a second reason to stop, too.
        if !ask(name, cause) && !again {
            say(&format!("{name}: stopped at once; what is finished and the last checkpoint are kept"));
            end();
        }
    }

    /// Whether the process was started with the signal ignored, as `nohup` does with HUP.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        super::is_in_mask(&status, signal)
    }

    fn end() -> ! {
        std::process::exit(i32::from(Exit::Interrupted as u8))
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Failure, Instant, STARTED};

    /// Elsewhere the system ends the process at Ctrl-C, as it ends a killed one: the last checkpoint is kept.
    pub(in crate::cli) fn watch() -> Result<(), Failure> {
        STARTED.get_or_init(Instant::now);
        Ok(())
    }
}

pub(super) use system::watch;

/// Whether the line `SigIgn` of a `/proc/PID/status` has the bit of a signal.
fn is_in_mask(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_a_bit_of_the_mask() {
        let status = "Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n";
        assert!(is_in_mask(status, 1) && is_in_mask(status, 13));
        assert!(!is_in_mask(status, 2) && !is_in_mask("", 1));
    }
}
