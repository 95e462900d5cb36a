//! `model`: models without data.

use std::path::PathBuf;

use clap::Subcommand;

use super::PatienceArgs;

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
    /// Download a model into the cache that the Python libraries use too; honours HF_HOME, HF_HUB_CACHE, HF_ENDPOINT,
    /// HF_TOKEN and HF_HUB_OFFLINE.
    Fetch {
        /// A HuggingFace id, owner/name[@revision], or a name of OpenAI's such as ViT-B/16 or RN50.
        id: String,
        /// Say what would be downloaded, and download nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        patience: PatienceArgs,
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
    /// Turn a published prompt checkpoint (RPO, CoOp, CoCoOp, MaPLe, VPT, IVLP, PromptSRC, linear probing) into safetensors,
    /// or safetensors into one, values unchanged.
    Convert {
        /// The checkpoint (torch zip pickle, or safetensors). Nothing in it is executed.
        input: PathBuf,
        /// The file to write: the authors' layout for a name such as model.pth.tar-50 (the number is the epoch) or a.pt,
        /// else safetensors.
        output: PathBuf,
        /// Whose parameters they are, where neither the file nor its tensors' names say so.
        #[arg(long)]
        method: Option<String>,
    },
}
