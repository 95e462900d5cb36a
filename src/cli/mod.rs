//! What was typed, and what is done with it. stdout carries results, stderr progress and errors.

mod args;
mod bench;
mod board;
mod closed_pipe;
mod cluster;
mod compare;
mod data;
mod doctor;
mod draw;
mod evaluate;
mod exit;
mod fetch;
mod import;
mod list;
mod model;
mod named;
mod new_suite;
mod parity;
mod plan;
mod pocket;
mod progress;
mod replay;
mod report;
mod run;
mod runs;
mod shell;
mod signals;
mod slurm;
mod status;
mod suite;
mod threads;
mod verify;
mod version;
mod watch;

pub use exit::Exit;
pub use run::main;
