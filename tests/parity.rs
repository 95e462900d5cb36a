//! The golden numbers of `tests/fixtures`, through the code that trains.

use std::path::Path;

use candle_core::Device;
use rpo_bench::check::parity::check_folder;

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

/// Every method of both zoos but those named, and no tensor of theirs left out.
#[test]
fn the_zoo_agrees_with_the_reference() {
    for (folder, least, missing) in
        [("tiny_clip_zoo", 210, &[][..]), ("tiny_clip_zoo2", 300, &["two_stage"][..])]
    {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
        let report = check_folder(&dir, &Device::Cpu).unwrap();
        let failed: Vec<_> = report.checks.iter().filter(|check| !check.pass).collect();
        assert!(report.pass, "{failed:#?}");
        assert_eq!(report.skipped, missing);
        assert!(report.checks.len() > least, "only {} checks ran", report.checks.len());
    }
}

#[test]
fn the_protocol_agrees_with_python_and_pillow() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/protocol");
    let report = check_folder(&dir, &Device::Cpu).unwrap();
    let failed: Vec<_> = report.checks.iter().filter(|check| !check.pass).collect();
    assert!(report.pass, "{failed:#?}");
    assert!(report.checks.len() > 100, "only {} checks ran", report.checks.len());
}

/// The negative control: a changed golden number must be noticed.
#[test]
fn a_wrong_number_fails() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/protocol/lr_schedule.json");
    let dir = tempfile::tempdir().unwrap();
    let text =
        std::fs::read_to_string(source).unwrap().replacen("0.009890738003669028", "0.009890738103669028", 1);
    std::fs::write(dir.path().join("lr_schedule.json"), text).unwrap();
    assert!(!check_folder(dir.path(), &Device::Cpu).unwrap().pass);
}
