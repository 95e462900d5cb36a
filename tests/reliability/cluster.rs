//! In a task of a Slurm array: which part is whose, what the record says of the task, how far `status` says it is.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::program::{assert_same, files, results, run_dir, smoke, stderr, succeeds};

/// A suite of one quick dataset as task `task` of two, as Slurm starts it.
fn task(out: &Path, task: u64, more: &[&str]) -> Command {
    let mut command = smoke(out, &["--methods", "zero_shot,linear_probe", "--seeds", "1,2"]);
    command.args(more);
    let task = task.to_string();
    command.envs([
        ("SLURM_JOB_ID", "78"),
        ("SLURM_ARRAY_JOB_ID", "77"),
        ("SLURM_ARRAY_TASK_ID", task.as_str()),
        ("SLURM_ARRAY_TASK_MIN", "0"),
        ("SLURM_ARRAY_TASK_MAX", "1"),
        ("SLURM_ARRAY_TASK_COUNT", "2"),
        ("SLURM_RESTART_COUNT", "3"),
    ]);
    command
}

fn status(out: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
    command.args(["status", "--json", "--out"]).arg(out);
    serde_json::from_str(&succeeds(command)).unwrap()
}

fn counts(status: &Value) -> [u64; 5] {
    ["cells", "done", "running", "waiting", "failed"].map(|name| status[name].as_u64().unwrap())
}

#[test]
fn shards_of_an_array_are_its_parts_and_their_records_name_the_task() {
    let (whole, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    succeeds(smoke(whole.path(), &["--methods", "zero_shot,linear_probe", "--seeds", "1,2"]));
    assert_eq!(counts(&status(out.path())), [0; 5]);
    succeeds(task(out.path(), 0, &["--shard", "slurm", "--no-report"]));
    assert!(!out.path().join("reports").exists());
    let first = files(&run_dir(out.path()).join("records"));
    assert_eq!(first.len(), 3, "half of six");
    assert_eq!(counts(&status(out.path())), [6, 3, 0, 3, 0]);
    for bytes in first.values() {
        let record: Value = serde_json::from_slice(bytes).unwrap();
        let expected = serde_json::json!({"job": 77, "task": 0, "restarts": 3});
        assert_eq!(record["provenance"]["slurm"], expected);
    }
    succeeds(task(out.path(), 1, &["--shard", "slurm"]));
    assert_same(&results(out.path()), &results(whole.path()));
    for bytes in files(&run_dir(whole.path()).join("records")).values() {
        let record: Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(record["provenance"].get("slurm"), None, "outside Slurm");
    }
    let outside = smoke(out.path(), &["--shard", "slurm"]).output().unwrap();
    assert_eq!(outside.status.code(), Some(2));
    assert!(stderr(&outside).contains("SLURM_ARRAY_TASK_ID"), "{}", stderr(&outside));
}

/// Without a shard the tasks of an array share the plan: one alone does all of it, wherever it begins.
#[test]
fn a_task_without_a_shard_begins_at_its_own_place_and_helps_the_others() {
    let (whole, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    succeeds(smoke(whole.path(), &["--methods", "zero_shot,linear_probe", "--seeds", "1,2"]));
    succeeds(task(out.path(), 1, &[]));
    assert_same(&results(out.path()), &results(whole.path()));
    assert_eq!(counts(&status(out.path())), [6, 6, 0, 0, 0]);
}

#[test]
fn status_names_failed_cells_and_their_reason() {
    let out = tempfile::tempdir().unwrap();
    let more = ["--datasets", "dtd", "--methods", "zero_shot,rpo", "--set", "rpo.learning_rate=1e300"];
    assert_eq!(smoke(out.path(), &more).output().unwrap().status.code(), Some(4));
    let status = status(out.path());
    assert_eq!(counts(&status), [2, 1, 0, 0, 1]);
    let failed = &status["runs"][0]["failed"][0];
    assert_eq!(failed["cell"], "dtd rpo seed 1 shots 2");
    assert!(failed["reason"].as_str().unwrap().contains("learning rate"), "{failed}");
}

/// A script can be looked at where there is no Slurm; what no site could do is refused at once.
#[test]
fn scripts_are_shown_and_impossible_requests_refused() {
    let out = tempfile::tempdir().unwrap();
    let slurm = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
        command.args(["slurm", "smoke", "--dry-run", "--out"]).arg(out.path()).args(more);
        // No command of a real Slurm, and no configuration of one.
        command.env("PATH", "/nonexistent").output().unwrap()
    };
    let shown = slurm(&["--tasks", "3", "--time", "1:00:00", "--set", "rpo.k=4"]);
    let text = String::from_utf8(shown.stdout.clone()).unwrap();
    assert!(shown.status.success(), "{}", stderr(&shown));
    assert!(text.contains("#SBATCH --array=0-2\n") && text.contains("--set rpo.k=4 --no-report"), "{text}");
    assert!(!out.path().join("runs").exists(), "nothing is written");
    for (arguments, word) in [
        (["--time", "1"], "--checkpoint-secs"),
        (["--shard", "1/2"], "divide the cells"),
        (["--time", "soon"], "DAYS-HOURS"),
    ] {
        let refused = slurm(&arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&refused).contains(word), "{}", stderr(&refused));
    }
}
