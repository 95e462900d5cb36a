//! Damaged, foreign and read-only folders: noticed, healed, or refused with the code that says which.

use std::path::Path;
use std::process::{Command, Output};

use super::program::{assert_same, files, results, run_dir, smoke, stderr, succeeds};

fn rpo_bench(args: &[&str], out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(args).arg("--out").arg(out).output().unwrap()
}

fn page(out: &Path) -> String {
    std::fs::read_to_string(out.join("reports/smoke-pocket/README.md")).unwrap()
}

/// The first file of a folder of the run with this ending.
fn first(out: &Path, folder: &str, ending: &str) -> std::path::PathBuf {
    let folder = run_dir(out).join(folder);
    let name = files(&folder).into_keys().find(|name| name.ends_with(ending)).unwrap();
    folder.join(name)
}

/// A lost or damaged file is said on the page and on stderr by `report`, and made again by `suite`.
#[test]
fn damaged_files_are_told_and_healed() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let only = ["--datasets", "eurosat", "--methods", "zero_shot,coop"];
    succeeds(smoke(out, &only));
    let (sound, sound_page) = (results(out), page(out));
    assert!(!sound_page.contains("Not tested"));

    std::fs::remove_file(first(out, "predictions", ".csv")).unwrap();
    let report = rpo_bench(&["report", "smoke"], out);
    assert_eq!(report.status.code(), Some(3), "{}", stderr(&report));
    assert!(stderr(&report).contains("not tested: predictions/") && stderr(&report).contains("missing"));
    assert!(page(out).contains("> **Not tested: predictions of 1 evaluation"), "{}", page(out));
    let healed = smoke(out, &only).output().unwrap();
    assert!(stderr(&healed).contains("it is missing; its cell is run again"), "{}", stderr(&healed));
    assert_same(&results(out), &sound);
    assert!(!page(out).contains("Not tested"));

    for (folder, ending) in [("predictions", ".csv"), ("trained", ".safetensors")] {
        let damaged = first(out, folder, ending);
        let mut bytes = std::fs::read(&damaged).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&damaged, bytes).unwrap();
        let healed = smoke(out, &only).output().unwrap();
        assert!(healed.status.success(), "{}", stderr(&healed));
        assert!(stderr(&healed).contains("its SHA-256 is another"), "{folder}: {}", stderr(&healed));
        assert!(String::from_utf8_lossy(&healed.stdout).starts_with("1 cells run, 1 already"), "{folder}");
        assert_same(&results(out), &sound);
    }
    let again = succeeds(smoke(out, &only));
    assert!(again.starts_with("0 cells run, 2 already complete"), "{again}");
}

/// macOS leaves `._NAME` beside every file it copies to a foreign disk.
#[test]
fn hidden_files_are_no_records() {
    let out = tempfile::tempdir().unwrap();
    let only = ["--datasets", "eurosat", "--methods", "zero_shot"];
    succeeds(smoke(out.path(), &only));
    let record = first(out.path(), "records", ".json");
    let hidden = format!("._{}", record.file_name().unwrap().to_str().unwrap());
    std::fs::write(record.with_file_name(hidden), b"Mac OS X").unwrap();
    std::fs::create_dir_all(out.path().join("runs/._smoke-pocket/records")).unwrap();
    for args in [&["report", "smoke"][..], &["verify", "smoke", "--quick"], &["runs", "list"]] {
        let output = rpo_bench(args, out.path());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    }
    succeeds(smoke(out.path(), &only));
}

