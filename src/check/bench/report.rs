//! What a report costs: made-up records and predictions, written to a temporary folder and rendered as `report` does it.
//! Two sizes side by side say what further cells cost; each is made in a process of its own, since a process keeps memory
//! that it has freed.

use std::path::{Path, PathBuf};

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::error::BenchError;
use super::made_up::{MadeUp, PROFILE, SUITE};
use super::meter::{measured, peak_rss_mib};
use crate::record::Store;
use crate::suite::render_run;
use crate::util::machine;

/// What to time.
#[derive(Clone, Copy, Debug)]
pub struct ReportBench {
    /// Cells, each tested on two halves.
    pub cells: u64,
    /// Test images of each half.
    pub images: u64,
}

/// One report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportCost {
    /// Cells, each with two evaluations.
    pub cells: u64,
    /// Rows of predictions.
    pub predictions: u64,
    /// CPU-seconds of reading, measuring and rendering.
    pub cpu_secs: f64,
    /// The same on the clock.
    pub wall_secs: f64,
    /// CPU-seconds of a thousand cells.
    pub cpu_secs_per_thousand_cells: f64,
    /// Largest memory of the process while the report was made, in MiB.
    pub peak_rss_mib: f64,
    /// The same for each cell, in bytes.
    pub peak_bytes_per_cell: f64,
    /// Bytes of `index.html`.
    pub index_html_bytes: u64,
}

/// A smaller and a larger report, and what the further cells of the larger one cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReportCosts {
    /// With fewer cells.
    pub smaller: ReportCost,
    /// With more.
    pub larger: ReportCost,
    /// CPU-seconds that a thousand further cells take: a page's own cost, most of it pictures and tests, is in both.
    pub cpu_secs_per_thousand_further_cells: f64,
    /// Bytes of memory that a further cell takes.
    pub peak_bytes_per_further_cell: f64,
}

impl ReportCosts {
    /// Of two sizes.
    pub fn of(smaller: ReportCost, larger: ReportCost) -> Self {
        let further = larger.cells as f64 - smaller.cells as f64;
        Self {
            smaller,
            larger,
            cpu_secs_per_thousand_further_cells: 1000.0 * (larger.cpu_secs - smaller.cpu_secs) / further,
            peak_bytes_per_further_cell: MIB * (larger.peak_rss_mib - smaller.peak_rss_mib) / further,
        }
    }
}

/// Times one report.
///
/// # Errors
/// [`BenchError::Setting`] for fewer than two cells or images; [`BenchError::Report`] where the temporary folder cannot
/// be written or a report not be made.
pub fn bench_report(bench: ReportBench) -> Result<ReportCost, BenchError> {
    for (what, value) in [("cells", bench.cells), ("images", bench.images)] {
        if value < 2 {
            return Err(BenchError::Setting { what, reason: format!("{value} is less than 2") });
        }
    }
    cost(bench)
}

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// A folder that goes when it is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed lies where the system cleans up.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn cost(bench: ReportBench) -> Result<ReportCost, BenchError> {
    let name = format!("rpo-bench-report-{}-{}", std::process::id(), bench.cells);
    let out = Temporary(std::env::temp_dir().join(name));
    let store = Store::new(&out.0, SUITE, PROFILE);
    MadeUp::new(bench.images)?.write(&store, bench.cells)?;
    let target = out.0.join("reports").join(SUITE);
    machine::forget_peak_memory();
    let work = || render_run(&store, (SUITE, PROFILE), &target, None).map_err(Box::new);
    let (_, used) = measured(&Device::Cpu, work)?;
    let (peak, cells) = (peak_rss_mib()?, bench.cells as f64);
    Ok(ReportCost {
        cells: bench.cells,
        predictions: 2 * bench.cells * bench.images,
        cpu_secs: used.cpu,
        wall_secs: used.wall,
        cpu_secs_per_thousand_cells: 1000.0 * used.cpu / cells,
        peak_rss_mib: peak,
        peak_bytes_per_cell: MIB * peak / cells,
        index_html_bytes: size(&target.join("index.html")),
    })
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| about.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_is_refused() {
        let refused = |cells, images| bench_report(ReportBench { cells, images }).unwrap_err().to_string();
        assert!(refused(1, 100).contains("time cells: 1 is less than 2"));
        assert!(refused(10, 0).contains("time images: 0"));
    }

    #[test]
    fn what_both_sizes_have_is_no_cost_of_further_cells() {
        let cost = |cells: u64| ReportCost {
            cells,
            predictions: 0,
            cpu_secs: 30.0 + 0.002 * cells as f64,
            wall_secs: 0.0,
            cpu_secs_per_thousand_cells: 0.0,
            peak_rss_mib: 200.0 + cells as f64 / 1024.0,
            peak_bytes_per_cell: 0.0,
            index_html_bytes: 0,
        };
        let costs = ReportCosts::of(cost(1000), cost(3000));
        assert!((costs.cpu_secs_per_thousand_further_cells - 2.0).abs() < 1e-9);
        assert!((costs.peak_bytes_per_further_cell - 1024.0).abs() < 1e-6);
    }
}
