//! The scheduler Slurm, seen from both sides: which task of it this process is, what it says of other tasks, and what
//! is handed to it. Knows no model and no plan; every word to Slurm goes through its own commands.

mod ask;
mod file_system;
mod gone;
mod place;
mod request;
mod restarts;
mod script;
mod site;

pub use ask::{AskError, Ended, ended, requeue, submit};
pub use file_system::local_file_system;
pub use gone::gone;
pub use place::{PlaceError, array_place, this_task};
pub use request::{Request, RequestError, parse_time};
pub use restarts::{Restarts, RestartsError};
pub use script::{array_script, report_script};
pub use site::Site;
