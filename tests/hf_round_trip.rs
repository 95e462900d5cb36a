//! The exported pocket CLIP in the Python package transformers: same tokens, same features.
//!
//! The comparison is `tests/python/hf_round_trip.py`. It runs where `RPO_BENCH_PYTHON` (else `python3`) has
//! torch, transformers and pillow, and says that it was skipped everywhere else.

use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/hf_round_trip.py");

#[test]
fn transformers_sees_the_same_model() {
    let python = std::env::var("RPO_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let imports = Command::new(&python).args(["-c", "import torch, transformers, PIL"]).output();
    if !imports.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no torch, transformers and pillow (set RPO_BENCH_PYTHON)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_rpo-bench");
    let output = Command::new(&python).args([SCRIPT, program]).arg(dir.path()).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains("\"pass\": true"), "{report}");
}
