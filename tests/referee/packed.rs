//! What is shipped: the package's size, completions, the man page.

use std::process::Command;

use super::{refused, repository, rpo_bench, said};

/// Most bytes of the package before compression.
const LIMIT: u64 = 10_000_000;

#[test]
fn the_package_holds_what_it_needs_and_is_small() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(repository("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).unwrap();
    let size = |name: &str| std::fs::metadata(repository(name)).map_or(0, |about| about.len());
    let bytes: u64 = list.lines().map(size).sum();
    println!("{} files, {:.2} MB", list.lines().count(), bytes as f64 / 1e6);
    assert!(bytes < LIMIT, "{bytes} bytes");
    let has = |name: &str| list.lines().any(|line| line == name);
    for needed in
        ["Cargo.lock", "README.md", "assets/pocket/model.safetensors", "suites/smoke.toml", "src/main.rs"]
    {
        assert!(has(needed), "{needed} is missing");
    }
    assert!(!list.contains("tests/fixtures") && !list.contains("reports/samples"), "{list}");
}

#[test]
fn completions_and_man_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&["completions", shell]);
        assert!(["suite", "import", "replay"].iter().all(|word| script.contains(word)), "{shell}");
    }
    let page = said(&["man"]);
    assert!(page.starts_with(".ie") || page.contains(".TH rpo-bench"), "{page}");
    assert!(page.contains("replay") && said(&["man", "data", "draw"]).contains("dassl"));
    assert_eq!(refused(&["man", "nothing"]).0, 2);
    assert!(!rpo_bench(&["completions", "tcsh"]).status.success());
}
