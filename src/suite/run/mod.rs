//! The work itself, in the order in which it happens: lanes that train, evaluate, measure and record.

pub(in crate::suite) mod cost;
mod drawn_shots;
pub(in crate::suite) mod evaluate_file;
pub(in crate::suite) mod evaluation;
pub(in crate::suite) mod event;
pub(in crate::suite) mod fingerprint;
pub(in crate::suite) mod fitting;
pub(in crate::suite) mod forget;
pub(in crate::suite) mod lane;
pub(in crate::suite) mod measure;
pub(in crate::suite) mod provenance;
pub(in crate::suite) mod report;
pub(in crate::suite) mod runner;
pub(in crate::suite) mod shift;
pub(in crate::suite) mod status;
pub(in crate::suite) mod stopwatch;
pub(in crate::suite) mod thumbnails;
pub(in crate::suite) mod training;
