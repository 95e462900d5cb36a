//! What `model fetch` and `data fetch` share.

use std::time::Duration;

use clap::Args;

use crate::fetch::Patience;

/// How long to wait and how often to try again.
#[derive(Clone, Copy, Debug, Args)]
pub struct PatienceArgs {
    /// Seconds of silence after which a connection counts as stalled.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub silence: u64,
    /// Attempts in a row without a new byte before an address is given up.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: u32,
}

impl PatienceArgs {
    pub(in crate::cli) fn patience(self) -> Patience {
        Patience { silence: Duration::from_secs(self.silence), attempts: self.attempts }
    }
}
