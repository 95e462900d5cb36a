//! Predictions, logs and tables become marked records; whatever is wrong with them is named.

use std::path::Path;

use super::{records, refused, repository, rpo_bench, said, text};

/// A run of the smoke suite with one method, and one of its prediction files.
fn run(out: &Path) -> String {
    let suite = ["suite", "smoke", "--datasets", "eurosat", "--methods", "zero_shot,linear_probe"];
    said(&[&suite[..], &["--out", text(out)]].concat());
    let run = out.join("runs/smoke-pocket");
    let all = records(&run);
    let probe = all.iter().find(|record| record["cell"]["method"] == "linear_probe").unwrap();
    let base = probe["evaluations"].as_array().unwrap().iter().find(|e| e["classes"] == "base").unwrap();
    std::fs::read_to_string(run.join(base["predictions_path"].as_str().unwrap())).unwrap()
}

fn words<'a>(file: &'a Path, out: &'a Path, classes: &'a str) -> Vec<&'a str> {
    let cell = ["--dataset", "eurosat", "--seed", "1", "--shots", "2", "--classes", classes];
    let into = ["--run", "smoke", "--out", text(out)];
    [&["import", "predictions", text(file), "--method", "mine"][..], &cell, &into].concat()
}

#[test]
fn imported_predictions_stand_marked_beside_the_run_s_own() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let predictions = run(out);
    let file = out.join("mine.csv");
    std::fs::write(&file, &predictions).unwrap();

    // The control: one label swapped, and the image is named.
    let line = predictions.lines().nth(4).unwrap();
    let (path, rest) = line.split_once(',').unwrap();
    let swapped = format!("{path},{}", rest.replacen('0', "1", 1));
    let bad = out.join("bad.csv");
    std::fs::write(&bad, predictions.replacen(line, &swapped, 1)).unwrap();
    let (code, message) = refused(&words(&bad, out, "base"));
    assert_eq!(code, 3, "{message}");
    assert!(message.contains(path) && message.contains("line 5"), "{message}");
    let (_, message) = refused(&words(&file, out, "new"));
    assert!(message.contains("belongs to the other classes"), "{message}");
    assert_eq!(records(&out.join("runs/smoke-pocket")).len(), 2, "nothing was imported");

    let answer = said(&words(&file, out, "base"));
    assert!(answer.starts_with("imported: mine on eurosat base 2 shots seed 1: "), "{answer}");
    assert!(said(&words(&file, out, "base")).starts_with("there already"));
    // Other numbers of the same cell do not replace it in silence.
    let other = predictions.replacen(line, &format!("{path},0,4,0.1,0.5,0.1"), 1);
    std::fs::write(&bad, other).unwrap();
    let (code, message) = refused(&words(&bad, out, "base"));
    assert!(code == 3 && message.contains("runs forget smoke-pocket --where key="), "{message}");

    // Its classes have the names that the run's own have.
    let all = records(&out.join("runs/smoke-pocket"));
    let names = |method: &str| {
        let record = all.iter().find(|record| record["cell"]["method"] == method).unwrap();
        let base = record["evaluations"].as_array().unwrap().iter().find(|e| e["classes"] == "base");
        base.unwrap()["classes_sha256"].as_str().unwrap().to_owned()
    };
    assert_eq!(names("mine"), names("linear_probe"));

    said(&["report", "smoke", "--out", text(out)]);
    let report = out.join("reports/smoke-pocket");
    let results = std::fs::read_to_string(report.join("results.csv")).unwrap();
    let row = results.lines().find(|row| row.contains(",mine,")).unwrap();
    assert!(row.starts_with("smoke,pocket,imported,eurosat,mine,imported=predictions,1,2,base,"), "{row}");
    assert!(row.contains(",200,"), "{row}");
    let own = results.lines().find(|row| row.contains(",linear_probe,default,") && row.contains(",base,"));
    let accuracy = |row: &str| row.split(',').nth(11).unwrap().to_owned();
    assert_eq!(accuracy(own.unwrap()), accuracy(row), "the same predictions, the same accuracy");
    let page = std::fs::read_to_string(report.join("README.md")).unwrap();
    assert!(page.contains("mine (imported=predictions)") && page.contains("not verified"), "no mark");
    assert!(page.contains("`mine.csv`"), "the file is not named");

    let verified = said(&["verify", "--quick", "smoke", "--out", text(out)]);
    assert!(verified.contains("import mine") || verified.contains("import smoke eurosat mine"), "{verified}");
    assert!(verified.contains("2 records checked, 0 with faults; 1 imported"), "{verified}");
    // The suite goes on beside it.
    let again = said(&[
        "suite",
        "smoke",
        "--datasets",
        "eurosat",
        "--methods",
        "zero_shot,linear_probe",
        "--out",
        text(out),
    ]);
    assert!(again.starts_with("0 cells run, 2 already complete"), "{again}");
}

