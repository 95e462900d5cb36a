//! The first ten minutes of somebody new: what the program says about itself, the end of a command, a plan in a
//! terminal's width, and the pages on own suites and own datasets, whose examples are run as they stand.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rpo-bench");
/// Columns of a terminal that nobody has widened.
const WIDTH: usize = 80;

fn rpo_bench(dir: &Path, args: &[&str]) -> Output {
    Command::new(PROGRAM).current_dir(dir).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// A code block of a page: its language, its text, and the file it is to be saved as.
struct Block {
    language: String,
    text: String,
    file: Option<String>,
}

/// The blocks of a page. Where one is to be saved, the line before it names the file: "Save this as `x.toml`:".
fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let (mut inside, mut file) = (false, None);
    for line in page.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(_), true) => inside = false,
            (Some(language), false) => {
                inside = true;
                found.push(Block { language: language.to_owned(), text: String::new(), file: file.take() });
            }
            (None, true) => found.last_mut().unwrap().text.push_str(&format!("{line}\n")),
            (None, false) if !line.is_empty() => {
                let named = line.strip_prefix("Save this as `").and_then(|rest| rest.split('`').next());
                file = named.map(str::to_owned);
            }
            (None, false) => {}
        }
    }
    found
}

/// Follows a page: saves its files and runs its shell blocks, with the program on the path. Gives what was printed.
fn follow(page: &str, dir: &Path) -> String {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).unwrap();
    let folder = Path::new(PROGRAM).parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let (mut said, mut scripts) = (String::new(), 0);
    for block in blocks(&text) {
        if let Some(file) = block.file {
            std::fs::write(dir.join(file), &block.text).unwrap();
        }
        if block.language == "sh" {
            scripts += 1;
            let mut shell = Command::new("sh");
            shell.args(["-e", "-c", &block.text]).current_dir(dir);
            let run = shell.env("PATH", format!("{}:{path}", folder.display())).output().unwrap();
            assert!(run.status.success(), "{page}:\n{}\n{}", block.text, stderr(&run));
            said.push_str(&stdout(&run));
        }
    }
    assert!(scripts > 0, "{page} has nothing to run");
    said
}

#[test]
fn a_page_s_blocks_are_found_with_their_files() {
    let found = blocks("Save this as `a.toml`:\n\n```toml\nx = 1\n```\nRun:\n```sh\ntrue\nfalse\n```\n");
    let of = |block: &Block| (block.language.clone(), block.text.clone(), block.file.clone());
    let expected = [("toml", "x = 1\n", Some("a.toml")), ("sh", "true\nfalse\n", None)];
    let expected = expected.map(|(l, t, f)| (l.to_owned(), t.to_owned(), f.map(str::to_owned)));
    assert_eq!(found.iter().map(of).collect::<Vec<_>>(), expected);
}

