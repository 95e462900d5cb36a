//! The explorer in a real browser: Chromium without a window loads the page, a script that is put into it sorts, filters
//! and moves about, and writes down what it saw. Without Chromium the tests say so and prove nothing.

use std::path::Path;
use std::process::Command;

use rpo_bench::data::{Classes, Confidence};
use rpo_bench::record::{Evaluation, Prediction, RunRecord};
use rpo_bench::report::{Material, ReportSpec, Section, render_with};
use rpo_bench::util::rng::Stream;
use serde_json::Value;

use crate::records::{base2new, record};

const IMAGES: u64 = 60;
const CLASSES: u64 = 10;

/// Predictions that agree with the record: as many right ones as it says, spread by a stream of the cell.
pub fn predictions(record: &RunRecord, evaluation: &Evaluation) -> Option<Vec<Prediction>> {
    let words = [record.key.as_str(), evaluation.dataset.as_str(), evaluation.classes.as_str()];
    let mut stream = Stream::new(&words);
    let mut order: Vec<u64> = (0..evaluation.total).collect();
    stream.shuffle(&mut order);
    let row = |image: u64| {
        let label = (image * evaluation.class_count / evaluation.total) as u32;
        let is_right = order[image as usize] < evaluation.correct;
        let predicted = if is_right { label } else { (label + 1) % evaluation.class_count as u32 };
        let p = 0.5 + 0.5 * stream.uniform() as f32;
        let p_true = if is_right { p } else { 0.5 * (1.0 - p) };
        let confidence = Some(Confidence { p_predicted: p, margin: p - 0.5 * (1.0 - p) });
        let path = format!("images/{}_{image}.jpg", evaluation.dataset);
        Prediction { path, label, predicted, p_true, confidence }
    };
    Some((0..evaluation.total).map(row).collect())
}

/// Small test sets of three methods on two datasets.
fn records() -> Vec<RunRecord> {
    let small = |whole: &RunRecord| {
        let halves: Vec<(&str, Classes, u64, u64)> = whole
            .evaluations
            .iter()
            .map(|e| (e.dataset.as_str(), e.classes, e.correct * IMAGES / e.total, IMAGES))
            .collect();
        record(&whole.cell.method, &whole.cell.dataset, whole.cell.seed, 16, &halves)
    };
    let wanted = |r: &&RunRecord| ["zero_shot", "coop", "rpo"].contains(&r.cell.method.as_str());
    base2new(&["dtd", "eurosat"], &[1, 2, 3]).iter().filter(wanted).map(small).collect()
}

fn rendered(dir: &Path) {
    let spec = ReportSpec {
        title: "A <b>title</b> & more </script>".to_owned(),
        sections: vec![Section::Calibration, Section::Classes],
        ..ReportSpec::default()
    };
    let names = |_: &Evaluation| Some((0..CLASSES).map(|c| format!("<i>kind {c}</i>")).collect());
    let thumbnails = |_: &str, path: &str| path.contains("dtd").then(jpeg);
    let sources = Material {
        class_names: &names,
        thumbnails: &thumbnails,
        records_link: Some("../../runs/x/records/"),
        ..Material::of(&predictions)
    };
    render_with(&records(), &spec, dir, sources).unwrap();
}

/// A grey JPEG of eight by eight pixels.
fn jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
    encoder.encode(&[120; 64], 8, 8, image::ExtendedColorType::L8).unwrap();
    bytes
}

/// Chromium's program, by the names that distributions give it.
fn chromium() -> Option<&'static str> {
    let runs =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success());
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(runs)
}

const BEFORE: &str = include_str!("explorer_before.js");
const AFTER: &str = include_str!("explorer_after.js");

/// What the script saw in `page`; `None` without Chromium.
fn seen(page: &str, dir: &Path) -> Option<Value> {
    let Some(program) = chromium() else {
        eprintln!("NOT TESTED: no Chromium here; Debian's package `chromium` has it");
        return None;
    };
    let page = page.replacen("<title>", &format!("<script>{BEFORE}</script><title>"), 1);
    let (body, end) = page.rsplit_once("</body>").unwrap();
    let file = dir.join("tested.html");
    std::fs::write(&file, format!("{body}<script>{AFTER}</script></body>{end}")).unwrap();
    let out = Command::new(program)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
            "--virtual-time-budget=10000",
        ])
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&out.stdout);
    let text = dom.rsplit_once("<pre id=\"seen\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (text, _) = text.unwrap_or_else(|| panic!("the script did not finish: {}", tail(&dom)));
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    Some(serde_json::from_str(&text).unwrap())
}

fn tail(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    chars[chars.len().saturating_sub(400)..].iter().collect()
}

fn page(dir: &Path) -> String {
    rendered(dir);
    std::fs::read_to_string(dir.join("index.html")).unwrap()
}

