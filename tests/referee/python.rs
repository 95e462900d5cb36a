//! The examples run: a probe in torch stands in our tables, the tables are read in pandas and polars.

use super::{python, repository, run_python, said, text};

#[test]
fn a_probe_in_torch_stands_beside_ours_with_paired_tests() {
    let Some(python) = python("torch") else { return };
    let folder = tempfile::tempdir().unwrap();
    let [data, clip] = ["data", "clip"].map(|name| folder.path().join(name));
    let out = folder.path();
    said(&["data", "export", "--pocket", text(&data), "--datasets", "eurosat", "--lossless"]);
    said(&["model", "export", text(&clip)]);
    let suite = [
        "suite",
        "base2new",
        "--datasets",
        "eurosat",
        "--methods",
        "zero_shot,linear_probe",
        "--seeds",
        "1,2",
    ];
    let world = ["--data", text(&data), "--clip", text(&clip), "--out", text(out)];
    said(&[&suite[..], &world].concat());
    let program = env!("CARGO_BIN_EXE_rpo-bench");
    let answer = run_python(
        &python,
        &repository("examples/torch_probe.py"),
        &[program, text(&data), text(&clip), text(out)],
    );
    assert!(answer.contains("imported: torch_probe on eurosat new 16 shots seed 2: "), "{answer}");
    said(&["report", "base2new", "--out", text(out)]);
    let page = std::fs::read_to_string(out.join("reports/base2new-clip/README.md")).unwrap();
    assert!(page.contains("torch_probe (imported=predictions)"), "it stands in no table");
    assert!(page.contains("only torch_probe (imported=predictions) right"), "no paired test names it");
}

#[test]
fn tables_records_and_predictions_are_read_in_pandas_and_polars() {
    let Some(python) = python("pandas, polars, matplotlib") else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let suite = ["suite", "smoke", "--datasets", "eurosat", "--methods", "zero_shot,linear_probe"];
    said(&[&suite[..], &["--out", text(out)]].concat());
    let table = out.join("table.csv");
    std::fs::write(&table, "dataset,method,seed,shots,base,new\neurosat,maple,1,2,94.07,73.23\n").unwrap();
    said(&["import", "table", text(&table), "--run", "smoke", "--out", text(out)]);
    said(&["report", "smoke", "--out", text(out)]);
    let plot = out.join("plot.png");
    let script = repository("examples/read_results.py");
    let answer = run_python(&python, &script, &[text(out), "smoke-pocket", text(&plot)]);
    assert!(answer.contains("imported=as_reported") && answer.contains("94.07"), "{answer}");
    assert!(std::fs::metadata(&plot).unwrap().len() > 1_000);
}