/// One name for a run in `report`, `compare` and `verify`; a path that is no run writes nothing anywhere.
#[test]
fn a_run_has_one_name() {
    let out = tempfile::tempdir().unwrap();
    let only = ["--datasets", "eurosat", "--methods", "zero_shot"];
    succeeds(smoke(out.path(), &only));
    let folder = run_dir(out.path());
    for name in ["smoke", "smoke-pocket", folder.to_str().unwrap()] {
        for args in [&["report", name][..], &["verify", "--quick", name], &["compare", name, name]] {
            let output = rpo_bench(args, out.path());
            assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        }
    }
    for name in ["../../x", "..", "base2new", "smoke-vit"] {
        for args in [&["report", name][..], &["verify", "--quick", name], &["compare", name, name]] {
            let output = rpo_bench(args, out.path());
            assert_eq!(output.status.code(), Some(3), "{args:?}: {}", stderr(&output));
            assert!(stderr(&output).contains("there: smoke-pocket"), "{args:?}: {}", stderr(&output));
        }
    }
    let entries = |dir: &Path| std::fs::read_dir(dir).unwrap().count();
    assert_eq!((entries(out.path()), entries(&out.path().join("reports"))), (2, 1));
}

/// Records on a disk that cannot be written are rendered elsewhere.
#[cfg(unix)]
#[test]
fn a_read_only_run_is_reported_elsewhere() {
    use std::os::unix::fs::PermissionsExt;

    let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    succeeds(smoke(out.path(), &["--datasets", "eurosat", "--methods", "zero_shot"]));
    let folder = run_dir(out.path());
    // The superuser writes everywhere: for it this shows only that the lock is not needed.
    std::fs::remove_file(folder.join(".report_lock")).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o555)).unwrap();
    let report = rpo_bench(&["report", folder.to_str().unwrap()], elsewhere.path());
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    assert!(report.status.success(), "{}", stderr(&report));
    assert!(elsewhere.path().join("reports/smoke-pocket/README.md").is_file());
}

/// `--data` is never written to, whatever `--out` says.
#[test]
fn an_output_inside_the_data_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let inside = data.path().join("results/today");
    let mut run = smoke(&inside, &["--clip", "nowhere"]);
    run.arg("--data").arg(data.path());
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("inside --data"), "{}", stderr(&output));
    let mut beside = smoke(&data.path().with_extension("out"), &["--clip", "nowhere"]);
    beside.arg("--data").arg(data.path());
    assert!(!stderr(&beside.output().unwrap()).contains("inside --data"), "the control");
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

/// Bad suite files and settings: 3 and 2, with the path as it was typed.
#[test]
fn bad_suite_files_and_settings_have_their_codes() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("mine.toml");
    std::fs::write(&file, "titel = 3\n").unwrap();
    let absent = out.path().join("absent.toml");
    for path in [&file, &absent] {
        let output = rpo_bench(&["suite", path.to_str().unwrap()], out.path());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(path.to_str().unwrap()) && !said.contains("suites/"), "{said}");
    }
    for setting in ["rpo.pairing=some", "rpo.k=0", "rpo.st_noise=loud", "rpo.batch_size=0"] {
        let output = smoke(out.path(), &["--set", setting]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{setting}: {}", stderr(&output));
    }
}

/// What kills leave in `claims` and `checkpoints` goes with the next run.
#[test]
fn leftovers_are_swept() {
    let out = tempfile::tempdir().unwrap();
    let only = ["--datasets", "eurosat", "--methods", "coop"];
    succeeds(smoke(out.path(), &only));
    let trained = first(out.path(), "trained", ".safetensors");
    let stem = trained.file_stem().unwrap().to_str().unwrap();
    let record = first(out.path(), "records", ".json");
    let key = record.file_stem().unwrap().to_str().unwrap();
    let checkpoints = run_dir(out.path()).join("checkpoints");
    std::fs::create_dir_all(&checkpoints).unwrap();
    for file in
        [format!("{stem}.checkpoint"), format!("{key}-eurosat-base.partial"), "0123.checkpoint".into()]
    {
        std::fs::write(checkpoints.join(file), b"left").unwrap();
    }
    succeeds(smoke(out.path(), &only));
    // A training that is not stored may still go on from its checkpoint.
    assert_eq!(files(&checkpoints).into_keys().collect::<Vec<_>>(), ["0123.checkpoint"]);
}
