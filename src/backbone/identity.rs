//! What decides a frozen model's numbers, as digests: its configuration, its tokenizer, its weights.
//!
//! Taken of the resolved values, not of files: a field that is not read, or a vocabulary under another file name,
//! changes nothing. Easy to get wrong: two folders with the same weights may still differ in `hidden_act`.

use sha2::{Digest, Sha256};

use super::config::ClipConfig;
use super::files::tokenizer::ClipTokenizer;
use crate::util::hex;

/// Digests (hex SHA-256) of a model's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelIdentity {
    /// Of the weight files.
    pub weights_sha256: String,
    /// Of every field of the resolved configuration.
    pub config_sha256: String,
    /// Of vocabulary and merges, whatever file they came from.
    pub tokenizer_sha256: String,
}

impl ModelIdentity {
    /// The identity of a model with these weights.
    pub fn new(config: &ClipConfig, tokenizer: &ClipTokenizer, weights_sha256: &str) -> Self {
        let vocabulary = tokenizer.vocabulary();
        Self {
            weights_sha256: weights_sha256.to_owned(),
            config_sha256: digest(&[&serde_json::json!(config).to_string()]),
            tokenizer_sha256: digest(&[&vocabulary.vocab_json(), &vocabulary.merges_txt()]),
        }
    }

    /// One digest of all parts.
    pub fn sha256(&self) -> String {
        digest(&[&self.weights_sha256, &self.config_sha256, &self.tokenizer_sha256])
    }
}

/// Length first, so that no two lists of words read alike.
fn digest(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_le_bytes());
        hash.update(word);
    }
    hex(&hash.finalize())
}
