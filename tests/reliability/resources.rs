//! Targets that cannot be written, limits of the system, files damaged behind our back.

use std::path::Path;
use std::process::{Command, Output};

use super::program::{assert_same, files, results, run_dir, smoke, stderr, succeeds};

/// The smoke suite under a shell's limits.
fn limited(limits: &str, out: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_rpo-bench");
    let line = format!("{limits}; exec {program} suite smoke --out '{}'", out.display());
    Command::new("sh").args(["-c", &line]).output().unwrap()
}

#[test]
fn a_target_that_cannot_be_written_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a_file");
    std::fs::write(&file, "x").unwrap();
    for out in [file.as_path(), Path::new("/proc/rpo-bench")] {
        let output = smoke(out, &[]).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(&out.display().to_string()), "{said}");
    }
}

/// A limit on the size of files stands for a full disk: writes fail half-way.
#[test]
fn a_write_that_fails_leaves_nothing_half_written() {
    let (whole, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = limited("trap '' XFSZ; ulimit -f 8", out.path());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("write") && said.contains("too large"), "{said}");
    for folder in ["records", "predictions", "trained", "checkpoints"] {
        let Ok(entries) = std::fs::read_dir(run_dir(out.path()).join(folder)) else { continue };
        let left: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(left.iter().all(|name| !name.ends_with(".tmp")), "{left:?}");
        assert!(folder != "records" || left.is_empty(), "{left:?}");
    }
    succeeds(smoke(out.path(), &[]));
    succeeds(smoke(whole.path(), &[]));
    assert_same(&results(out.path()), &results(whole.path()));
}

#[test]
fn running_out_of_file_handles_is_an_error_and_no_panic() {
    let out = tempfile::tempdir().unwrap();
    let mut refused = 0;
    for handles in [4, 5, 6, 7, 8, 9, 12] {
        let output = limited(&format!("ulimit -n {handles}"), out.path());
        let said = stderr(&output);
        assert!(!said.contains("panicked"), "{handles} handles: {said}");
        refused += usize::from(!output.status.success());
    }
    assert!(refused > 0, "no limit was low enough");
    assert!(succeeds(smoke(out.path(), &[])).contains("0 failed"));
}

#[test]
fn a_run_that_cannot_fit_into_memory_is_refused_with_numbers() {
    let out = tempfile::tempdir().unwrap();
    let output = smoke(out.path(), &["--set", "views_bank=1000000000"]).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("MiB are needed") && said.contains("MiB are free"), "{said}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn damaged_files_are_named_or_made_again() {
    let out = tempfile::tempdir().unwrap();
    let only = ["--datasets", "eurosat"];
    succeeds(smoke(out.path(), &only));
    let expected = results(out.path());

    // A cut record is no record; the message names it and says what to do.
    let records = run_dir(out.path()).join("records");
    let (name, bytes) = files(&records).into_iter().next().unwrap();
    std::fs::write(records.join(&name), &bytes[..bytes.len() / 2]).unwrap();
    let output = smoke(out.path(), &only).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&name) && said.contains("delete it"), "{said}");

    // Without its records, trained parameters are used again if they are whole, and trained again if not.
    for name in files(&records).into_keys() {
        std::fs::remove_file(records.join(name)).unwrap();
    }
    for (index, (name, bytes)) in files(&run_dir(out.path()).join("trained")).into_iter().enumerate() {
        let cut = if index % 2 == 0 { bytes.len() } else { bytes.len() - 1 };
        std::fs::write(run_dir(out.path()).join("trained").join(name), &bytes[..cut]).unwrap();
    }
    std::fs::remove_dir_all(run_dir(out.path()).join("predictions")).unwrap();
    succeeds(smoke(out.path(), &only));
    assert_same(&results(out.path()), &expected);
}