#[test]
fn the_page_works_in_a_browser_and_shows_the_numbers_of_results_csv() {
    let dir = tempfile::tempdir().unwrap();
    let Some(seen) = seen(&page(dir.path()), dir.path()) else { return };
    assert_eq!(seen["errors"], serde_json::json!([]), "console, exceptions and refused requests");
    assert_eq!(seen["requests"], serde_json::json!([]));
    assert_eq!(seen["title"], "A <b>title</b> & more </script>", "text stays text");
    runs_are_those_of_results_csv(&seen, dir.path());

    assert_eq!(seen["sorted"]["aria"], "descending");
    assert_eq!(seen["sorted_again"]["aria"], "ascending");
    let values = |at: &str| -> Vec<f64> {
        seen[at]["values"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().parse().unwrap()).collect()
    };
    assert!(values("sorted").windows(2).all(|pair| pair[0] >= pair[1]), "{:?}", values("sorted"));
    assert!(values("sorted_again").windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(values("sorted").first() > values("sorted").last(), "there was something to sort");

    // 2 datasets × 2 halves × (zero-shot + 2 methods × 3 seeds) runs; × (2 halves and H) × 3 methods cells.
    assert_eq!(seen["counts"], serde_json::json!({"runs": 28, "means": 18}));
    assert_eq!(seen["filtered"]["runs"], 2, "one dataset, one method, one seed");
    assert_eq!(seen["filtered"]["datasets"], serde_json::json!(["EuroSAT"]));
    assert_eq!(seen["filtered"]["means"], 3);
    assert_eq!(seen["filtered"]["said"], "3 of 18 cells and 2 of 28 runs are shown.");
    assert_eq!(seen["reset"], seen["counts"]);
}

fn runs_are_those_of_results_csv(seen: &Value, dir: &Path) {
    let csv = std::fs::read_to_string(dir.join("results.csv")).unwrap();
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|own| *own == name).unwrap();
    let shown = seen["runs"].as_array().unwrap();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), shown.len());
    for (row, shown) in rows.iter().zip(shown) {
        let text = |column: usize| shown[column].as_str().unwrap();
        let number = |name: &str| row[at(name)].parse::<f64>().unwrap();
        assert_eq!(text(0), if row[at("dataset")] == "dtd" { "DTD" } else { "EuroSAT" });
        let name = match row[at("method")] {
            "zero_shot" => "CLIP",
            "coop" => "CoOp",
            _ => "RPO",
        };
        assert_eq!((text(1), text(2)), (name, row[at("classes")]));
        let or_none = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
        assert_eq!((text(3), text(4)), (&*or_none(row[at("shots")]), &*or_none(row[at("seed")])));
        assert_eq!((text(5), text(6)), (row[at("correct")], row[at("total")]));
        assert_eq!(text(7), format!("{:.2}", number("accuracy_pct")));
    }
}

#[test]
fn the_page_can_be_used_without_a_mouse_and_by_a_screen_reader() {
    let dir = tempfile::tempdir().unwrap();
    let Some(seen) = seen(&page(dir.path()), dir.path()) else { return };
    let tip = seen["tip"].as_str().unwrap();
    assert!(
        tip.contains("95 % over seeds and images: ") && tip.contains("right, all seeds together"),
        "{tip}"
    );
    assert!(seen["moved"].as_bool().unwrap(), "the arrow key moves the focus");
    assert_eq!(seen["tip_hidden_after_escape"], true);
    for fault in
        ["headings_without_scope", "controls_without_label", "images_without_alt", "marks_without_name"]
    {
        assert_eq!(seen[fault], 0, "{fault}");
    }
    let link = seen["record_link"].as_str().unwrap();
    assert!(link.starts_with("../../runs/x/records/") && link.ends_with(".json"), "{link}");
}

#[test]
fn classes_and_images_change_with_the_methods_that_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    let Some(seen) = seen(&page(dir.path()), dir.path()) else { return };
    assert_eq!(seen["contest"]["panels"], 3);
    assert_eq!(seen["contest"]["classes"], CLASSES);
    assert!(seen["contest"]["first_class"].as_str().unwrap().starts_with("<i>kind "), "text stays text");
    assert!(
        seen["contest"]["images"].as_u64().unwrap() > 0
            && seen["contest"]["thumbnails"].as_u64().unwrap() > 0
    );
    assert_ne!(seen["contest"]["caption"], seen["other_pair"]["caption"]);
    assert_eq!(seen["same_pair"]["images"], 0, "a method does not disagree with itself");
    assert_eq!(seen["other_test_set"]["thumbnails"], 0, "EuroSAT has no pictures here, but paths");
    assert!(seen["other_test_set"]["images"].as_u64().unwrap() > 0);
}

/// The control: the same script notices an error, a request and a number that is not that of results.csv.
#[test]
fn a_broken_page_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let broken = "<img src=\"http://127.0.0.1:9/x.png\" alt=\"\"><script>console.error(\"oh\"); nothing();</script><h1 id=";
    let page = page(dir.path()).replacen("<h1 id=", broken, 1).replacen("\"r\":", "\"r\":1", 1);
    let Some(seen) = seen(&page, dir.path()) else { return };
    let errors = seen["errors"].to_string();
    assert!(errors.contains("oh") && errors.contains("nothing is not defined"), "{errors}");
    assert!(errors.contains("refused http://127.0.0.1:9"), "{errors}");
    let compared = std::panic::catch_unwind(|| runs_are_those_of_results_csv(&seen, dir.path()));
    assert!(compared.is_err());
}
