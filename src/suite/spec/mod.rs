//! What was asked: suite files, settings with their overrides, sweeps, files prompts are read from.

pub(in crate::suite) mod file;
pub(in crate::suite) mod globals;
pub(in crate::suite) mod lists;
pub(in crate::suite) mod names;
pub(in crate::suite) mod overrides;
pub(in crate::suite) mod prompt_files;
pub(in crate::suite) mod seeds;
pub(in crate::suite) mod settings;
pub(in crate::suite) mod template;
pub(in crate::suite) mod variants;
