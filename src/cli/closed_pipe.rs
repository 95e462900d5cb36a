//! `rpo-bench … | head`: whoever reads stdout may have enough before everything is printed.

use std::panic::{set_hook, take_hook};
use std::process::exit;

/// What a shell reports for a program that wrote to a closed pipe (128 + SIGPIPE).
const CLOSED_PIPE: i32 = 141;

/// Ends the program quietly when stdout is closed: Rust's own answer is a panic with a backtrace. Records and
/// reports are written before anything is printed about them.
pub(super) fn end_quietly() {
    let report = take_hook();
    set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to stdout") && text.contains("Broken pipe") {
            exit(CLOSED_PIPE);
        }
        report(panic);
    }));
}
