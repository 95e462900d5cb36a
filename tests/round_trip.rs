//! The pocket data and model written in the real formats and read back: the same predictions.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

/// One dataset a kind of layout: split JSON, FGVC lists, ImageNet folders.
const DATASETS: &str = "dtd,fgvc_aircraft,imagenet";
/// Column of results.csv.
const ACCURACY: usize = 11;
/// Column of results.csv.
const SETTINGS: usize = 17;

fn rpo_bench(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_rpo-bench")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The rows of results.csv without profile, kind of data and settings id, which name the source of the data.
fn results(out: &Path, profile: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(out.join(format!("reports/base2new-{profile}/results.csv"))).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    assert_eq!([&columns[ACCURACY], &columns[SETTINGS]], ["accuracy_pct", "settings"]);
    lines
        .map(|row| {
            row.into_iter().enumerate().filter(|(i, _)| ![1, 2, SETTINGS].contains(i)).map(|c| c.1).collect()
        })
        .collect()
}

/// Mean accuracy over seeds of every dataset, method and half, in percent.
fn means(rows: &[Vec<String>]) -> BTreeMap<[String; 3], f64> {
    let mut cells: BTreeMap<[String; 3], Vec<f64>> = BTreeMap::new();
    for row in rows {
        let [dataset, method, classes] = [1, 2, 6].map(|i: usize| row[i].clone());
        cells.entry([dataset, method, classes]).or_default().push(row[ACCURACY - 2].parse().unwrap());
    }
    cells.into_iter().map(|(cell, values)| (cell, values.iter().sum::<f64>() / values.len() as f64)).collect()
}

#[test]
fn real_formats_give_the_embedded_results() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (png, jpeg, clip) = (path("png"), path("jpeg"), path("clip"));
    rpo_bench(&["model", "export", &clip]);
    rpo_bench(&["data", "export", "--pocket", &png, "--datasets", DATASETS, "--lossless"]);
    rpo_bench(&["data", "export", "--pocket", &jpeg, "--datasets", DATASETS, "--jpeg", "95"]);

    let suite = |out: &str, more: &[&str]| {
        let narrow = ["suite", "base2new", "--datasets", DATASETS, "--methods", "zero_shot,rpo"];
        let small = ["--set", "views_bank=4", "--set", "rpo.k=4", "--set", "rpo.epochs=6"];
        rpo_bench(&[&narrow[..], &small, &["--out", out], more].concat());
    };
    let [embedded, lossless, lossy] = ["embedded", "lossless", "lossy"].map(path);
    suite(&embedded, &[]);
    suite(&lossless, &["--data", &png, "--clip", &clip]);
    suite(&lossy, &["--data", &jpeg, "--clip", &clip]);

    let expected = results(Path::new(&embedded), "pocket");
    assert_eq!(expected.len(), 3 * (1 + 3) * 2);
    assert_eq!(results(Path::new(&lossless), "clip"), expected);
    let (expected, lossy) = (means(&expected), means(&results(Path::new(&lossy), "clip")));
    assert!(expected.keys().eq(lossy.keys()));
    let gaps = expected.iter().map(|(cell, accuracy)| (accuracy - lossy[cell]).abs());
    let gap = gaps.fold(0.0, f64::max);
    assert!(gap > 0.0, "JPEG changed nothing at all: was it written?");
    assert!(gap <= 4.0, "{gap} points apart: {expected:?} {lossy:?}");
}
