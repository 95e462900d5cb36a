//! The program as the tests of this folder start it, and what they compare.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The smoke suite with output `out` and further arguments, not started yet.
pub fn smoke(out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
    command.args(["suite", "smoke", "--out"]).arg(out).args(more);
    command
}

/// Runs to the end and insists on success; gives what it said on stdout.
pub fn succeeds(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The run directory of the smoke suite.
pub fn run_dir(out: &Path) -> PathBuf {
    out.join("runs/smoke-pocket")
}

/// Every file of a folder by name; none where there is no folder. Temporary files, which a killed process may
/// leave, are nobody's.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file());
    let files = files.filter(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp"));
    files.map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap())).collect()
}

/// What must never depend on how a run went: tables, every prediction, every trained parameter.
pub fn results(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let reports = out.join("reports/smoke-pocket");
    let mut all = files(&reports);
    all.retain(|name, _| name.ends_with(".csv") || name.ends_with(".tex"));
    all.extend(files(&run_dir(out).join("predictions")));
    let trained = files(&run_dir(out).join("trained"));
    all.extend(trained.into_iter().filter(|(name, _)| name.ends_with(".safetensors")));
    assert!(all.contains_key("results.csv") && all.len() > 5, "{:?}", all.keys());
    all
}

/// Fails with the names that differ.
pub fn assert_same(ours: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    let names: std::collections::BTreeSet<_> = ours.keys().chain(expected.keys()).collect();
    let different: Vec<_> = names.into_iter().filter(|name| ours.get(*name) != expected.get(*name)).collect();
    assert!(different.is_empty(), "not the same bytes: {different:?}");
}
