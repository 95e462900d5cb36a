//! What commands ask of the cluster they run on, if there is one.

use crate::cluster::{self, Site};
use crate::record::{Gone, SlurmTask};

/// A variable of the environment.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The Slurm task this process belongs to.
pub(super) fn this_task() -> Option<SlurmTask> {
    cluster::this_task(&variable)
}

/// The cluster this process runs on: inside a job by its own word, elsewhere by Slurm's.
pub(super) fn cluster_name() -> Option<String> {
    variable("SLURM_CLUSTER_NAME")
}

/// Knows of holders of claims whose Slurm task is over. Outside a job Slurm is asked which cluster this is, if any.
pub(super) fn gone() -> Gone {
    cluster::gone(|| cluster_name().or_else(|| Site::ask().ok().map(|site| site.cluster)))
}
