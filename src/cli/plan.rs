//! `suite NAME --plan`: what would run and what it would take. Writes nothing.

use super::args::SuiteArgs;
use super::exit::{Exit, Failure};
use super::threads::lanes;
use crate::suite::{Estimate, Plan, World, estimate};

pub(super) fn show(args: &SuiteArgs, world: &World, plan: &Plan) -> Result<Exit, Failure> {
    world.check(&[plan.suite.datasets.as_slice(), &plan.suite.evaluate_on].concat())?;
    let estimate = estimate(world, plan, &args.out, lanes())?;
    if args.json {
        println!("{}", serde_json::to_string(&estimate)?);
        return Ok(Exit::Ok);
    }
    for planned in &estimate.cells {
        let cell = &planned.cell;
        let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let variant: Vec<String> = cell.variant.iter().map(|(key, value)| format!("{key}={value}")).collect();
        println!(
            "{:18} {:12} seed {:>2}  shots {:>2}  {}  {}{}",
            cell.dataset,
            cell.method,
            number(cell.seed),
            number(cell.shots.map(u64::from)),
            &planned.key[..12],
            if planned.complete { "complete " } else { "" },
            variant.join(" "),
        );
    }
    println!("{}; nothing was written", summary(&estimate));
    Ok(Exit::Ok)
}

/// One line on all of it.
pub(super) fn summary(estimate: &Estimate) -> String {
    format!(
        "{} cells, {} to run, {} trainings; {} training and {} evaluation image passes; {:.2} TFLOP; about {} \
         after a quick calibration; {:.1} MB on disk",
        estimate.cells.len(),
        estimate.cells_to_run,
        estimate.trainings,
        estimate.training_image_passes,
        estimate.evaluation_image_passes,
        1e-12 * estimate.flop,
        duration(estimate.seconds),
        1e-6 * estimate.disk_bytes as f64,
    )
}

/// Two significant units at most.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.0} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(duration(3.4), "3 s");
        assert_eq!(duration(125.0), "2 min 5 s");
        assert_eq!(duration(7_320.0), "2 h 2 min");
    }
}
