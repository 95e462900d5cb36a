//! `pocket`: the embedded world.

use std::path::PathBuf;

use clap::Subcommand;

/// `pocket`.
#[derive(Debug, Subcommand)]
pub enum PocketCommand {
    /// Write a contact sheet of every pocket dataset.
    Preview {
        /// Folder for the PNG files.
        #[arg(default_value = "pocket-preview")]
        dir: PathBuf,
        /// Small sheets: two pictures a class at their own size, in few colours.
        #[arg(long)]
        small: bool,
    },
    /// Pretrain the pocket CLIP from nothing; continues from a checkpoint in the folder.
    Pretrain {
        /// Folder for checkpoint, log and result.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Image–caption pairs in all.
        #[arg(long, default_value_t = 281_600)]
        pairs: u64,
        /// Pairs per step.
        #[arg(long, default_value_t = 128)]
        batch: usize,
        /// Peak learning rate.
        #[arg(long, default_value_t = 1.5e-3)]
        learning_rate: f64,
        /// Seed of weights and pairs.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}
