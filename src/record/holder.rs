//! The process behind a claim, and whether it is still there.

use crate::util::machine;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::schema::{Cell, SlurmTask};

/// What a holder works on, for those who look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedWork {
    /// The cell.
    pub cell: Cell,
    /// Key of its training, which its checkpoint is named by.
    pub training_key: String,
}

/// A process that works on a cell. It stands in claim files only: no record says where it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of the machine.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Which processes an id counts among (containers count their own), where the system says.
    pub pid_namespace: Option<String>,
    /// When the process started, in the system's own ticks: an id is used again, the pair is not.
    pub started: Option<u64>,
    /// Version of the program.
    pub version: String,
    /// When the claim was made, seconds since 1970 by the holder's clock.
    pub heartbeat: u64,
    /// Names the holder's sign of life; no other holder ever has the same.
    #[serde(default)]
    pub token: String,
    /// The Slurm task the process belongs to.
    #[serde(default)]
    pub slurm: Option<SlurmTask>,
    /// The cluster that task runs on: another one counts its jobs from 1, too.
    #[serde(default)]
    pub cluster: Option<String>,
    /// What it works on.
    #[serde(default)]
    pub work: Option<ClaimedWork>,
}

/// Tells apart the holders of one process.
static COUNT: AtomicU64 = AtomicU64::new(0);

impl Holder {
    /// This process, without a heartbeat.
    pub fn this_process() -> Self {
        let (pid, host) = (std::process::id(), machine::host());
        let started = machine::process_started(pid);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let plain: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        Self {
            host,
            pid,
            pid_namespace: machine::pid_namespace(),
            started,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            heartbeat: 0,
            token: format!("{plain}-{pid}-{}-{count}", started.unwrap_or(0)),
            slurm: None,
            cluster: None,
            work: None,
        }
    }

    /// True only of a process of this machine and namespace that is certainly over.
    pub(super) fn is_gone(&self) -> bool {
        let me = Self::this_process();
        let neighbour = self.host == me.host && self.pid_namespace == me.pid_namespace;
        neighbour
            && me.started.is_some()
            && self.started.is_some()
            && machine::process_started(self.pid) != self.started
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_another_start_is_not() {
        let me = Holder::this_process();
        assert!(!me.is_gone());
        let reused = Holder { started: me.started.map(|ticks| ticks + 1), ..me.clone() };
        assert_eq!(reused.is_gone(), me.started.is_some());
        let container = Holder { pid_namespace: Some("pid:[1]".to_owned()), ..reused };
        assert!(!container.is_gone());
        assert_ne!(Holder::this_process().token, me.token);
    }
}
