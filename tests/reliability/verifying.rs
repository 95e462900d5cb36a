//! `verify`: sound records pass, tampered ones do not.

use std::path::Path;
use std::process::{Command, Output};

use rpo_bench::record::seal;
use rpo_bench::util::hex;
use sha2::{Digest, Sha256};

use super::program::{files, run_dir, smoke, stderr, succeeds};

fn verify(what: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).arg("verify").arg(what).args(more).output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

/// A fresh run of two cells, and the record of the trained one.
fn two_cells() -> (tempfile::TempDir, std::path::PathBuf) {
    let out = tempfile::tempdir().unwrap();
    succeeds(smoke(out.path(), &["--datasets", "eurosat", "--methods", "zero_shot,coop"]));
    let records = run_dir(out.path()).join("records");
    let is_coop = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("\"method\": \"coop\"");
    let (name, _) = files(&records).into_iter().find(|(_, bytes)| is_coop(bytes)).unwrap();
    (out, records.join(name))
}

fn edit(path: &Path, change: &dyn Fn(String) -> String) {
    let text = std::fs::read_to_string(path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    std::fs::write(path, changed).unwrap();
}

/// Seals a record anew, as a careful forger would.
fn reseal(path: &Path) {
    edit(path, &|text| {
        let (front, back) = text.rsplit_once("\"record_sha256\": \"").unwrap();
        seal::sealed(&format!("{front}\"record_sha256\": \"{}", &back[64..]))
    });
}

#[test]
fn a_sound_run_passes_and_comes_back_bit_for_bit() {
    let (out, _) = two_cells();
    let output = verify(&run_dir(out.path()), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = json(&output);
    assert_eq!(said["records"].as_array().unwrap().len(), 2);
    for record in said["records"].as_array().unwrap() {
        assert_eq!(record["comparison"]["bit_equal"], true, "{record}");
        assert!(record["comparison"]["predictions"].as_u64().unwrap() >= 100, "{record}");
    }
    assert_eq!(verify(&run_dir(out.path()), &["--quick"]).status.code(), Some(0));
}

/// Their files hold keys, labels or an earlier stage beside what was learnt; fewer numbers than that are still a fault.
#[test]
fn files_that_hold_more_than_what_was_learnt_are_sound() {
    let out = tempfile::tempdir().unwrap();
    let more = ["tip_adapter_f.epochs=1", "clap.epochs=1", "two_stage.steps_per_shot=2"];
    let sets = more.iter().flat_map(|setting| ["--set", setting]);
    let methods = ["--datasets", "eurosat", "--methods", "tip_adapter,tip_adapter_f,clap,two_stage"];
    succeeds(smoke(out.path(), &methods.into_iter().chain(sets).collect::<Vec<_>>()));
    let said = || verify(&run_dir(out.path()), &["--quick", "--json"]);
    assert_eq!(said().status.code(), Some(0), "{}", String::from_utf8_lossy(&said().stdout));
    for (name, _) in files(&run_dir(out.path()).join("records")) {
        let record = run_dir(out.path()).join("records").join(name);
        edit(&record, &|text| {
            text.replacen("\"trainable_parameters\": ", "\"trainable_parameters\": 9999", 1)
        });
        reseal(&record);
    }
    let text = String::from_utf8_lossy(&said().stdout).into_owned();
    assert_eq!(text.matches("trainable_parameters is 9999").count(), 4, "{text}");
}

/// Each way to tamper with a run: what the quick check must say.
#[test]
fn tampered_records_are_found_without_running() {
    type Tamper = fn(&Path);
    let cases: [(&str, &str, Tamper); 9] = [
        ("counts", "changed after it was saved", |record| {
            edit(record, &|text| text.replacen("\"correct\": ", "\"correct\": 1", 1));
        }),
        ("counts, sealed anew", "correct rows", |record| {
            edit(record, &|text| text.replacen("\"correct\": ", "\"correct\": 1", 1));
            reseal(record);
        }),
        ("settings", "changed after it was saved", |record| {
            edit(record, &|text| {
                text.replacen("\"coop.context_tokens\": \"4\"", "\"coop.context_tokens\": \"5\"", 1)
            });
        }),
        ("predictions", "another SHA-256", |record| {
            edit(&first_predictions(record), &|text| text.replacen(",0,0,", ",0,1,", 1));
        }),
        ("impossible prediction, hashed and sealed anew", "cannot be among", |record| {
            forge_predictions(record, &|text| text.replacen(",0,0,0.", ",0,0,7.", 1));
        }),
        ("missing predictions", "cannot be read", |record| {
            std::fs::remove_file(first_predictions(record)).unwrap();
        }),
        ("parameters", "another SHA-256", |record| {
            let trained = record.parent().unwrap().with_file_name("trained");
            let (name, mut bytes) =
                files(&trained).into_iter().find(|(name, _)| name.ends_with(".safetensors")).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(trained.join(name), bytes).unwrap();
        }),
        ("another name", "file name", |record| {
            std::fs::rename(record, record.with_file_name("0000.json")).unwrap();
        }),
        ("cut", "no record", |record| {
            edit(record, &|text| text[..text.len() / 2].to_owned());
        }),
    ];
    for (name, expected, tamper) in cases {
        let (out, record) = two_cells();
        tamper(&record);
        let output = verify(&run_dir(out.path()), &["--quick", "--json"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(5), "{name}: {said}{}", stderr(&output));
        assert!(said.contains(expected), "{name}: {said}");
    }
}

fn first_predictions(record: &Path) -> std::path::PathBuf {
    let text = std::fs::read_to_string(record).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let relative = value["evaluations"][0]["predictions_path"].as_str().unwrap();
    record.parent().unwrap().parent().unwrap().join(relative)
}

/// Changes predictions and makes every hash fit again.
fn forge_predictions(record: &Path, change: &dyn Fn(String) -> String) {
    let predictions = first_predictions(record);
    let old = hex(&Sha256::digest(std::fs::read(&predictions).unwrap()));
    edit(&predictions, change);
    let new = hex(&Sha256::digest(std::fs::read(&predictions).unwrap()));
    edit(record, &|text| text.replace(&old, &new));
    reseal(record);
}

/// A forgery that is consistent in itself: only running the cell again finds it.
#[test]
fn a_consistent_forgery_is_found_by_running_the_cell() {
    let (_out, record) = two_cells();
    forge_predictions(&record, &|text| {
        // Labels and predictions stay, so counts do; only confidence is polished.
        text.lines()
            .map(|line| match line.split(',').collect::<Vec<_>>()[..] {
                [path, label, predicted, _, _, _] if label == predicted && label != "label" => {
                    format!("{path},{label},{predicted},0.99,0.99,0.985\n")
                }
                _ => format!("{line}\n"),
            })
            .collect()
    });
    let quick = verify(&record, &["--quick"]);
    assert_eq!(quick.status.code(), Some(0), "{}", String::from_utf8_lossy(&quick.stdout));
    let full = verify(&record, &["--json"]);
    assert_eq!(full.status.code(), Some(5), "{}", stderr(&full));
    let said = json(&full);
    assert_eq!(said["records"][0]["comparison"]["bit_equal"], false, "{said}");
    assert!(said["records"][0]["comparison"]["max_p_true_diff"].as_f64().unwrap() > 0.01, "{said}");
}

/// Settings changed and sealed anew do not give the record's key.
#[test]
fn changed_settings_give_another_key() {
    let (_out, record) = two_cells();
    edit(&record, &|text| text.replacen("\"coop.batch_size\": \"32\"", "\"coop.batch_size\": \"16\"", 1));
    reseal(&record);
    let output = verify(&record, &["--json"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("does not give its key"));
}
