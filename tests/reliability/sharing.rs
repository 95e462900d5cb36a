//! Several processes on one output, and shards on several.

use std::path::Path;
use std::process::{Command, Stdio};

use rpo_bench::record::Holder;

use super::program::{assert_same, files, results, run_dir, smoke, stderr, succeeds};

fn copy_into(from: &Path, to: &Path) {
    for folder in ["records", "predictions", "trained"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for (name, bytes) in files(&from.join(folder)) {
            std::fs::write(to.join(folder).join(name), bytes).unwrap();
        }
    }
}

#[test]
fn merged_shards_give_the_bytes_of_one_run() {
    let (whole, merged) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let seeds = ["--seeds", "1,2"];
    succeeds(smoke(whole.path(), &seeds));
    let mut cells = 0;
    for shard in ["1/3", "2/3", "3/3"] {
        let out = tempfile::tempdir().unwrap();
        succeeds(smoke(out.path(), &["--seeds", "1,2", "--shard", shard]));
        let records = files(&run_dir(out.path()).join("records")).len();
        assert!(records > 0, "shard {shard} is empty");
        cells += records;
        copy_into(&run_dir(out.path()), &run_dir(merged.path()));
    }
    assert_eq!(cells, files(&run_dir(whole.path()).join("records")).len());
    let mut report = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
    report.args(["report", "smoke", "--out"]).arg(merged.path());
    succeeds(report);
    assert_same(&results(merged.path()), &results(whole.path()));
}

#[test]
fn processes_on_one_output_share_the_cells() {
    let (whole, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let seeds = ["--seeds", "1,2"];
    succeeds(smoke(whole.path(), &seeds));
    let children: Vec<_> = (0..3)
        .map(|_| smoke(out.path(), &seeds).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut run = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        run += said.split(' ').next().unwrap().parse::<usize>().unwrap_or(0);
    }
    assert_eq!(run, 18, "cells were run twice or not at all");
    assert_same(&results(out.path()), &results(whole.path()));
}

/// Who finds every cell taken and none finished has nothing to report on, and nothing went wrong.
#[test]
fn a_process_that_finds_everything_claimed_ends_well() {
    let out = tempfile::tempdir().unwrap();
    let only = ["--datasets", "eurosat", "--methods", "zero_shot"];
    let key = planned_key(out.path(), &only);
    let claim = run_dir(out.path()).join("claims").join(format!("{key}.json"));
    std::fs::create_dir_all(claim.parent().unwrap()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let holder = Holder { host: "another.example".to_owned(), heartbeat: now, ..Holder::this_process() };
    std::fs::write(&claim, serde_json::to_vec(&holder).unwrap()).unwrap();
    let said = succeeds(smoke(out.path(), &only));
    assert!(said.contains("1 cells are being run by another process") && !said.contains("report:"), "{said}");
    let mut report = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
    let output = report.args(["report", "smoke", "--out"]).arg(out.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    assert!(said.contains("no cell is finished yet (1 planned, 1 being run"), "{said}");
}

/// The first key of a plan.
fn planned_key(out: &Path, arguments: &[&str]) -> String {
    let plan = succeeds(smoke(out, &[arguments, &["--plan", "--json"]].concat()));
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    plan["cells"][0]["key"].as_str().unwrap().to_owned()
}

#[test]
fn a_living_foreign_claim_is_left_alone_and_a_silent_one_is_taken_over() {
    let out = tempfile::tempdir().unwrap();
    let only = ["--datasets", "eurosat", "--methods", "zero_shot,coop"];
    let key = planned_key(out.path(), &only);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claim = run_dir(out.path()).join("claims").join(format!("{key}.json"));
    std::fs::create_dir_all(claim.parent().unwrap()).unwrap();
    let plant = |heartbeat: u64| {
        let holder = Holder { host: "another.example".to_owned(), heartbeat, ..Holder::this_process() };
        std::fs::write(&claim, serde_json::to_vec(&holder).unwrap()).unwrap();
    };
    plant(now - 300);
    let said = succeeds(smoke(out.path(), &only));
    assert!(
        said.starts_with("1 cells run, 0 already complete") && said.contains("1 cells are being run"),
        "{said}"
    );
    plant(now - 700);
    let said = succeeds(smoke(out.path(), &only));
    assert!(said.starts_with("1 cells run, 1 already complete"), "{said}");
    assert!(!claim.exists());
}
