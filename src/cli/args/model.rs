//! `model`: models without data.

use std::path::PathBuf;

use clap::Subcommand;

/// `model`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Shape, size and hash of a model.
    Info {
        /// As --clip.
        #[arg(conflicts_with = "clip")]
        model: Option<PathBuf>,
        /// A model: see `suite --help`; the pocket model when absent.
        #[arg(long, value_name = "MODEL")]
        clip: Option<PathBuf>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Write the pocket CLIP as a HuggingFace folder.
    Export {
        /// Folder to write.
        dir: PathBuf,
    },
    /// Token ids and unnormalised features of images and texts.
    Features {
        /// A model: see `suite --help`; the pocket model when absent.
        #[arg(long, value_name = "MODEL")]
        clip: Option<PathBuf>,
        /// Image files.
        #[arg(long, num_args = 0..)]
        image: Vec<PathBuf>,
        /// Texts.
        #[arg(long, num_args = 0..)]
        text: Vec<String>,
        /// Print one JSON document (the only format).
        #[arg(long)]
        json: bool,
    },
    /// Turn a published prompt checkpoint into safetensors, values unchanged.
    Convert {
        /// The checkpoint (torch zip pickle, or safetensors). Nothing in it is executed.
        input: PathBuf,
        /// The safetensors file to write.
        output: PathBuf,
    },
}
