//! `bench`: what a training step, an evaluation and a report cost on this machine.

use std::process::Command;

use serde_json::Value;

use super::args::{BenchArgs, BenchCommand};
use super::exit::{Exit, Failure};
use super::suite::device;
use crate::check::bench::{
    BenchDevice, EvaluateBench, LaunchBench, ModelShape, ReportBench, ReportCost, ReportCosts, ScaleBench,
    StepBench, bench_evaluate, bench_launches, bench_report, bench_scale, bench_step,
};

pub(super) fn bench(command: BenchCommand) -> Result<Exit, Failure> {
    let (json, report) = match command {
        BenchCommand::Report { cells, one: true, images, json } => {
            (json, serde_json::to_value(bench_report(ReportBench { cells, images })?)?)
        }
        BenchCommand::Report { cells, one: false, images, json } => {
            let (smaller, larger) = (one_report(cells / 2, images)?, one_report(cells, images)?);
            (json, serde_json::to_value(ReportCosts::of(smaller, larger))?)
        }
        BenchCommand::Step { method, k, batch, seeds, steps, max_rows, common } => {
            let shape = ModelShape::find(&common.model)?;
            let place = place(&common)?;
            let classes = common.classes;
            let bench = StepBench { method, shape, k, batch, seeds, classes, steps, max_rows, place };
            (common.json, serde_json::to_value(bench_step(&bench)?)?)
        }
        BenchCommand::Launches { method, k, batch, model, classes, json } => {
            let bench = LaunchBench { method, shape: ModelShape::find(&model)?, k, batch, classes };
            (json, serde_json::to_value(bench_launches(&bench)?)?)
        }
        BenchCommand::Scale { threads, repeats, model, classes, json } => {
            let model = ModelShape::find(&model)?.name.to_owned();
            let threads = if threads.is_empty() { powers_of_two() } else { threads };
            let bench = ScaleBench { threads, repeats, model, classes };
            (json, serde_json::to_value(bench_scale(&bench, &std::env::current_exe()?)?)?)
        }
        BenchCommand::Evaluate { methods, k, images, chunk, n_seeds, together, common } => {
            let shape = ModelShape::find(&common.model)?;
            let (classes, place) = (common.classes, place(&common)?);
            let bench = EvaluateBench { methods, shape, k, images, chunk, classes, n_seeds, together, place };
            (common.json, serde_json::to_value(bench_evaluate(&bench)?)?)
        }
    };
    if json {
        println!("{report}");
    } else if let Value::Object(fields) = report {
        for (name, value) in fields {
            println!("{name:38} {}", plain(&value));
        }
    }
    Ok(Exit::Ok)
}

/// A report in a process of its own: this one keeps memory that it has freed.
fn one_report(cells: u64, images: u64) -> Result<ReportCost, Failure> {
    let (cells, images) = (cells.to_string(), images.to_string());
    let arguments = ["bench", "report", "--one", "--json", "--cells", &cells, "--images", &images];
    let made = Command::new(std::env::current_exe()?).args(arguments).output()?;
    if !made.status.success() {
        // Its words, without the one that this process says itself.
        let said = String::from_utf8_lossy(&made.stderr).trim().trim_start_matches("error: ").to_owned();
        let usage = made.status.code() == Some(Exit::Usage as i32);
        return Err(Failure::new(if usage { Exit::Usage } else { Exit::RunFailed }, said));
    }
    Ok(serde_json::from_slice(&made.stdout)?)
}

/// 1, 2, 4 … up to the number of cores.
fn powers_of_two() -> Vec<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::iter::successors(Some(1), |threads| Some(threads * 2))
        .take_while(|threads| *threads <= cores)
        .collect()
}

fn place(common: &BenchArgs) -> Result<BenchDevice, Failure> {
    Ok(BenchDevice { device: device(&common.device)?, precision: common.dtype })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name}={}", plain(value)))
            .collect::<Vec<_>>()
            .join(","),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| number.to_string(), |x| format!("{x:.4}"))
        }
        other => other.to_string(),
    }
}
