//! `kill -9` at random moments, then the same command.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rpo_bench::util::rng::Stream;

use super::program::{assert_same, files, results, run_dir, smoke, succeeds};

fn kills() -> usize {
    std::env::var("RPO_BENCH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

#[test]
fn a_killed_suite_loses_no_cell_and_changes_no_byte() {
    let whole = tempfile::tempdir().unwrap();
    let started = Instant::now();
    succeeds(smoke(whole.path(), &["--checkpoint-secs", "0"]));
    let duration = started.elapsed().as_secs_f64();
    let expected = results(whole.path());

    let mut moments = Stream::new(&["kill -9"]);
    let (mut done, mut runs, mut cells_kept, mut checkpoints) = (0, 0, 0, 0);
    while done < kills() {
        let out = tempfile::tempdir().unwrap();
        let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        // Up to three kills on the way to one finished run.
        for _ in 0..3.min(kills() - done) {
            let mut child = smoke(out.path(), &["--checkpoint-secs", "0"]);
            let mut child = child
                .stderr(std::process::Stdio::null())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_secs_f64(duration * 0.9 * moments.uniform()));
            child.kill().unwrap();
            child.wait().unwrap();
            done += 1;
            let records = files(&run_dir(out.path()).join("records"));
            kept.extend(records.into_iter().filter(|(name, _)| name.ends_with(".json")));
            checkpoints += files(&run_dir(out.path()).join("checkpoints")).len();
        }
        let said = succeeds(smoke(out.path(), &[]));
        let expected_cells =
            format!("{} cells run, {} already complete, 0 failed", 10 - kept.len(), kept.len());
        assert!(said.starts_with(&expected_cells), "{said}");
        let records = files(&run_dir(out.path()).join("records"));
        for (name, bytes) in &kept {
            assert!(records[name] == *bytes, "{name} was finished before the kill and written again");
        }
        assert_same(&results(out.path()), &expected);
        let left = files(&run_dir(out.path()).join("checkpoints"));
        assert!(left.is_empty(), "{:?}", left.keys());
        runs += 1;
        cells_kept += kept.len();
    }
    println!("{done} kills in {runs} runs: {cells_kept} finished cells kept, {checkpoints} checkpoints met");
}
