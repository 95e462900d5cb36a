//! Command line of rpo-bench: parse, call, map errors to exit codes. Nothing else.

use std::process::ExitCode;

/// Towers allocate and free tens of megabytes per layer; the system allocator hands each back to the
/// kernel and pays for fresh pages every time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rpo_bench::cli::main()
}
