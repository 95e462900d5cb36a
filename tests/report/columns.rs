//! `reports/README.md`: the columns it documents are those written, and its Python examples run and agree
//! with `summary.csv`.

use std::path::Path;
use std::process::Command;

use rpo_bench::record::RunRecord;

use crate::records::{DATASETS, Keyed, base2new, domain_shift};
use crate::rendering::{files, spec};
use rpo_bench::report::Section;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/README.md");
    std::fs::read_to_string(path).unwrap()
}

/// First cells of the table below a heading.
fn documented(heading: &str) -> Vec<String> {
    let text = document();
    let section = text.split("\n## ").find(|part| part.starts_with(heading)).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    cells.map(|line| line.split('`').next().unwrap().to_owned()).collect()
}

#[test]
fn the_documented_columns_are_those_written() {
    let files = files(&base2new(&["dtd"], &[1]), &spec(&[])).unwrap();
    for name in ["results.csv", "measures.csv", "summary.csv"] {
        let text = String::from_utf8_lossy(&files[name]);
        let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        assert_eq!(documented(&format!("`{name}`")), header, "{name}");
    }
}

/// What the examples print of every line of `summary.csv`, sorted.
fn expected(summary: &str) -> Vec<String> {
    let mut lines = summary.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let cell = ["train_dataset", "dataset", "method", "variant", "shots", "settings"];
    let columns: Vec<usize> =
        cell.into_iter().chain(["base_pct", "new_pct", "h_pct", "all_pct"]).map(at).collect();
    let pick = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        columns.iter().map(|column| fields[*column]).collect::<Vec<_>>().join(",")
    };
    let mut picked: Vec<String> = lines.map(pick).collect();
    picked.sort();
    picked
}

/// Suites of every shape: halves alone, all classes alone, several shots, variants, zero-shot without shots.
fn suites() -> [Vec<RunRecord>; 4] {
    let halves = base2new(&DATASETS, &[1, 2, 3]);
    let mut shots = base2new(&DATASETS[..3], &[1, 2]);
    let more: Vec<RunRecord> = shots.iter().filter(|r| r.cell.shots.is_some()).cloned().collect();
    shots.extend(more.into_iter().map(|mut record| {
        record.cell.shots = Some(4);
        record.keyed()
    }));
    let mut variants = halves.clone();
    variants.extend(halves.iter().filter(|r| r.cell.method == "rpo").cloned().map(|mut record| {
        record.config.insert("epochs".to_owned(), "30".to_owned());
        record.keyed()
    }));
    [halves, domain_shift(), shots, variants]
}

#[test]
fn the_python_examples_run_and_agree() {
    for records in suites() {
        agree_on(&records);
    }
}

fn agree_on(records: &[RunRecord]) {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let files = files(records, &spec(&[Section::BaseToNew])).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("results.csv"), &files["results.csv"]).unwrap();
    let expected = expected(&String::from_utf8_lossy(&files["summary.csv"]));
    let text = document();
    let programs: Vec<&str> =
        text.split("```python\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert_eq!(programs.len(), 2);
    for (program, library) in programs.iter().zip(["polars", "pandas"]) {
        assert!(program.lines().count() <= 12 && program.contains(library));
        let imports = Command::new(&python).args(["-c", &format!("import {library}")]).output();
        if !imports.is_ok_and(|output| output.status.success()) {
            println!("skipped: {python} with {library} is absent");
            continue;
        }
        let run = Command::new(&python).args(["-c", program]).current_dir(dir.path()).output().unwrap();
        assert!(run.status.success(), "{library}: {}", String::from_utf8_lossy(&run.stderr));
        let printed = String::from_utf8_lossy(&run.stdout).into_owned();
        let mut lines: Vec<&str> = printed.lines().skip(1).filter(|line| !line.is_empty()).collect();
        lines.sort_unstable();
        assert_eq!(lines, expected, "{library}");
    }
}
