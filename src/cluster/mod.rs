//! The scheduler Slurm, seen from both sides: which task of it this process is, what it says of other tasks, and what
//! is handed to it. Knows no model and no plan; every word to Slurm goes through its own commands.

mod ask;
mod file_system;
mod gone;
mod request;
mod restarts;
mod script;
mod site;
mod task;
mod time;

pub use ask::{AskError, Ended, ended, requeue, submit};
pub use file_system::local_file_system;
pub use gone::gone;
pub use request::{Request, RequestError};
pub use restarts::{Restarts, RestartsError};
pub use script::{array_script, report_script};
pub use site::Site;
pub use task::{TaskError, array_place, this_task};
pub use time::parse_time;
