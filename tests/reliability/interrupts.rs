//! Ctrl-C, TERM, HUP, USR1, USR2 and --stop-after: what is kept is said, the exit code tells, the same command goes on.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::program::{assert_same, files, results, run_dir, smoke, stderr, succeeds};

/// Enough seeds that no machine is done when the first signal comes.
const MORE: [&str; 2] = ["--seeds", "1,2,3,4"];

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// Starts, waits for the first trained parameters, sends the signals, and waits for the end.
fn interrupted(out: &std::path::Path, signals: &[&str]) -> (Output, Duration) {
    let run = smoke(out, &MORE);
    // The tests themselves may have been started by `nohup`, which children inherit.
    let mut env = Command::new("env");
    env.arg("--default-signal=HUP").arg(run.get_program()).args(run.get_args());
    let child = env.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    while files(&run_dir(out).join("trained")).is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let sent = Instant::now();
    for name in signals {
        signal(&child, name);
        std::thread::sleep(Duration::from_millis(30));
    }
    (child.wait_with_output().unwrap(), sent.elapsed())
}

#[test]
fn an_interrupted_suite_says_what_is_kept_and_goes_on() {
    let whole = tempfile::tempdir().unwrap();
    succeeds(smoke(whole.path(), &MORE));
    for name in ["-INT", "-TERM", "-HUP", "-USR1", "-USR2"] {
        let out = tempfile::tempdir().unwrap();
        let (output, _) = interrupted(out.path(), &[name]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{name}: {said}");
        assert_eq!(said.matches("stopping after this step, with a checkpoint").count(), 1, "{name}: {said}");
        assert!(said.contains("kept") && said.contains("same command"), "{name}: {said}");
        let claims = files(&run_dir(out.path()).join("claims"));
        assert!(claims.keys().all(|name| name.starts_with('.')), "{:?}", claims.keys());
        succeeds(smoke(out.path(), &MORE));
        assert_same(&results(out.path()), &results(whole.path()));
    }
}

/// `nohup` starts a program with HUP ignored; it must stay ignored. Without it a HUP stops the run.
#[test]
fn an_ignored_hup_stays_ignored() {
    let started = |out: &std::path::Path, trap: &str| {
        let script = format!("{trap} \"$0\" \"$@\"");
        let run = smoke(out, &MORE);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(run.get_program()).args(run.get_args());
        let child = shell.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        while files(&run_dir(out).join("trained")).is_empty() {
            std::thread::sleep(Duration::from_millis(2));
        }
        signal(&child, "-HUP");
        child.wait_with_output().unwrap()
    };
    let (kept, stopped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = started(kept.path(), "trap '' HUP; exec");
    assert!(output.status.success(), "{:?}: {}", output.status, stderr(&output));
    // The tests themselves may have been started by `nohup`.
    let output = started(stopped.path(), "exec env --default-signal=HUP");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
}

#[test]
fn a_second_signal_stops_at_once() {
    let out = tempfile::tempdir().unwrap();
    let (output, took) = interrupted(out.path(), &["-INT", "-INT"]);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// Slurm's daemon and `srun` may both hand on the same signal.
#[test]
fn one_signal_delivered_twice_is_one() {
    let out = tempfile::tempdir().unwrap();
    let (output, _) = interrupted(out.path(), &["-TERM", "-TERM"]);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(!stderr(&output).contains("stopped at once"), "{}", stderr(&output));
}

#[test]
fn a_run_stops_after_the_time_it_was_given() {
    let (whole, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    succeeds(smoke(whole.path(), &MORE));
    let output = smoke(out.path(), &["--seeds", "1,2,3,4", "--stop-after", "100ms"]).output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("--stop-after: the time is over"), "{}", stderr(&output));
    succeeds(smoke(out.path(), &["--seeds", "1,2,3,4", "--stop-after", "1h30m"]));
    assert_same(&results(out.path()), &results(whole.path()));
    let wrong = smoke(out.path(), &["--stop-after", "soon"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("23h30m"), "{}", stderr(&wrong));
}

/// A command that cannot stop half-way ends at once, and says by what.
#[test]
fn a_plan_ends_at_a_signal() {
    let many = (1..=3000).map(|seed| seed.to_string()).collect::<Vec<_>>().join(",");
    let out = tempfile::tempdir().unwrap();
    let child = smoke(out.path(), &["--plan", "--seeds", &many])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    signal(&child, "-USR1");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).trim()), (Some(130), "SIGUSR1: ended"));
}
