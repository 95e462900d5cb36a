//! `--version --verbose`: everything about build and machine that a report of a fault needs. `doctor` begins with it.
//!
//! Nothing here is private: no host or user name, no path.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::exit::{Exit, Failure};
use crate::preprocess::DECODER;
use crate::util::{hex, machine};

/// Build and machine; field names are keys of `doctor --json`.
#[derive(Serialize)]
pub(super) struct Build {
    pub version: &'static str,
    /// Git commit of the sources; absent where they were no checkout.
    pub commit: Option<&'static str>,
    /// Whether the sources had changes of their own.
    pub dirty: Option<bool>,
    /// Cargo features compiled in.
    pub features: Vec<&'static str>,
    /// SHA-256 of the lock file: the versions of every library.
    pub lockfile_sha256: String,
    /// Compiler, target and optimisation of the build.
    pub compiler: &'static str,
    pub target: &'static str,
    pub opt_level: &'static str,
    pub decoder: &'static str,
    /// System and kernel.
    pub platform: String,
    pub cpu: String,
    /// Vector instructions that are there and that code here or in its libraries may use.
    pub cpu_features: Vec<&'static str>,
    pub cores: usize,
    pub memory_mib: Option<u64>,
    /// Name, driver and memory of each card, as nvidia-smi says them.
    pub gpus: Vec<String>,
}

impl Build {
    /// Of this program, here.
    pub fn here() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("RPO_BENCH_COMMIT"),
            dirty: option_env!("RPO_BENCH_DIRTY").map(|word| word == "true"),
            features: features(),
            lockfile_sha256: hex(&Sha256::digest(include_bytes!("../../Cargo.lock"))),
            compiler: env!("RPO_BENCH_RUSTC"),
            target: env!("RPO_BENCH_TARGET"),
            opt_level: env!("RPO_BENCH_OPT_LEVEL"),
            decoder: DECODER,
            platform: format!("{} {}", std::env::consts::OS, machine::kernel()).trim_end().to_owned(),
            cpu: machine::cpu_model(),
            cpu_features: cpu_features(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: machine::total_memory_bytes().map(|bytes| bytes >> 20),
            gpus: gpus(),
        }
    }

    /// Name and value of every line.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let state = match self.dirty {
            Some(true) => " and changes of its own",
            _ => "",
        };
        let commit = self.commit.map_or("unknown".to_owned(), |commit| format!("{commit}{state}"));
        let memory = self.memory_mib.map_or("unknown".to_owned(), |mib| format!("{mib} MiB"));
        let cuda = if cfg!(feature = "cuda") { "compiled in" } else { "not compiled in" };
        vec![
            ("version", self.version.to_owned()),
            ("commit", commit),
            ("features", listed(&self.features)),
            ("lock file", self.lockfile_sha256.clone()),
            ("built", format!("{}, opt-level {}", self.compiler, self.opt_level)),
            ("for", self.target.to_owned()),
            ("decoder", self.decoder.to_owned()),
            ("platform", self.platform.clone()),
            ("cpu", format!("{} cores, {}", self.cores, self.cpu)),
            ("", self.cpu_features.join(" ")),
            ("memory", memory),
            ("cuda", format!("{cuda}; cards: {}", listed(&self.gpus))),
        ]
    }
}

/// Prints the version, or everything.
pub(super) fn version(verbose: bool) -> Result<Exit, Failure> {
    println!("rpo-bench {}", env!("CARGO_PKG_VERSION"));
    if verbose {
        let build = Build::here();
        build.lines().iter().skip(1).for_each(|(name, value)| println!("{name:<9} {value}"));
    }
    Ok(Exit::Ok)
}

/// The words of a list, or `none`.
pub(super) fn listed<T: AsRef<str>>(list: &[T]) -> String {
    match list {
        [] => "none".to_owned(),
        _ => list.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("; "),
    }
}

fn features() -> Vec<&'static str> {
    let known = [("cuda", cfg!(feature = "cuda")), ("parquet", cfg!(feature = "parquet"))];
    known.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect()
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let known = [
        ("sse4.1", is_x86_feature_detected!("sse4.1")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
        ("avx512fp16", is_x86_feature_detected!("avx512fp16")),
    ];
    known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}

fn gpus() -> Vec<String> {
    let query = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
    let Ok(output) = std::process::Command::new("nvidia-smi").args(query).output() else { return Vec::new() };
    if !output.status.success() {
        return Vec::new();
    }
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).collect()
}
