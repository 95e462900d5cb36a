//! The record's layout: documented, private, and readable in every version ever written.
//!
//! `fixtures/records/v1_*.json` were written by rpo-bench 0.1.0 with schema version 1, `v2_*.json` with version 2
//! and so on.

use std::path::{Path, PathBuf};

use rpo_bench::record::{Outcome, read_record};
use serde_json::Value;

use super::program::{files, run_dir, smoke, stderr, succeeds};

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn every_version_is_still_read() {
    let mut versions = std::collections::BTreeSet::new();
    for name in files(&manifest("tests/fixtures/records")).into_keys() {
        let record = read_record(&manifest("tests/fixtures/records").join(&name)).unwrap();
        assert!(name.starts_with(&format!("v{}_", record.schema_version)), "{name}");
        assert_eq!(record.outcome, Outcome::Complete);
        // The pocket sets doubled between the samples of versions 2 and 3.
        let sets = if record.schema_version < 3 { 1 } else { 2 };
        let total = sets * if name.contains("rpo") { 160 } else { 100 };
        assert_eq!((record.evaluations.len(), record.evaluations[0].total), (2, total), "{name}");
        assert_eq!(record.training.is_some(), name.contains("rpo"), "{name}");
        versions.insert(record.schema_version);
    }
    let all: std::collections::BTreeSet<u32> = (1..=rpo_bench::record::SCHEMA_VERSION).collect();
    assert_eq!(versions, all, "every version needs a sample");
}

#[test]
fn an_unknown_version_is_refused_with_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, "{\"schema_version\": 99, \"anything\": 1}").unwrap();
    let said = read_record(&path).unwrap_err().to_string();
    assert!(said.contains("x.json") && said.contains("99") && said.contains("1 to"), "{said}");
}

/// Holds `value` against the subset of JSON Schema that the document uses.
fn check(schema: &Value, root: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        return check(target, root, value, at, faults);
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let fits = |option: &&Value| {
            let mut inner = Vec::new();
            check(option, root, value, at, &mut inner);
            inner.is_empty()
        };
        if options.iter().filter(fits).count() != 1 {
            faults.push(format!("{at}: fits none or several of the choices"));
        }
        return;
    }
    let names = |types: &Value| match types {
        Value::Array(all) => all.iter().map(|t| t.as_str().unwrap().to_owned()).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    };
    let is = |name: &String| match name.as_str() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema uses the unknown type {other}"),
    };
    let types = names(&schema["type"]);
    if !types.is_empty() && !types.iter().any(is) {
        faults.push(format!("{at}: {value} is none of {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        faults.push(format!("{at}: {value} is not in the list"));
    }
    let shortest = schema["minLength"].as_u64().unwrap_or(0);
    if value.as_str().is_some_and(|text| (text.len() as u64) < shortest) {
        faults.push(format!("{at}: {value} is too short"));
    }
    if let Some(items) = value.as_array() {
        for (i, item) in items.iter().enumerate() {
            check(&schema["items"], root, item, &format!("{at}[{i}]"), faults);
        }
    }
    let Some(fields) = value.as_object() else { return };
    for (name, field) in fields {
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => faults.push(format!("{at}.{name}: not in the schema")),
            (Value::Null, other) => check(other, root, field, &format!("{at}.{name}"), faults),
            (known, _) => check(known, root, field, &format!("{at}.{name}"), faults),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            faults.push(format!("{at}.{name}: missing"));
        }
    }
}

