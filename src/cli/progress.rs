//! Progress on stderr.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

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
