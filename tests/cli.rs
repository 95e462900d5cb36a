//! The whole program as a person uses it: run, run again, faults, exit codes.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

fn rpo_bench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(args).output().unwrap()
}

fn smoke(out: &Path, more: &[&str]) -> Output {
    let mut args = vec!["suite", "smoke", "--out", out.to_str().unwrap()];
    args.extend(more);
    rpo_bench(&args)
}

fn read(out: &Path, name: &str) -> String {
    std::fs::read_to_string(out.join("reports/smoke-pocket").join(name)).unwrap()
}

/// Runs, skips, repeats: the second run trains nothing, and a run from nothing gives the same bytes.
#[test]
fn a_suite_runs_skips_and_repeats() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = smoke(first.path(), &[]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let results = read(first.path(), "results.csv");
    assert_eq!(results.lines().count(), 1 + 2 * 5 * 2, "{results}");
    let again = smoke(first.path(), &[]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.starts_with("0 cells run, 10 already complete, 0 failed"), "{said}");
    assert_eq!(read(first.path(), "results.csv"), results);

    let other = smoke(second.path(), &["--threads", "1"]);
    assert!(other.status.success());
    assert_eq!(read(second.path(), "results.csv"), results);
    a_report_repeats_to_the_byte(first.path());
    two_runs_are_compared(first.path(), second.path());
}

/// Every file of the report, by name.
fn report_files(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(out.join("reports/smoke-pocket")).unwrap().map(|entry| entry.unwrap());
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

/// `report` makes what `suite` made, from records alone, as often as it is called.
fn a_report_repeats_to_the_byte(out: &Path) {
    let made = report_files(out);
    assert!(made.len() > 5 && made.keys().any(|name| name.ends_with(".png")), "{:?}", made.keys());
    std::fs::remove_dir_all(out.join("reports")).unwrap();
    for _ in 0..2 {
        let report = rpo_bench(&["report", "smoke", "--out", out.to_str().unwrap()]);
        assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
        assert!(report_files(out) == made, "the report changed");
    }
}

/// A comparison exits with 0 and says what it found; what cannot be compared exits with 3 and the reason.
fn two_runs_are_compared(first: &Path, second: &Path) {
    let (out, folder) = (first.to_str().unwrap(), second.join("runs/smoke-pocket"));
    let saved = first.join("compared");
    let args = ["compare", "smoke-pocket", folder.to_str().unwrap(), "--out", out, "--json"];
    let compared = rpo_bench(&[&args[..], &["--save", saved.to_str().unwrap()]].concat());
    assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stderr));
    let document: serde_json::Value = serde_json::from_slice(&compared.stdout).unwrap();
    let lines = document["lines"].as_array().unwrap();
    assert!(lines.len() == 20 && lines.iter().all(|line| line["verdict"] == "identical"), "{document:#}");
    for name in ["README.md", "comparison.json", "drift.png", "drift.svg"] {
        assert!(saved.join(name).is_file(), "{name}");
    }
    let faults: [(&[&str], i32, &str); 3] = [
        (&["smoke-pocket", "--paper"], 3, "pocket pictures"),
        (&["smoke-vit", "smoke-pocket"], 3, "there: smoke-pocket"),
        (&["smoke-pocket"], 2, "<B>"),
    ];
    for (args, code, word) in faults {
        let failed = rpo_bench(&[&["compare"], args, &["--out", out]].concat());
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(failed.status.code() == Some(code) && said.contains(word), "{args:?}: {said}");
    }
}

/// Records from which a cell was lost: the same command runs that cell and no other.
#[test]
fn a_lost_record_is_run_again() {
    let out = tempfile::tempdir().unwrap();
    assert!(smoke(out.path(), &["--datasets", "eurosat"]).status.success());
    let results = read(out.path(), "results.csv");
    let records = out.path().join("runs/smoke-pocket/records");
    let record = std::fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(record).unwrap();
    let again = smoke(out.path(), &["--datasets", "eurosat"]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.starts_with("1 cells run, 4 already complete"), "{said}");
    assert_eq!(read(out.path(), "results.csv"), results);
}

/// Every fault: a clear word on stderr, the documented exit code, and nothing written.
#[test]
fn faults_end_with_their_exit_code_and_write_nothing() {
    let faults: [(&[&str], i32, &str); 13] = [
        (&["suite", "base3new"], 2, "base2new"),
        (&["suite", "smoke", "--datasets", "eurosatt"], 2, "eurosat"),
        (&["suite", "smoke", "--methods", "rpoo"], 2, "rpo"),
        (&["suite", "smoke", "--seeds", ","], 2, "--seeds"),
        (&["suite", "smoke", "--set", "rpo.kk=4"], 2, "rpo.k"),
        (&["suite", "smoke", "--set", "rpo.epochs=0"], 2, "epochs is 0"),
        (&["suite", "smoke", "--set", "rpo.lr=0.1"], 2, "rpo.learning_rate"),
        (&["suite", "smoke", "--datasets", "pets"], 2, "oxford_pets"),
        (&["suite", "smoke", "--set", "rpo.k=9223372036854775807"], 2, "65536"),
        (&["suite", "smoke", "--set", "coop.template=a photo"], 2, "exactly once"),
        (&["suite", "smoke", "--data", "nowhere"], 2, "--clip"),
        (&["suite", "smoke", "--clip", "nowhere"], 3, "nowhere"),
        (&["parity", "nowhere"], 3, "nowhere"),
    ];
    for (args, code, word) in faults {
        let out = tempfile::tempdir().unwrap();
        let mut args = args.to_vec();
        if args[0] == "suite" {
            args.extend(["--out", out.path().to_str().unwrap()]);
        }
        let run = rpo_bench(&args);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
        assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "{args:?}");
    }
}