/// The page on own suites, line by line: K is swept, a trial stands apart, and the CSV has the columns the page names.
#[test]
fn the_page_on_own_suites_can_be_followed() {
    let dir = tempfile::tempdir().unwrap();
    let said = follow("own_suite.md", dir.path());
    assert!(said.contains("suite         how_many on pocket: How many prompts?"), "{said}");
    for line in [
        "rpo rpo.k=1",
        "rpo rpo.k=4",
        "zero_shot",
        "apart: 6 cells",
        "apart, under other settings",
        " on dtd",
        "failed: none",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let page = std::fs::read_to_string(dir.path().join("reports/how_many-pocket/README.md")).unwrap();
    for part in [
        "**What was asked.** RPO with one",
        "**What came out.** H: highest",
        "**Words.** *base*",
        "`zero_shot`",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let csv = std::fs::read_to_string(dir.path().join("reports/how_many-pocket/results.csv")).unwrap();
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    for column in ["method", "variant", "dataset", "classes", "accuracy_pct"] {
        assert!(header.contains(&column), "{column} in {header:?}");
    }
}

#[test]
fn the_page_on_own_datasets_can_be_followed() {
    let dir = tempfile::tempdir().unwrap();
    let said = follow("own_dataset.md", dir.path());
    assert!(said.contains("land.json: 10 classes, 600 train, 0 val, 600 test"), "{said}");
    assert!(said.contains("2 cells run, 0 already complete, 0 failed"), "{said}");
    // Without a model the message says the word that is missing.
    let args = ["suite", "smoke", "--data", "folder:land", "--split-file", "land.json"];
    let refused = rpo_bench(dir.path(), &args);
    assert!(
        refused.status.code() == Some(2) && stderr(&refused).contains("--clip pocket"),
        "{}",
        stderr(&refused)
    );
}

/// A command ends with a table in ids of the CSV files, and not where that was not wanted.
#[test]
fn a_command_ends_with_what_came_out() {
    let dir = tempfile::tempdir().unwrap();
    let suite = ["suite", "smoke", "--datasets", "eurosat", "--methods", "zero_shot,coop"];
    let run = rpo_bench(dir.path(), &suite);
    let said = stdout(&run);
    assert!(said.starts_with("2 cells run, 0 already complete, 0 failed"), "{said}");
    for part in
        ["method ", " base ", " H ", "zero_shot ", "coop ", "failed: none", "One dataset allows no test"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(widest(&said) <= WIDTH && said.trim_end().ends_with("reports/smoke-pocket/README.md"), "{said}");
    let again = stdout(&rpo_bench(dir.path(), &["report", "smoke"]));
    assert!(said.ends_with(&again), "report repeats the table: {again}");

    let quiet = rpo_bench(dir.path(), &[&suite[..], &["--quiet"]].concat());
    assert_eq!((stdout(&quiet).lines().count(), stdout(&quiet).contains("zero_shot")), (2, false));
    let json = rpo_bench(dir.path(), &[&suite[..], &["--json"]].concat());
    let document: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let table = &document["report"]["outcome"]["tables"][0];
    assert_eq!((&document["skipped"], &table["lines"][1]["method"]), (&2.into(), &"coop".into()));
    assert!(table["lines"][1]["numbers"][0]["mean"].as_f64().unwrap() > 0.0, "{document:#}");
    let report: serde_json::Value =
        serde_json::from_slice(&rpo_bench(dir.path(), &["report", "smoke", "--json"]).stdout).unwrap();
    assert_eq!(report, document["report"]);
}

/// Totals first, cells when asked for, and no line wider than a terminal.
#[test]
fn a_plan_fits_a_terminal_and_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    for suite in ["smoke", "base2new", "ablation", "methods"] {
        let plan = stdout(&rpo_bench(dir.path(), &["suite", suite, "--plan"]));
        assert!(widest(&plan) <= WIDTH, "{plan}");
        let place = |word: &str| plan.find(word).unwrap_or_else(|| panic!("{word}: {plan}"));
        assert!(
            place("\nmethod ") < place("\ndataset ") && place("\ndataset ") < place("\nin all "),
            "{plan}"
        );
        assert!(!plan.contains("seed  1 shots"), "{plan}");
    }
    let cells = stdout(&rpo_bench(dir.path(), &["suite", "smoke", "--plan", "--cells"]));
    assert_eq!(cells.matches(" seed ").count(), 10, "{cells}");
    let json = rpo_bench(dir.path(), &["suite", "smoke", "--plan", "--json"]).stdout;
    let plan: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let sum = |list: &str, field: &str| -> f64 {
        plan[list].as_array().unwrap().iter().map(|load| load[field].as_f64().unwrap()).sum()
    };
    for list in ["methods", "datasets"] {
        assert_eq!(
            (sum(list, "cells"), sum(list, "trainings")),
            (10.0, plan["trainings"].as_f64().unwrap()),
            "{list}"
        );
    }
    let all = plan["seconds"].as_f64().unwrap();
    assert!((sum("datasets", "seconds") - all).abs() < 1e-6 * all.max(1.0));
    // What methods share, the frozen passes over test images, is nobody's.
    assert!(sum("methods", "seconds") < all);
}

#[test]
fn a_report_of_a_fault_has_what_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let short = stdout(&rpo_bench(dir.path(), &["--version"]));
    assert_eq!(short, format!("rpo-bench {}\n", env!("CARGO_PKG_VERSION")));
    let long = stdout(&rpo_bench(dir.path(), &["--version", "--verbose"]));
    for word in ["commit", "features", "lock file", "built", "rustc", "platform", "cores", "memory", "cuda"] {
        assert!(long.contains(word), "{word}: {long}");
    }
    assert!(long.starts_with(&short) && widest(&long) <= WIDTH, "{long}");
    let page = stdout(&rpo_bench(dir.path(), &["doctor", "--suite", "smoke"]));
    assert!(page.contains("lock file") && page.contains("can run   rpo-bench suite smoke"), "{page}");
}

/// What is near what was typed: settings, datasets, methods under their short names.
#[test]
fn near_misses_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["suite", "smoke", "--set", "rpo.lr=1"], "did you mean rpo.learning_rate"),
        (&["suite", "smoke", "--datasets", "pets"], "did you mean oxford_pets"),
        (&["suite", "base2new", "extra"], "suite new NAME"),
        (&["suite", "new"], "suite new my_suite"),
    ];
    for (args, word) in cases {
        let run = rpo_bench(dir.path(), args);
        assert!(run.status.code() == Some(2) && stderr(&run).contains(word), "{args:?}: {}", stderr(&run));
    }
    let lp = stdout(&rpo_bench(
        dir.path(),
        &["suite", "smoke", "--methods", "lp", "--set", "lp.epochs=2", "--plan"],
    ));
    assert!(lp.contains("linear_probe") && lp.contains("epochs 2"), "{lp}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was written");
}

/// `suite new` writes a file that runs, and never over one that is there.
#[test]
fn a_new_suite_can_be_planned_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let made = rpo_bench(dir.path(), &["suite", "new", "mine"]);
    assert!(stdout(&made).starts_with("mine.toml: every key is explained there"), "{}", stdout(&made));
    let plan = rpo_bench(dir.path(), &["suite", "mine.toml", "--plan"]);
    assert!(plan.status.success() && stdout(&plan).contains("mine on pocket"), "{}", stderr(&plan));
    let text = std::fs::read(dir.path().join("mine.toml")).unwrap();
    let again = rpo_bench(dir.path(), &["suite", "new", "mine"]);
    assert!(again.status.code() == Some(2) && stderr(&again).contains("there already"), "{}", stderr(&again));
    assert_eq!(std::fs::read(dir.path().join("mine.toml")).unwrap(), text);
}
