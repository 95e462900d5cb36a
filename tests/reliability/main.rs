//! Nothing lost, nothing invented: kills, interruptions, several processes, broken disks, tampered records.
//!
//! `RPO_BENCH_KILLS` sets the number of kills (4 when it is not set).

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod best_epoch;
mod checkpoints;
mod clone;
mod cluster;
mod folders;
mod interrupts;
mod kills;
mod mixing;
mod numbers;
mod program;
mod records;
mod resources;
mod sharing;
mod verifying;
