//! `rpo-bench … | head`, `> /dev/full`: stdout or stderr may be closed or full before everything is printed.

use std::panic::{set_hook, take_hook};
use std::process::exit;

/// What a shell reports for a program that wrote to a closed pipe (128 + SIGPIPE); here also for a full disk.
const CANNOT_PRINT: i32 = 141;

/// Ends the program quietly when nothing can be printed: Rust's own answer is a panic with a backtrace, which cannot be
/// printed either. Records and reports are written before anything is printed about them, so nothing is lost.
pub(super) fn end_quietly() {
    let report = take_hook();
    set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to stdout") || text.starts_with("failed printing to stderr") {
            exit(CANNOT_PRINT);
        }
        report(panic);
    }));
}
