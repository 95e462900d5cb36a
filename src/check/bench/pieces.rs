//! What of a piece of work threads can share, measured on one thread, and the speed on many that follows by arithmetic.

use serde::{Deserialize, Serialize};

use crate::backbone::pieces::pieces;

/// Thread counts whose efficiency is worked out, not measured.
pub(super) const WORKED_OUT: [usize; 2] = [16, 64];

/// Seconds on the clock of a piece of work on one thread. Field names are the JSON keys.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Pieces {
    /// Outside every part of a tower and every frozen layer: no other thread can help.
    pub outside_seconds: f64,
    /// Of every part, and of every frozen layer outside a tower, a list for each time that something is cut into parts: those of a list can run side by side.
    pub parts_seconds: Vec<Vec<f64>>,
}

/// Efficiency by arithmetic. Field names are the JSON keys.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PiecesAt {
    /// Threads.
    pub threads: usize,
    /// If every part stays on the thread that takes it.
    pub efficiency_a_thread_a_part: f64,
    /// If threads without a part help the others without loss.
    pub efficiency_with_help: f64,
}

impl Pieces {
    /// Runs `work`; `seconds` says how long it took in all. `None` where parts ran on threads that were not watched.
    pub(super) fn of<R>(work: impl FnOnce() -> R, seconds: impl FnOnce(&R) -> f64) -> (R, Option<Self>) {
        let (result, parts_seconds) = pieces(work);
        let inside: f64 = parts_seconds.iter().flatten().sum();
        let outside_seconds = (seconds(&result) - inside).max(0.0);
        let alone = rayon::current_num_threads() == 1;
        (result, alone.then_some(Self { outside_seconds, parts_seconds }))
    }

    /// What follows for 16 and 64 threads.
    pub(super) fn worked_out(&self) -> Vec<PiecesAt> {
        WORKED_OUT.map(|threads| self.at(threads)).into()
    }

    fn at(&self, threads: usize) -> PiecesAt {
        let inside: f64 = self.parts_seconds.iter().flatten().sum();
        let efficiency = |shared: f64| {
            let seconds = threads as f64 * (self.outside_seconds + shared);
            if seconds > 0.0 { (self.outside_seconds + inside) / seconds } else { 1.0 }
        };
        let apart = self.parts_seconds.iter().map(|parts| last_end(parts, threads)).sum();
        PiecesAt {
            threads,
            efficiency_a_thread_a_part: efficiency(apart),
            efficiency_with_help: efficiency(inside / threads as f64),
        }
    }
}

/// When the last part ends if each goes to the thread that is free first.
fn last_end(parts: &[f64], threads: usize) -> f64 {
    let mut busy = vec![0.0f64; threads.max(1)];
    for seconds in parts {
        busy.sort_by(f64::total_cmp);
        busy[0] += seconds;
    }
    busy.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_threads_and_the_rest_waits() {
        assert_eq!(last_end(&[1.0; 4], 2), 2.0);
        assert_eq!(last_end(&[1.0; 3], 2), 2.0);
        assert_eq!(last_end(&[3.0, 1.0, 1.0, 1.0], 2), 3.0);
        assert_eq!(last_end(&[], 2), 0.0);
    }

    #[test]
    fn efficiency_is_amdahls_where_parts_are_many() {
        let pieces = Pieces { outside_seconds: 1.0, parts_seconds: vec![vec![1.0; 64]; 3] };
        let many = pieces.at(64);
        assert!((many.efficiency_with_help - 193.0 / (64.0 * 4.0)).abs() < 1e-12);
        assert_eq!(many.efficiency_a_thread_a_part, many.efficiency_with_help);
        let few = Pieces { outside_seconds: 0.0, parts_seconds: vec![vec![1.0; 4]] }.at(16);
        assert_eq!((few.efficiency_a_thread_a_part, few.efficiency_with_help), (0.25, 1.0));
    }

    #[test]
    fn what_no_part_took_is_outside() {
        let (result, found) = Pieces::of(|| 7, |_| 2.0);
        assert_eq!(result, 7);
        let alone = rayon::current_num_threads() == 1;
        assert_eq!(found.map(|found| found.outside_seconds), alone.then_some(2.0));
    }
}
