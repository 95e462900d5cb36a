//! Datasets on disk: every layout written and read back, planted faults found, mutated files refused.
//!
//! No test needs third-party data except `real_splits`, which reads `../shared/splits` where it is
//! there and says so where it is not.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod broken_and_published;
mod export_round_trip;
mod folders;
mod mistakes;
mod own_data;
mod properties;
mod real_splits;
mod synthetic;
mod verify_faults;