/// `--plan` writes nothing and names every cell.
#[test]
fn a_plan_writes_nothing() {
    let out = tempfile::tempdir().unwrap();
    let run = smoke(out.path(), &["--plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(plan["cells"].as_array().unwrap().len(), 10);
    let rpo = plan["settings"].as_array().unwrap().iter().find(|each| each["method"] == "rpo").unwrap();
    assert_eq!((&rpo["settings"]["rpo.k"], &rpo["published"]["rpo.k"]), (&"2".into(), &"24".into()));
    let text = smoke(out.path(), &["--plan", "--set", "protocol=published", "--methods", "lp,rpo"]);
    let said = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(said.contains("epochs 3 (published 15), k 2 (published 24)"), "{said}");
    assert!(said.contains("linear_probe"), "{said}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

/// The pocket model, exported and read back as any other folder, gives the embedded run's predictions.
#[test]
fn an_exported_model_and_data_give_the_embedded_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (model, embedded, outside) = (path("pocket-model"), path("embedded"), path("outside"));
    assert!(rpo_bench(&["model", "export", &model]).status.success());
    let run = |out: &str, more: &[&str]| {
        let mut args = vec!["suite", "smoke", "--datasets", "eurosat", "--out", out];
        args.extend(more);
        let run = rpo_bench(&args);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    run(&embedded, &[]);
    run(&outside, &["--clip", &model]);
    let counts = |out: &str, profile: &str| -> Vec<String> {
        let text = std::fs::read_to_string(format!("{out}/reports/smoke-{profile}/results.csv")).unwrap();
        // The last column tells the weights' files apart, whose bytes are not the same.
        let line = |line: &str| line.rsplit_once(',').map(|(front, _)| front.to_owned()).unwrap();
        text.lines().skip(1).map(|row| line(row).split(',').skip(2).collect::<Vec<_>>().join(",")).collect()
    };
    let (ours, theirs) = (counts(&embedded, "pocket"), counts(&outside, "pocket-model"));
    assert_eq!(ours.len(), 10);
    assert_eq!(ours, theirs);
}

/// A reader that has seen enough is no fault of the program.
#[test]
fn a_closed_pipe_ends_it_quietly() {
    let program = env!("CARGO_BIN_EXE_rpo-bench");
    let closed = format!("{{ sleep 0.2; {program} list switches; echo \"code $?\" >&2; }} | true");
    let run = Command::new("sh").args(["-c", &closed]).output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(said.trim(), "code 141", "{said}");
}

#[test]
fn settings_are_listed_with_default_published_value_and_meaning() {
    let list = |args: &[&str]| {
        let run = rpo_bench(&[&["list", "settings"], args].concat());
        (run.status.code(), String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap())
    };
    let (code, all, _) = list(&[]);
    assert_eq!(code, Some(0));
    for word in ["rpo.k = 24", "views_bank = 0", "engine.images = 16", "(published \"per_method\")"] {
        assert!(all.contains(word), "{word}: {all}");
    }
    let (_, own, _) = list(&["lp"]);
    assert!(own.starts_with("linear_probe.batch_size = 32\n    images per step\n"), "{own}");
    assert!(!own.contains("rpo."), "{own}");
    let (code, _, said) = list(&["rpoo"]);
    assert!(code == Some(2) && said.contains("did you mean rpo"), "{said}");
}

/// Arguments are bytes, and stdout or stderr may refuse what is printed: no panic, the documented code.
#[cfg(target_os = "linux")]
#[test]
fn bytes_that_are_no_text_and_full_outputs_end_it_quietly() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"--set=\xff=3");
    let run =
        Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(["suite", "smoke"]).arg(odd).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.code() == Some(2) && !said.contains("panicked"), "{said}");
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let out = tempfile::tempdir().unwrap();
    // A folder's name need not be text; its run starts.
    let odd = out.path().join(std::ffi::OsStr::from_bytes(b"\xff"));
    let mut named = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
    named.args(["suite", "smoke", "--datasets", "eurosat", "--methods", "zero_shot", "--out"]).arg(&odd);
    let run = named.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let list = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
        command.args(["list", "settings"]);
        command
    };
    let run = list().stdout(full()).output().unwrap();
    assert_eq!((run.status.code(), run.stderr.len()), (Some(141), 0));
    let mut failing = list();
    // A fault keeps its own code where nobody can hear of it: schedulers read codes.
    let status = failing.arg("rpoo").stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// `auto` is read back: an interrupted command goes on whatever memory is free later.
#[test]
fn an_automatic_size_is_read_back_from_the_run() {
    let out = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let mut args = vec!["--datasets", "eurosat", "--methods", "zero_shot", "--set", "engine.images=auto"];
        args.extend(more);
        let run = smoke(out.path(), &args);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    assert!(run(&[]).starts_with("1 cells run, 0 already complete"));
    let sizes = out.path().join("runs/smoke-pocket/sizes.toml");
    let text = std::fs::read_to_string(&sizes).unwrap();
    assert!(text.contains("engine.images"), "{text}");
    assert!(run(&[]).starts_with("0 cells run, 1 already complete"));
    // As if other memory had been free at the first start.
    std::fs::write(&sizes, "[cpu]\n\"engine.images\" = 3\n").unwrap();
    assert!(
        run(&[]).starts_with("1 cells run, 0 already complete"),
        "the number decides, and it is the file's"
    );
}
