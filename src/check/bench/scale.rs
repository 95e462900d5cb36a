//! How the engine scales with threads: the same benchmarks in processes of 1, 2, 4 … threads.
//!
//! candle takes its number of threads from the environment of the process, so each count is a process of its own. What is
//! measured at a few threads says what more can bring at most: the serial share follows from it (Karp and Flatt 1990), and
//! Amdahl's law the rest.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;
use serde_json::Value;

use super::error::BenchError;
use super::meter::middle;
use super::pieces::{Pieces, PiecesAt, WORKED_OUT};

/// Methods that are evaluated: those whose texts do not depend on the image, and which fit the benchmark's class prompts.
const METHODS: &str = "zero_shot,linear_probe,coop,rpo";

/// What to measure.
#[derive(Clone, Debug)]
pub struct ScaleBench {
    /// Thread counts; 1 is measured in any case.
    pub threads: Vec<usize>,
    /// Times that every count is measured, in turn; the median is reported.
    pub repeats: usize,
    /// Model shape, by name.
    pub model: String,
    /// Classes.
    pub classes: usize,
}

/// One kind of work. Field names are the JSON keys.
#[derive(Clone, Debug, Serialize)]
pub struct Scaling {
    /// `step`, `evaluate` or `lanes`.
    pub work: &'static str,
    /// At each number of threads.
    pub measured: Vec<ThreadFigures>,
    /// Share of one thread's time that does not become faster: Karp and Flatt's metric at the most threads that have a
    /// core each; absent where only one has.
    pub serial_share: Option<f64>,
    /// Efficiency that Amdahl's law leaves at 16 and 64 threads with this share.
    pub worked_out: Vec<WorkedOut>,
    /// Where one thread's time goes; absent for lanes, which share nothing but the machine.
    pub pieces: Option<Pieces>,
    /// Efficiency that these pieces leave at 16 and 64 threads, whatever else the machine does.
    pub worked_out_by_pieces: Vec<PiecesAt>,
}

/// What so many threads took.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadFigures {
    /// Threads of the process, or processes of one thread for `lanes`.
    pub threads: usize,
    /// More threads than cores: the figures say nothing of a machine that has them.
    pub more_than_cores: bool,
    /// Median over the repeats, of a unit of work (for lanes: of all of them).
    pub wall_seconds: f64,
    /// Median over the repeats.
    pub cpu_seconds: f64,
    /// Speed over one thread's, divided by the threads. For lanes: how much of a lane's speed alone is left beside others.
    pub efficiency: f64,
}

/// Efficiency by arithmetic.
#[derive(Clone, Debug, Serialize)]
pub struct WorkedOut {
    /// Threads.
    pub threads: usize,
    /// 1/(1 + share·(threads − 1)).
    pub efficiency: f64,
}

/// Everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct ScaleReport {
    /// Cores of this machine.
    pub cores: usize,
    /// Model shape.
    pub model: String,
    /// How often each count was measured.
    pub repeats: usize,
    /// Steps, evaluation, lanes.
    pub scaling: Vec<Scaling>,
    /// What the figures cannot say.
    pub note: String,
}

/// A unit of work at a number of threads.
type Run<'a> = &'a dyn Fn(usize) -> Result<Ran, BenchError>;

/// What a unit of work took.
struct Ran {
    /// Wall and CPU seconds.
    seconds: [f64; 2],
    /// Of one process with one thread.
    pieces: Option<Pieces>,
}

