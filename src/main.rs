//! Command line of rpo-bench.

fn main() {}
