//! `reports/README.md`: the columns it documents are those written, and its Python examples run and agree
//! with `summary.csv`.

use std::path::Path;
use std::process::Command;

use crate::records::{DATASETS, base2new};
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
    for name in ["results.csv", "summary.csv"] {
        let text = String::from_utf8_lossy(&files[name]);
        let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        assert_eq!(documented(&format!("`{name}`")), header, "{name}");
    }
}

/// Dataset, method, base, new and H of every line of `summary.csv`, sorted.
fn expected(summary: &str) -> Vec<String> {
    let mut lines = summary.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let columns = ["dataset", "method", "base_pct", "new_pct", "h_pct"].map(at);
    let pick = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        columns.map(|column| fields[column]).join(",")
    };
    let mut picked: Vec<String> = lines.map(pick).collect();
    picked.sort();
    picked
}

#[test]
fn the_python_examples_run_and_agree() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let files = files(&base2new(&DATASETS, &[1, 2, 3]), &spec(&[Section::BaseToNew])).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("results.csv"), &files["results.csv"]).unwrap();
    let expected = expected(&String::from_utf8_lossy(&files["summary.csv"]));
    let text = document();
    let programs: Vec<&str> =
        text.split("```python\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert_eq!(programs.len(), 2);
    for (program, library) in programs.iter().zip(["polars", "pandas"]) {
        assert!(program.lines().count() <= 10 && program.contains(library));
        let imports = Command::new(&python).args(["-c", &format!("import {library}")]).output();
        if !imports.is_ok_and(|output| output.status.success()) {
            println!("skipped: {python} with {library} is absent");
            continue;
        }
        let run = Command::new(&python).args(["-c", program]).current_dir(dir.path()).output().unwrap();
        assert!(run.status.success(), "{library}: {}", String::from_utf8_lossy(&run.stderr));
        let printed = String::from_utf8_lossy(&run.stdout).into_owned();
        let lines: Vec<&str> = printed.lines().skip(1).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, expected, "{library}");
    }
}
