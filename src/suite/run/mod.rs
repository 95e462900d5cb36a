//! The work itself: which cells are open and who takes them (`jobs`, `lanes`, `runner`), what happens to each (`life`),
//! and what is read of it afterwards (`status`, `report`, `forget`).

pub(in crate::suite) mod evaluate_file;
pub(in crate::suite) mod event;
pub(in crate::suite) mod forget;
pub(in crate::suite) mod life;
pub(in crate::suite) mod options;
pub(in crate::suite) mod provenance;
pub(in crate::suite) mod replay;
pub(in crate::suite) mod report;
pub(in crate::suite) mod runner;
pub(in crate::suite) mod status;
pub(in crate::suite) mod thumbnails;

mod jobs;
mod lanes;
