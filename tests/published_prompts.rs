//! `evaluate --prompts` on checkpoints that the authors' own programs wrote, and what `--out` leaves.
//!
//! `../shared/paper/checkpoints_pocket` (skipped where absent) holds one file a method, trained by the published code
//! on the pocket EuroSAT, with the numbers of correct predictions that those programs counted.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};

use rpo_bench::record::parse_predictions;
use serde_json::Value;

fn evaluate(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).arg("evaluate").args(args).output().unwrap()
}

#[test]
fn the_authors_checkpoints_of_every_method_give_their_counts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/paper/checkpoints_pocket");
    if !folder.exists() {
        println!("skipped: ../shared/paper/checkpoints_pocket is absent");
        return;
    }
    for (file, method, base, new) in [
        ("eurosat_rpo_seed1.pth.tar", "rpo", 179, 144),
        ("eurosat_coop_seed1.pth.tar", "coop", 177, 142),
        ("eurosat_cocoop_seed1.pth.tar", "cocoop", 179, 144),
        ("eurosat_linear_probe_1shot_seed1.pth.tar", "linear_probe", 159, 165),
    ] {
        let out = tempfile::tempdir().unwrap();
        let dir = out.path().join("evaluation");
        let (path, dir_text) = (folder.join(file), dir.display().to_string());
        let path = path.display().to_string();
        let args =
            ["--prompts", &path, "--datasets", "eurosat", "--set", "protocol=published", "--out", &dir_text];
        let output = evaluate(&args);
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        let document: Value =
            serde_json::from_slice(&std::fs::read(dir.join("evaluation.json")).unwrap()).unwrap();
        assert_eq!(document["method"], method);
        let correct = |at: usize| document["evaluations"][at]["correct"].as_u64().unwrap();
        assert_eq!((correct(0), correct(1)), (base, new), "{file}");
        let rows = parse_predictions(&std::fs::read(dir.join("eurosat-base.csv")).unwrap()).unwrap();
        assert_eq!(rows.iter().filter(|row| row.label == row.predicted).count() as u64, base);
        assert_eq!(rows.len(), 200);
    }
}