#[test]
fn logs_of_dassl_s_kin_are_read_and_unfinished_ones_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let logs = repository("tests/fixtures/dassl");
    let output = rpo_bench(&["import", "dassl", text(&logs), "--out", text(out)]);
    let (answer, told) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("PromptSRC/cfg/seed2/log.txt: its training stopped in epoch 9 of 15"), "{told}");
    for line in [
        "imported: coop on eurosat base 16 shots seed 1: 177 / 200",
        "imported: coop on eurosat new 16 shots seed 1: 142 / 200",
        "imported: promptsrc on eurosat base 16 shots seed 1: 180 / 200",
    ] {
        assert!(answer.contains(line), "{line} is not in {answer}");
    }
    assert!(!answer.contains("seed 2"), "{answer}");
    let named = |record: &serde_json::Value| record["evaluations"][0]["classes_sha256"].is_string();
    assert!(
        records(&out.join("runs/base2new-pocket")).iter().all(named),
        "the lists say what classes are called"
    );
    said(&["report", "base2new", "--out", text(out)]);
    let results = std::fs::read_to_string(out.join("reports/base2new-pocket/results.csv")).unwrap();
    assert_eq!(results.lines().count(), 5, "{results}");
    assert!(results.contains("imported,eurosat,coop,imported=log,1,16,base,177,200,88.5"), "{results}");

    // A log that its folder contradicts, and one of other lists.
    let base =
        std::fs::read_to_string(logs.join("base2new/train_base/eurosat/shots_16/CoOp/cfg/seed1/log.txt"))
            .unwrap();
    let twice = base.replace("# test     200", "# test     400").replace("* total: 200", "* total: 400");
    let twice = twice.replace("* correct: 177", "* correct: 354");
    for (name, log, part) in [
        ("eurosat/shots_16/CoOp/cfg/seed4", base.clone(), "its seed is 1, its folder says 4"),
        (
            "eurosat/shots_16/CoOp/cfg/seed1",
            base.replace("* correct: 177", "* correct: 176"),
            "are not the 88.5 %",
        ),
        ("eurosat/shots_16/CoOp/cfg/seed1", twice, "it has 400 test images of the base classes of eurosat"),
    ] {
        let place = out.join("bad").join(name);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("log.txt"), log).unwrap();
        let output = rpo_bench(&["import", "dassl", text(&out.join("bad")), "--out", text(out)]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(3) && told.contains(part), "{told}");
        std::fs::remove_dir_all(out.join("bad")).unwrap();
    }
}

/// The authors' own logs, where they lie.
#[test]
fn the_authors_logs_import() {
    let logs = repository("../shared/dassl_logs/output");
    if !logs.is_dir() {
        println!("skipped: ../shared/dassl_logs is absent");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = rpo_bench(&["import", "dassl", text(&logs), "--out", text(folder.path())]);
    let (answer, told) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(told.contains("seed2/log.txt: its training stopped in epoch 9 of 15"), "{told}");
    for line in ["rpo on eurosat base", "179 / 200", "rpo on eurosat new 16 shots seed 1: 144 / 200"] {
        assert!(answer.contains(line), "{answer}");
    }
    assert_eq!(answer.matches("imported: ").count(), 6, "{answer}");
}

#[test]
fn reported_tables_keep_their_mark_and_have_no_counts() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let table = out.join("table.csv");
    std::fs::write(
        &table,
        "dataset,method,seed,base,new\nEuroSAT,MaPLe,1,94.07,73.23\neurosat,maple,2,93,74\n",
    )
    .unwrap();
    let answer = said(&["import", "table", text(&table), "--shots", "16", "--out", text(out)]);
    assert!(
        answer.contains("imported: maple on eurosat base 16 shots seed 1: 94.07 % as reported"),
        "{answer}"
    );
    let unnamed = |record: &serde_json::Value| record["evaluations"][0]["classes_sha256"].is_null();
    assert!(records(&out.join("runs/base2new-pocket")).iter().all(unnamed), "a table says no class names");
    said(&["report", "base2new", "--out", text(out)]);
    let results = std::fs::read_to_string(out.join("reports/base2new-pocket/results.csv")).unwrap();
    let row = results.lines().find(|row| row.contains(",base,")).unwrap();
    assert!(row.contains(",maple,imported=as_reported,1,16,base,,,94.070000,,"), "{row}");
    std::fs::write(&table, "dataset,method,base\neurosat,maple,194\n").unwrap();
    let (code, message) = refused(&["import", "table", text(&table), "--out", text(out)]);
    assert!(code == 3 && message.contains("line 2: base 194"), "{message}");
}
