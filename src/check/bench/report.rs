//! What a report costs: made-up records and predictions of two sizes, written to a temporary folder and rendered as
//! `report` does it. Twice the cells should take twice the time, and no more memory for each.

use std::path::{Path, PathBuf};

use candle_core::Device;
use serde::Serialize;

use super::error::BenchError;
use super::made_up::{MadeUp, PROFILE, SUITE};
use super::meter::{measured, peak_rss_mib};
use crate::record::Store;
use crate::suite::render_run;
use crate::util::machine;

/// What to time.
#[derive(Clone, Copy, Debug)]
pub struct ReportBench {
    /// Cells of the larger report; the smaller one has half of them.
    pub cells: u64,
    /// Test images of each half.
    pub images: u64,
}

/// One report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
    /// What of it came with the report, for each cell, in bytes.
    pub peak_bytes_per_cell: f64,
    /// Bytes of `index.html`.
    pub index_html_bytes: u64,
}

/// The smaller and the larger report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReportCosts {
    /// With half the cells.
    pub half: ReportCost,
    /// With all of them.
    pub whole: ReportCost,
    /// CPU-seconds of the whole over those of the half; 2 where time grows with the number of cells.
    pub growth: f64,
    /// Bytes of memory that the further cells of the whole take, each.
    pub bytes_per_further_cell: f64,
}

/// Times both reports.
///
/// # Errors
/// [`BenchError::Setting`] for fewer than two cells or images; [`BenchError::Report`] where the temporary folder cannot
/// be written or a report not be made.
pub fn bench_report(bench: ReportBench) -> Result<ReportCosts, BenchError> {
    for (what, value) in [("cells", bench.cells), ("images", bench.images)] {
        if value < 2 {
            return Err(BenchError::Setting { what, reason: format!("{value} is less than 2") });
        }
    }
    let half = cost(ReportBench { cells: bench.cells / 2, ..bench })?;
    let whole = cost(bench)?;
    let further = (whole.cells - half.cells) as f64;
    Ok(ReportCosts {
        half,
        whole,
        growth: whole.cpu_secs / half.cpu_secs.max(0.01),
        bytes_per_further_cell: (whole.peak_rss_mib - half.peak_rss_mib) * MIB / further,
    })
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
    let before = peak_rss_mib()?;
    let work = || render_run(&store, (SUITE, PROFILE), &target, None).map_err(Box::new);
    let (_, used) = measured(&Device::Cpu, work)?;
    let peak = peak_rss_mib()?;
    let cells = bench.cells as f64;
    Ok(ReportCost {
        cells: bench.cells,
        predictions: 2 * bench.cells * bench.images,
        cpu_secs: used.cpu,
        wall_secs: used.wall,
        cpu_secs_per_thousand_cells: 1000.0 * used.cpu / cells,
        peak_rss_mib: peak,
        peak_bytes_per_cell: (peak - before) * MIB / cells,
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
}
