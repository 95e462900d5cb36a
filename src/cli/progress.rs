//! Progress on stderr, and interruption.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::exit::{Exit, Failure};

static STOP: AtomicBool = AtomicBool::new(false);

/// True once the user asked to stop.
pub(super) fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// The first Ctrl-C or SIGTERM stops after the current step; the second ends the process at once.
pub(super) fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted as u8));
        }
        eprintln!("\nstopping after this step; press again to stop at once");
    })
    .map_err(|error| Failure::new(Exit::Internal, format!("listen for interruptions: {error}")))
}

/// A bar with elapsed time and ETA; on a stderr that is no terminal it stays silent.
pub(super) fn bar(length: u64, message: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}  {elapsed} elapsed, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
