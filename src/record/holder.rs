//! The process behind a claim, and whether it is still there.

use crate::util::machine;
use serde::{Deserialize, Serialize};

use super::claim::STALE_SECS;

/// A process that works on a cell. It stands in claim files only: no record says where it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Last sign of life, seconds since 1970.
    pub heartbeat: u64,
}

impl Holder {
    /// This process, without a heartbeat.
    pub fn this_process() -> Self {
        let pid = std::process::id();
        Self {
            host: machine::host(),
            pid,
            pid_namespace: machine::pid_namespace(),
            started: machine::process_started(pid),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            heartbeat: 0,
        }
    }

    /// Whether both are the same process.
    pub fn is_same_process(&self, other: &Self) -> bool {
        let identity =
            |holder: &Self| (holder.host.clone(), holder.pid, holder.pid_namespace.clone(), holder.started);
        identity(self) == identity(other)
    }

    /// Whether the claim still counts at `now` (seconds since 1970): its heartbeat is recent, and its process,
    /// where it can be looked up, is alive.
    pub(super) fn holds(&self, now: u64) -> bool {
        now.saturating_sub(self.heartbeat) <= STALE_SECS && !self.is_gone()
    }

    /// True only of a process of this machine and namespace that is certainly over.
    fn is_gone(&self) -> bool {
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
        let me = Holder { heartbeat: 1_000, ..Holder::this_process() };
        assert!(me.holds(1_000 + STALE_SECS) && !me.holds(1_001 + STALE_SECS));
        let reused = Holder { started: me.started.map(|ticks| ticks + 1), ..me.clone() };
        assert_eq!(reused.holds(1_000), me.started.is_none());
        let container = Holder { pid_namespace: Some("pid:[1]".to_owned()), ..reused };
        assert!(container.holds(1_000));
    }
}
