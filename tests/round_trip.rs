//! The pocket data and model written in the real formats and read back: the same predictions.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

/// One dataset a kind of layout: split JSON, FGVC lists, ImageNet folders.
const DATASETS: &str = "dtd,fgvc_aircraft,imagenet";

fn rpo_bench(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Coordinates, counts and everything else of results.csv but the profile and the kind of data.
fn results(out: &Path, profile: &str) -> Vec<String> {
    let file = out.join(format!("reports/smoke-{profile}/results.csv"));
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().skip(1).map(|line| line.splitn(4, ',').nth(3).unwrap().to_owned()).collect()
}

/// The highest accuracy gap in points over the rows of two results.
fn widest_gap(a: &[String], b: &[String]) -> f64 {
    let accuracy = |line: &String| line.split(',').nth(8).unwrap().parse::<f64>().unwrap();
    a.iter().zip(b).map(|(a, b)| (accuracy(a) - accuracy(b)).abs()).fold(0.0, f64::max)
}

#[test]
fn real_formats_give_the_embedded_results() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (png, jpeg, clip) = (path("png"), path("jpeg"), path("clip"));
    rpo_bench(&["model", "export", &clip]);
    rpo_bench(&["data", "export", "--pocket", &png, "--datasets", DATASETS]);
    rpo_bench(&["data", "export", "--pocket", &jpeg, "--datasets", DATASETS, "--jpeg", "95"]);

    let suite = |out: &str, more: &[&str]| {
        let narrow = ["suite", "smoke", "--datasets", DATASETS, "--methods", "zero_shot,linear_probe,rpo"];
        rpo_bench(&[&narrow[..], &["--out", out], more].concat());
    };
    let [embedded, lossless, lossy] = ["embedded", "lossless", "lossy"].map(path);
    suite(&embedded, &[]);
    suite(&lossless, &["--data", &png, "--clip", &clip]);
    suite(&lossy, &["--data", &jpeg, "--clip", &clip]);

    let expected = results(Path::new(&embedded), "pocket");
    assert_eq!(expected.len(), 3 * 3 * 2);
    assert_eq!(results(Path::new(&lossless), "clip"), expected);
    let gap = widest_gap(&results(Path::new(&lossy), "clip"), &expected);
    assert!(gap > 0.0, "JPEG changed nothing at all: was it written?");
    assert!(gap <= 4.0, "{gap} points apart");
}