#[test]
fn records_follow_the_documented_schema_and_name_no_machine() {
    let schema: Value =
        serde_json::from_slice(&std::fs::read(manifest("src/record/schema.json")).unwrap()).unwrap();
    assert_eq!(schema["properties"]["schema_version"]["enum"][0], rpo_bench::record::SCHEMA_VERSION);
    let faults = |value: &Value| {
        let mut faults = Vec::new();
        check(&schema, &schema, value, "", &mut faults);
        faults
    };
    let out = tempfile::tempdir().unwrap();
    succeeds(smoke(out.path(), &["--datasets", "eurosat"]));
    let output =
        smoke(out.path(), &["--datasets", "dtd", "--set", "rpo.learning_rate=1e300"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let (mut failed, mut checked) = (0, 0);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let home = std::env::var("HOME").unwrap_or_default();
    for (name, bytes) in files(&run_dir(out.path()).join("records")) {
        let text = String::from_utf8(bytes).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(faults(&value), Vec::<String>::new(), "{name}");
        let machine = [out.path().to_str().unwrap(), host.trim(), home.as_str()];
        for word in machine.into_iter().filter(|word| word.len() > 3) {
            assert!(!text.contains(word), "{name} holds {word}");
        }
        assert!(!text.contains("\"/"), "{name} holds an absolute path");
        if value["outcome"]["status"] == "failed" {
            let said = value["outcome"]["error"].as_str().unwrap();
            assert!(said.contains("epoch 1"), "{said}");
            failed += 1;
        }
        checked += 1;

        let mut wrong = value.clone();
        wrong["provenance"]["host"] = Value::from("here");
        wrong["key"] = Value::from(3);
        wrong.as_object_mut().unwrap().remove("cell");
        assert_eq!(faults(&wrong).len(), 3, "{:?}", faults(&wrong));
    }
    assert_eq!((failed, checked), (1, 10));
}

/// The same command with different threads and lanes. It would catch a number that depends on who computes beside it: state
/// that lanes share, a sum in the order of arrival, a cut that follows the number of threads.
#[test]
fn the_number_of_threads_changes_no_byte() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = |out: &Path, inner: &str, lanes: &str| {
        let mut command = smoke(out, &[]);
        command.env("RAYON_NUM_THREADS", inner).env("RPO_BENCH_LANES", lanes);
        succeeds(command);
        super::program::results(out)
    };
    let typed = |out: &Path, threads: &str, lanes: &str| {
        let mut command = smoke(out, &["--threads", threads, "--lanes", lanes]);
        // What is typed wins over what was set, or this would compare a run with itself.
        command.env("RAYON_NUM_THREADS", "1").env("RPO_BENCH_LANES", "1");
        let output = command.output().unwrap();
        let said = stderr(&output);
        assert!(output.status.success() && said.contains(&format!("{lanes} at a time")), "{said}");
        super::program::results(out)
    };
    let expected = run(one.path(), "1", "1");
    for (threads, lanes) in [("3", "3"), ("4", "2")] {
        super::program::assert_same(&typed(two.path(), threads, lanes), &expected);
        std::fs::remove_dir_all(two.path().join("runs")).unwrap();
    }
    super::program::assert_same(&run(two.path(), "2", "1"), &expected);
    std::fs::remove_dir_all(two.path().join("runs")).unwrap();
    super::program::assert_same(&run(two.path(), "1", "2"), &expected);
}

/// Version 1 had no seal: a record that calls itself that must not escape its own.
#[test]
fn a_lowered_schema_version_is_noticed() {
    use rpo_bench::record::{Seal, parse_record};
    let folder = tempfile::tempdir().unwrap();
    let seal = |text: &str| {
        let path = folder.path().join("x.json");
        std::fs::write(&path, text).unwrap();
        parse_record(&path).unwrap().1
    };
    let read = |name: &str| std::fs::read_to_string(manifest("tests/fixtures/records").join(name)).unwrap();
    assert_eq!(seal(&read("v1_rpo.json")), Seal::None);
    for name in ["v2_rpo.json", "v3_rpo.json", "v4_rpo.json", "v4_zero_shot.json", "v5_rpo.json"] {
        let text = read(name);
        let version = &name[1..2];
        let lowered = text.replacen(&format!("\"schema_version\": {version}"), "\"schema_version\": 1", 1);
        assert_eq!(seal(&text), Seal::Whole, "{name}");
        assert_eq!(seal(&lowered), Seal::Broken, "{name}");
        // Without its seal it still has what version 1 had not.
        let at = lowered.rfind(",\n  \"record_sha256\"").unwrap();
        assert_eq!(seal(&format!("{}\n}}\n", &lowered[..at])), Seal::Broken, "{name}");
    }
}
