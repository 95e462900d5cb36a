//! Other people's methods beside ours: draws out, results in, a training replayed, the program packed up.
//!
//! What needs Python runs where `RPO_BENCH_PYTHON` (else `python3`) has what it needs, and says so elsewhere.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "referee/checkpoints.rs"]
mod checkpoints;
#[path = "referee/draws.rs"]
mod draws;
#[path = "referee/imports.rs"]
mod imports;
#[path = "referee/packed.rs"]
mod packed;
#[path = "referee/python.rs"]
mod python;
#[path = "referee/replayed.rs"]
mod replayed;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program.
pub fn rpo_bench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(args).output().unwrap()
}

/// stdout of a command that must succeed.
pub fn said(args: &[&str]) -> String {
    let output = rpo_bench(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and stderr of a command that must fail.
pub fn refused(args: &[&str]) -> (i32, String) {
    let output = rpo_bench(args);
    assert!(!output.status.success(), "{args:?} succeeded");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A path within the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Python that can import `modules`; says so where there is none.
pub fn python(modules: &str) -> Option<String> {
    let python = std::env::var("RPO_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let imports = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if imports.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!("skipped: {python} cannot import {modules} (set RPO_BENCH_PYTHON)");
    None
}

/// stdout of a Python script that must succeed.
pub fn run_python(python: &str, script: &Path, args: &[&str]) -> String {
    let output = Command::new(python).arg(script).args(args).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

/// The predictions and record texts of a run directory.
pub fn records(run: &Path) -> Vec<serde_json::Value> {
    let folder = std::fs::read_dir(run.join("records")).unwrap();
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}