/// Runs `program bench …` with each number of threads.
///
/// # Errors
/// A count of 0; a benchmark that fails, with what it said.
pub fn bench_scale(bench: &ScaleBench, program: &Path) -> Result<ScaleReport, BenchError> {
    let mut threads = bench.threads.clone();
    threads.push(1);
    threads.sort_unstable();
    threads.dedup();
    if threads[0] == 0 || bench.repeats == 0 {
        return Err(BenchError::Setting { what: "scale", reason: "0 threads or repeats".to_owned() });
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let step = |threads: usize| runs(bench, program, "step", threads, 1);
    let evaluate = |threads: usize| runs(bench, program, "evaluate", threads, 1);
    let lanes = |lanes: usize| runs(bench, program, "step", 1, lanes);
    let kinds: [(&'static str, Run<'_>); 3] = [("step", &step), ("evaluate", &evaluate), ("lanes", &lanes)];
    let mut scaling = Vec::new();
    for (work, run) in kinds {
        let (mut taken, mut pieces) = (vec![Vec::new(); threads.len()], None);
        // In turn, so that what else the machine does meets every count alike.
        for _ in 0..bench.repeats {
            for (taken, threads) in taken.iter_mut().zip(&threads) {
                let ran = run(*threads)?;
                taken.push(ran.seconds);
                pieces = pieces.or(ran.pieces.filter(|_| work != "lanes"));
            }
        }
        let medians = |index: usize| taken.iter().map(move |all| middle(all.iter().map(|used| used[index])));
        let seconds: Vec<[f64; 2]> = medians(0).zip(medians(1)).map(|(wall, cpu)| [wall, cpu]).collect();
        scaling.push(Scaling::new(work, &threads, &seconds, cores).with(pieces));
    }
    let crowded = threads.iter().any(|threads| *threads > cores);
    let note = match crowded {
        true => format!(
            "some counts are above this machine's {cores} cores: they share cores and say nothing of scaling"
        ),
        false => "other work on the machine lowers every efficiency here".to_owned(),
    };
    Ok(ScaleReport { cores, model: bench.model.clone(), repeats: bench.repeats, scaling, note })
}

impl Scaling {
    fn new(work: &'static str, threads: &[usize], seconds: &[[f64; 2]], cores: usize) -> Self {
        let one = seconds.first().map_or(0.0, |used| used[0]);
        let of = |(threads, [wall, cpu]): (&usize, &[f64; 2])| {
            // Lanes do as many times the work; the others the same work.
            let ideal = if work == "lanes" { one } else { one / *threads as f64 };
            let efficiency = if *wall > 0.0 { ideal / wall } else { 0.0 };
            let (threads, more_than_cores) = (*threads, *threads > cores);
            ThreadFigures { threads, more_than_cores, wall_seconds: *wall, cpu_seconds: *cpu, efficiency }
        };
        let measured: Vec<ThreadFigures> = threads.iter().zip(seconds).map(of).collect();
        let widest = measured.iter().rfind(|m| !m.more_than_cores && m.threads > 1);
        let serial_share = widest.map(|m| serial_share(m.threads, m.efficiency));
        let worked_out = serial_share.map_or_else(Vec::new, |share| {
            WORKED_OUT.map(|threads| WorkedOut { threads, efficiency: amdahl(share, threads) }).into()
        });
        Self { work, measured, serial_share, worked_out, pieces: None, worked_out_by_pieces: Vec::new() }
    }

    fn with(self, pieces: Option<Pieces>) -> Self {
        let worked_out_by_pieces = pieces.as_ref().map(Pieces::worked_out).unwrap_or_default();
        Self { pieces, worked_out_by_pieces, ..self }
    }
}

/// (1/S − 1/p)/(1 − 1/p) for the speed-up S = efficiency·p; noise below 0 is 0.
fn serial_share(threads: usize, efficiency: f64) -> f64 {
    let p = threads as f64;
    ((1.0 / (efficiency * p) - 1.0 / p) / (1.0 - 1.0 / p)).clamp(0.0, 1.0)
}

fn amdahl(serial_share: f64, threads: usize) -> f64 {
    1.0 / (1.0 + serial_share * (threads as f64 - 1.0))
}

/// A unit of work, by `processes` processes of `threads` threads at a time.
fn runs(
    bench: &ScaleBench,
    program: &Path,
    work: &str,
    threads: usize,
    processes: usize,
) -> Result<Ran, BenchError> {
    let fail = |reason: String| BenchError::Setting { what: "scale", reason };
    let start = |_| {
        let mut command = Command::new(program);
        command.args(["bench", work, "--json", "--model", &bench.model]);
        command.args(["--classes", &bench.classes.to_string()]);
        if work == "evaluate" {
            command.args(["--methods", METHODS]);
        }
        command.env("RAYON_NUM_THREADS", threads.to_string()).stdout(Stdio::piped()).spawn()
    };
    let started = (0..processes).map(start).collect::<Result<Vec<_>, _>>();
    let (mut slowest, mut pieces) = ([0.0f64; 2], None);
    for child in started.map_err(|error| fail(format!("start {work}: {error}")))? {
        let output = child.wait_with_output().map_err(|error| fail(format!("wait for {work}: {error}")))?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| fail(format!("bench {work} with {threads} threads: {error}")))?;
        let number = |name: &str| {
            let unit = if work == "step" { "step" } else { "image" };
            let found = report[&format!("{name}_seconds_per_{unit}")].as_f64();
            found.ok_or_else(|| fail(format!("bench {work} reports no {name} seconds")))
        };
        slowest = [slowest[0].max(number("wall")?), slowest[1].max(number("cpu")?)];
        pieces = serde_json::from_value(report["pieces"].clone())
            .map_err(|error| fail(format!("bench {work} reports no pieces: {error}")))?;
    }
    Ok(Ran { seconds: slowest, pieces })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_share_is_amdahls_own() {
        for (share, threads) in [(0.0, 2), (0.02, 2), (0.1, 16), (1.0, 4)] {
            assert!((serial_share(threads, amdahl(share, threads)) - share).abs() < 1e-12);
        }
        assert_eq!(serial_share(2, 1.2), 0.0, "faster than ideal is noise");
    }

    #[test]
    fn efficiency_is_per_thread_and_crowded_counts_say_so() {
        let scaling = Scaling::new("step", &[1, 2, 4], &[[8.0, 8.0], [5.0, 9.0], [5.0, 9.0]], 2);
        let found: Vec<(f64, bool)> =
            scaling.measured.iter().map(|m| (m.efficiency, m.more_than_cores)).collect();
        assert_eq!(found, [(1.0, false), (0.8, false), (0.4, true)]);
        assert!((scaling.serial_share.unwrap() - 0.25).abs() < 1e-12, "from two threads, not from four");
        assert!((scaling.worked_out[1].efficiency - 1.0 / (1.0 + 0.25 * 63.0)).abs() < 1e-12);
        let lanes = Scaling::new("lanes", &[1, 2], &[[8.0, 8.0], [10.0, 8.0]], 2);
        assert_eq!(lanes.measured[1].efficiency, 0.8);
        assert!(Scaling::new("step", &[1, 2], &[[8.0, 8.0], [5.0, 9.0]], 1).serial_share.is_none());
    }
}
