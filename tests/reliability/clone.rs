//! A run in a clone changes no committed file: samples and runs share no path.

use std::path::Path;
use std::process::{Command, Output};

use super::program::stderr;

fn git(dir: &Path, args: &[&str]) -> Output {
    let who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"];
    Command::new("git").arg("-C").arg(dir).args(who).args(args).output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The commands of the README with the default `--out`, on fewer cells.
#[test]
fn a_run_in_a_clone_leaves_it_clean() {
    let clone = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(true) = Command::new("git").arg("--version").output().map(|o| o.status.success()) else {
        println!("skipped: git is absent");
        return;
    };
    copy(&here.join("reports"), &clone.path().join("reports"));
    std::fs::copy(here.join(".gitignore"), clone.path().join(".gitignore")).unwrap();
    for args in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "a clone"]] {
        let done = git(clone.path(), args);
        assert!(done.status.success(), "{}", stderr(&done));
    }
    let tracked = String::from_utf8(git(clone.path(), &["ls-files"]).stdout).unwrap();
    assert!(tracked.contains("reports/samples/base2new-pocket/README.md"), "{tracked}");
    assert!(tracked.contains("reports/paper/means.csv"), "{tracked}");
    for suite in ["base2new", "cost", "few_shot"] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
        run.current_dir(clone.path());
        run.args(["suite", suite, "--datasets", "eurosat", "--methods", "zero_shot,coop", "--seeds", "1"]);
        let output = run.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(clone.path().join(format!("reports/{suite}-pocket/README.md")).is_file());
    }
    let status = || String::from_utf8(git(clone.path(), &["status", "--porcelain"]).stdout).unwrap();
    assert_eq!(status(), "");
    // The control: a changed sample is seen.
    std::fs::write(clone.path().join("reports/samples/base2new-pocket/README.md"), "changed").unwrap();
    assert!(status().contains("samples"));
}
