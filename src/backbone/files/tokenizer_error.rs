//! Why a vocabulary or a text could not be used.

use std::path::PathBuf;

use crate::util::mistaken::{TextError, json_reason};

/// Why a vocabulary could not be read, or a text not be turned into tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The vocabulary file could not be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why, and the cure where something else lies there.
        source: TextError,
    },
    /// The vocabulary is not valid JSON of the expected form.
    #[error("parse {}: {}", path.display(), json_reason(source))]
    Json {
        /// The file.
        path: PathBuf,
        /// Position and reason.
        source: serde_json::Error,
    },
    /// Vocabulary and merges do not make a CLIP tokenizer.
    #[error("use the vocabulary {}: {problem}", path.display())]
    Vocabulary {
        /// File or folder.
        path: PathBuf,
        /// What is wrong, with the value.
        problem: String,
    },
    /// The model folder has no vocabulary, and the model is not one with OpenAI's.
    #[error(
        "tokenise text for {}: it has neither vocab.json with merges.txt nor tokenizer.json, and its vocabulary \
         of {vocab_size} entries is not OpenAI's 49408; copy the model's tokenizer files there",
        folder.display()
    )]
    NoVocabulary {
        /// The folder.
        folder: PathBuf,
        /// Number of token embeddings of the model.
        vocab_size: usize,
    },
    /// More tokens than the model has positions. The published code stops here too (it never truncates).
    #[error(
        "tokenise {text:?}: {tokens} tokens, but the model reads at most {limit}; shorten the class name or template"
    )]
    TooLong {
        /// The text.
        text: String,
        /// Its length with BOS and EOS.
        tokens: usize,
        /// Positions of the model.
        limit: usize,
    },
    /// The tokenizer refused a text.
    #[error("tokenise {text:?}: {problem}")]
    Encode {
        /// The text.
        text: String,
        /// The tokenizer's reason.
        problem: String,
    },
}
