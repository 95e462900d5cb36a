//! Tells the program how it was built, and its git commit, where the sources are a git checkout; elsewhere it stays
//! unknown.
//!
//! It must never fail a build: no git, no checkout and a shallow clone are all fine.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The dirty flag is about what is compiled in.
    for source in ["src", "suites", "data-manifests", "assets", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={source}");
    }
    told("RPO_BENCH_TARGET", std::env::var("TARGET").ok());
    told("RPO_BENCH_OPT_LEVEL", std::env::var("OPT_LEVEL").ok());
    told("RPO_BENCH_RUSTC", std::env::var("RUSTC").ok().and_then(|rustc| said(&rustc, &["--version"])));
    let Some(top) = git(&["rev-parse", "--show-toplevel"]) else { return };
    // A checkout of something else that happens to lie above an unpacked package says nothing about it.
    let here = std::env::var("CARGO_MANIFEST_DIR").ok().and_then(|dir| Path::new(&dir).canonicalize().ok());
    if here != Path::new(&top).canonicalize().ok() {
        return;
    }
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return };
    println!("cargo::rustc-env=RPO_BENCH_COMMIT={commit}");
    if let Some(changes) = git(&["status", "--porcelain", "--untracked-files=no"]) {
        println!("cargo::rustc-env=RPO_BENCH_DIRTY={}", !changes.is_empty());
    }
}

/// Sets a variable for `env!`, which must be there whatever the build knows.
fn told(name: &str, value: Option<String>) {
    println!("cargo::rustc-env={name}={}", value.unwrap_or_else(|| "unknown".to_owned()));
}

fn git(args: &[&str]) -> Option<String> {
    said("git", args)
}

/// What a program prints; `None` where it fails.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
