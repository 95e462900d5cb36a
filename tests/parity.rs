//! The golden numbers of `tests/fixtures`, through the code that trains.

use std::path::Path;

use candle_core::Device;
use rpo_bench::parity::check_folder;

#[test]
fn tiny_clip_agrees_with_the_reference() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny_clip");
    let report = check_folder(&dir, &Device::Cpu).unwrap();
    for check in &report.checks {
        println!("{:40} {:.2e} of {:.2e}  {}", check.name, check.max_abs_diff, check.tolerance, check.pass);
    }
    let failed: Vec<_> = report.checks.iter().filter(|check| !check.pass).collect();
    assert!(report.pass, "{failed:#?}");
    assert!(report.skipped.is_empty());
    assert!(report.checks.len() > 40, "only {} checks ran", report.checks.len());
}
