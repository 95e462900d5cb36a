//! Where a number comes from: build, machine, data. No host name, user name or absolute path.

use crate::preprocess::DECODER;
use crate::record::redact::command_line;
use crate::record::{Provenance, SlurmTask};
use crate::suite::plan::keys::NUMERICS_VERSION;
use crate::suite::world::{BenchDataset, World};
use crate::util::{hex, machine, utc};

/// The command line with paths replaced.
#[derive(Clone, Debug, Default)]
pub struct CommandLine(String);

impl CommandLine {
    /// The arguments without the program's name, paths named.
    pub fn new(args: impl IntoIterator<Item = String>) -> Self {
        Self(command_line(args))
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn features() -> Vec<String> {
    let known = [("cuda", cfg!(feature = "cuda")), ("parquet", cfg!(feature = "parquet"))];
    known.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect()
}

/// The model of the card or the processor that computes on `device`.
pub(in crate::suite) fn device_model(device: &str) -> Option<String> {
    if device == "cuda" { machine::gpu_model() } else { Some(machine::cpu_model()) }
}

/// Provenance of a cell.
pub(in crate::suite) fn provenance(
    world: &World,
    dataset: &BenchDataset,
    draw_sha256: Option<String>,
    command: &CommandLine,
    slurm: Option<&SlurmTask>,
) -> Provenance {
    let device = world.clip.device_kind();
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("RPO_BENCH_COMMIT").map(str::to_owned),
        dirty: option_env!("RPO_BENCH_DIRTY").map(|word| word == "true"),
        numerics_version: NUMERICS_VERSION,
        features: features(),
        lockfile_sha256: hex(&<sha2::Sha256 as sha2::Digest>::digest(include_bytes!("../../../Cargo.lock"))),
        target: machine::target(),
        cpu_model: machine::cpu_model(),
        driver: if device == "cuda" { machine::driver() } else { None },
        device_model: device_model(device).unwrap_or_default(),
        device: device.to_owned(),
        dtype: world.clip.precision().to_string(),
        decoder: DECODER.to_owned(),
        data_kind: world.data_kind().to_owned(),
        model_revision: world.revision.clone(),
        weights_sha256: world.identity.weights_sha256.clone(),
        model_sha256: world.identity.sha256(),
        config_sha256: world.identity.config_sha256.clone(),
        tokenizer_sha256: world.identity.tokenizer_sha256.clone(),
        split_sha256: dataset.split_sha256.clone(),
        draw_sha256,
        command: command.as_str().to_owned(),
        finished_at: utc::now(),
        imported: None,
        slurm: slurm.cloned(),
    }
}
