//! `parity DIR`: this program against golden numbers, through the code that trains.
//!
//! What lies in the folder decides what is checked. Tolerances are constants here, never flags.

mod case;
mod check;
mod draws;
mod fixture;
mod methods;
mod model;
mod pixels;
mod protocol;

pub use check::{Check, ParityError, ParityReport};
pub use model::check_folder;
