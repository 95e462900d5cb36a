//! `parity DIR`: this program against golden numbers.

use std::collections::HashMap;
use std::path::Path;

use super::exit::{Exit, Failure};
use super::suite::device;
use crate::check::parity::check_folder;

pub(super) fn parity(
    dir: &Path,
    json: bool,
    dump: Option<&Path>,
    device_name: &str,
) -> Result<Exit, Failure> {
    let report = check_folder(dir, &device(device_name)?)?;
    if let Some(path) = dump {
        let tensors: HashMap<_, _> = report.tensors.clone().into_iter().collect();
        candle_core::safetensors::save(&tensors, path)?;
    }
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        for check in &report.checks {
            let verdict = if check.pass { "ok" } else { "FAIL" };
            println!(
                "{:4} {:44} max abs diff {:9.2e}  tolerance {:9.2e}  scale {:.3e}",
                verdict, check.name, check.max_abs_diff, check.tolerance, check.scale
            );
        }
        for name in &report.skipped {
            println!("skip {name}: no such method here, or nothing of ours to compare with it");
        }
        if !report.without_numbers.is_empty() {
            println!("no golden numbers here for {}", report.without_numbers.join(", "));
        }
        let passed = report.checks.iter().filter(|check| check.pass).count();
        println!("{passed} of {} checks pass", report.checks.len());
    }
    Ok(if report.pass { Exit::Ok } else { Exit::Differs })
}
