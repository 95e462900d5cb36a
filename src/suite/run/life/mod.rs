//! The life of a cell, a step a file, in the order in which they happen: planned → claimed → trained → evaluated
//! (and measured) → recorded. [`cell`] is the cell with its states, [`lane`] takes a dataset's cells through them.

pub(in crate::suite) mod cell;
pub(in crate::suite) mod lane;

pub(in crate::suite) mod claim;

pub(in crate::suite) mod drawn_shots;
mod fit;
mod train;

mod evaluate;
mod fingerprint;
mod stopwatch;

mod cost;
mod measure;
mod shift;

mod record;
