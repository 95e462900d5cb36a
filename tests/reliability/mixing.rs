//! Several settings, plans and models in one run folder: kept apart, listed, and removed safely.

use std::path::Path;
use std::process::{Command, Output};

use super::program::{files, run_dir, smoke, stderr, succeeds};

const ONE: [&str; 4] = ["--datasets", "eurosat", "--methods", "rpo"];

fn rpo_bench(args: &[&str], out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(args).arg("--out").arg(out).output().unwrap()
}

fn report_file(out: &Path, name: &str) -> String {
    std::fs::read_to_string(out.join("reports/smoke-pocket").join(name)).unwrap()
}

/// Variant and number of seeds of the lines of `summary.csv`.
fn means(out: &Path) -> Vec<(String, String)> {
    let text = report_file(out, "summary.csv");
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let at = |name: &str| header.iter().position(|column| *column == name).unwrap();
    lines.map(|cells| (cells[at("variant")].to_owned(), cells[at("n_seeds")].to_owned())).collect()
}

/// The commands of the report of this fault: one seed, then two more at another learning rate.
#[test]
fn another_learning_rate_is_another_row_and_can_be_forgotten() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    succeeds(smoke(out, &[&ONE[..], &["--seeds", "1"]].concat()));
    let (before, records) = (means(out), files(&run_dir(out).join("records")));
    assert_eq!(before, [("default".to_owned(), "1".to_owned())]);
    succeeds(smoke(out, &[&ONE[..], &["--seeds", "2,3", "--set", "rpo.learning_rate=0.3"]].concat()));
    let pair = |variant: &str, n: &str| (variant.to_owned(), n.to_owned());
    assert_eq!(means(out), [pair("default", "1"), pair("rpo.learning_rate=0.3", "2")]);
    let page = report_file(out, "README.md");
    assert!(page.contains("RPO (learning_rate=0.3)"), "{page}");

    let listed = rpo_bench(&["runs", "list"], out);
    let said = String::from_utf8(listed.stdout).unwrap();
    assert!(said.contains("smoke-pocket: 3 complete, 0 failed"), "{said}");
    assert!(
        said.contains("rpo (rpo.learning_rate=0.3): 2 complete") && said.contains("rpo (default): 1"),
        "{said}"
    );

    let forget = ["runs", "forget", "smoke", "--where", "rpo.learning_rate=0.3"];
    let dry = rpo_bench(&[&forget[..], &["--dry-run"]].concat(), out);
    assert!(dry.status.success(), "{}", stderr(&dry));
    assert_eq!(files(&run_dir(out).join("records")).len(), 3, "a dry run moves nothing");
    let gone = rpo_bench(&forget, out);
    assert!(gone.status.success(), "{}", stderr(&gone));
    assert_eq!(files(&run_dir(out).join("records")), records);
    assert_eq!(files(&run_dir(out).join("trained")).len(), 2, "parameters and note of the one left");
    let report = rpo_bench(&["report", "smoke"], out);
    assert!(report.status.success(), "{}", stderr(&report));
    assert_eq!(means(out), before);
    assert!(report_file(out, "README.md").contains("None: every cell has a result."));
    let kept = std::fs::read_dir(out.join("runs/.forgotten")).unwrap().next().unwrap().unwrap();
    assert_eq!(files(&kept.path().join("records")).len(), 2, "nothing was deleted");
    let nothing = rpo_bench(&forget, out);
    assert_eq!(nothing.status.code(), Some(3), "{}", stderr(&nothing));
}

/// Another protocol on another dataset does not join the average of the first.
#[test]
fn another_protocol_on_another_dataset_is_another_row() {
    let out = tempfile::tempdir().unwrap();
    succeeds(smoke(out.path(), &ONE));
    let other = ["--datasets", "dtd", "--methods", "rpo", "--set", "rpo.raw_class_names=true"];
    succeeds(smoke(out.path(), &other));
    let variants: Vec<String> = means(out.path()).into_iter().map(|(variant, _)| variant).collect();
    assert_eq!(variants, ["rpo.raw_class_names=true", "default"], "dtd, then eurosat");
}

/// A narrower command does not hide what a wider one has not finished.
#[test]
fn the_gaps_of_a_wider_plan_stay_on_the_page() {
    let out = tempfile::tempdir().unwrap();
    succeeds(smoke(out.path(), &["--seeds", "1,2", "--datasets", "eurosat", "--methods", "coop,zero_shot"]));
    let records = run_dir(out.path()).join("records");
    let lost = files(&records).into_iter().find(|(_, bytes)| {
        let record: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        record["cell"]["seed"] == 2
    });
    std::fs::remove_file(records.join(lost.unwrap().0)).unwrap();
    succeeds(smoke(out.path(), &["--seeds", "1", "--datasets", "eurosat", "--methods", "zero_shot"]));
    let page = report_file(out.path(), "README.md");
    assert!(page.contains("no record") && !page.contains("None: every cell has a result."), "{page}");
    succeeds(smoke(out.path(), &["--seeds", "1,2", "--datasets", "eurosat", "--methods", "coop,zero_shot"]));
    assert!(report_file(out.path(), "README.md").contains("None: every cell has a result."));
}

/// Another model under the same folder name gets a profile of its own.
#[test]
fn another_model_of_the_same_name_has_its_own_profile() {
    let out = tempfile::tempdir().unwrap();
    let model = out.path().join("clip");
    let export = Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(["model", "export"]).arg(&model).output();
    assert!(export.unwrap().status.success());
    let only = ["--datasets", "eurosat", "--methods", "zero_shot", "--clip", model.to_str().unwrap()];
    succeeds(smoke(out.path(), &only));
    let weights = model.join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    succeeds(smoke(out.path(), &only));
    let runs: Vec<String> = std::fs::read_dir(out.path().join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(runs.len() == 2 && runs.iter().all(|run| run.starts_with("smoke-clip")), "{runs:?}");
    let which = rpo_bench(&["report", "smoke"], out.path());
    assert_eq!(which.status.code(), Some(2));
    assert!(stderr(&which).contains("which of smoke-clip"), "{}", stderr(&which));
    // Removing what lies there already frees the name.
    let forgotten = rpo_bench(&["runs", "forget", "smoke-clip"], out.path());
    assert!(forgotten.status.success() && !out.path().join("runs/smoke-clip").exists());
}
