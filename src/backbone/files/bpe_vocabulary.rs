//! A CLIP vocabulary: tokens with their ids and merges in order of rank, as files and in memory.
//!
//! Owns vocab.json, merges.txt and the two lists inside tokenizer.json; `tokenizer` applies them. Tokens are
//! written in GPT-2's byte alphabet, one character per byte, and the last token of a word carries `</w>`.
//! In merges.txt only the `#version` line is a comment: `# #</w>` is a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::tokenizer_error::TokenizerError;
use crate::util::mistaken::read_text;

/// CLIP's tokenizer.json has 3.6 MB; a model of many languages has about 17.
const MAX_FILE_BYTES: u64 = 32 << 20;

/// The token in front of every text.
pub const BOS: &str = "<|startoftext|>";
/// The token behind every text. Its id is the highest of all, which is how its position is found.
pub const EOS: &str = "<|endoftext|>";
/// Marks the last token of a word.
pub const WORD_END: &str = "</w>";

/// Tokens, ids and merges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BpeVocabulary {
    ids: BTreeMap<String, u32>,
    merges: Vec<(String, String)>,
}

impl BpeVocabulary {
    /// Checks and wraps a vocabulary; `origin` is for messages.
    ///
    /// # Errors
    /// [`TokenizerError::Vocabulary`] where two tokens share an id, BOS or EOS is missing, or EOS is not the
    /// highest id (the text feature would be read elsewhere).
    pub fn new(
        ids: BTreeMap<String, u32>,
        merges: Vec<(String, String)>,
        origin: &Path,
    ) -> Result<Self, TokenizerError> {
        let refuse = |problem| Err(TokenizerError::Vocabulary { path: origin.to_owned(), problem });
        let mut seen = BTreeSet::new();
        if let Some((token, id)) = ids.iter().find(|(_, id)| !seen.insert(**id)) {
            return refuse(format!("token {token:?} has id {id}, which another token has too"));
        }
        for token in [BOS, EOS] {
            if !ids.contains_key(token) {
                return refuse(format!("no token {token:?}; is this a CLIP vocabulary?"));
            }
        }
        let vocabulary = Self { ids, merges };
        let highest = seen.last().copied().unwrap_or_default();
        if vocabulary.eos() != highest {
            return refuse(format!("{EOS:?} has id {}, but the highest id is {highest}", vocabulary.eos()));
        }
        Ok(vocabulary)
    }

    /// Reads vocab.json with merges.txt, or tokenizer.json where only that is there; none where neither is.
    ///
    /// # Errors
    /// [`TokenizerError`] naming the file: unreadable, not JSON, a line that is no merge, or as [`Self::new`].
    pub fn from_folder(folder: &Path) -> Result<Option<Self>, TokenizerError> {
        let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
        if vocab.is_file() && merges.is_file() {
            let ids = parse(&vocab)?;
            return Self::new(ids, parse_merges(&read(&merges)?, &merges)?, &vocab).map(Some);
        }
        let tokenizer = folder.join("tokenizer.json");
        if tokenizer.is_file() { Self::from_tokenizer_json(&tokenizer).map(Some) } else { Ok(None) }
    }

    /// Takes vocabulary and merges out of a tokenizer.json. Its normalizer and splitting are not read: CLIP's are
    /// fixed.
    fn from_tokenizer_json(path: &Path) -> Result<Self, TokenizerError> {
        let TokenizerJson { model } = parse(path)?;
        let suffix = model.end_of_word_suffix.as_deref();
        if model.kind.as_deref() != Some("BPE") || suffix != Some(WORD_END) {
            let problem = format!(
                "its model is {:?} with end_of_word_suffix {suffix:?}; CLIP's is \"BPE\" with {WORD_END:?}",
                model.kind.as_deref().unwrap_or("unnamed")
            );
            return Err(TokenizerError::Vocabulary { path: path.to_owned(), problem });
        }
        let merges = model.merges.iter().map(|merge| merge_pair(merge, path)).collect::<Result<_, _>>()?;
        Self::new(model.vocab, merges, path)
    }

    /// Tokens and ids.
    pub fn ids(&self) -> &BTreeMap<String, u32> {
        &self.ids
    }

    /// Merges, the first one applied first.
    pub fn merges(&self) -> &[(String, String)] {
        &self.merges
    }

    /// Id of BOS.
    pub fn bos(&self) -> u32 {
        self.ids.get(BOS).copied().unwrap_or_default()
    }

    /// Id of EOS, the highest.
    pub fn eos(&self) -> u32 {
        self.ids.get(EOS).copied().unwrap_or_default()
    }

    /// The text of vocab.json, in order of ids.
    pub fn vocab_json(&self) -> String {
        let mut by_id: Vec<_> = self.ids.iter().map(|(token, id)| (*id, token)).collect();
        by_id.sort_unstable();
        let entries: Vec<_> =
            by_id.iter().map(|(id, token)| format!("{}: {id}", serde_json::json!(token))).collect();
        format!("{{{}}}", entries.join(", "))
    }

    /// The text of merges.txt.
    pub fn merges_txt(&self) -> String {
        let lines: String = self.merges.iter().map(|(left, right)| format!("{left} {right}\n")).collect();
        format!("#version: 0.2\n{lines}")
    }
}

/// The bytes in the order of their ids (0 to 255) with the character each is written as. Ids 256 to 511 are the
/// same with `</w>`.
pub fn byte_alphabet() -> Vec<(u8, char)> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let plain = (0..=255u8).filter(printable).map(|byte| (byte, char::from(byte)));
    let shifted = (0..=255u8).filter(|byte| !printable(byte)).zip('\u{100}'..);
    plain.chain(shifted).collect()
}

#[derive(Deserialize)]
struct TokenizerJson {
    model: BpeJson,
}

#[derive(Deserialize)]
struct BpeJson {
    #[serde(rename = "type")]
    kind: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    vocab: BTreeMap<String, u32>,
    #[serde(default)]
    merges: Vec<serde_json::Value>,
}

fn read(path: &Path) -> Result<String, TokenizerError> {
    read_text(path, MAX_FILE_BYTES).map_err(|source| TokenizerError::Read { path: path.to_owned(), source })
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, TokenizerError> {
    serde_json::from_str(&read(path)?)
        .map_err(|source| TokenizerError::Json { path: path.to_owned(), source })
}

fn parse_merges(text: &str, path: &Path) -> Result<Vec<(String, String)>, TokenizerError> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with("#version") && !line.trim().is_empty())
        .map(|(number, line)| split_merge(line, path, || format!("line {}", number + 1)))
        .collect()
}

/// A merge of tokenizer.json: "a b" in older files, ["a", "b"] in newer ones.
fn merge_pair(merge: &serde_json::Value, path: &Path) -> Result<(String, String), TokenizerError> {
    match (merge.as_str(), merge.as_array().map(Vec::as_slice)) {
        (Some(line), _) => split_merge(line, path, || "model.merges".to_owned()),
        (_, Some([serde_json::Value::String(left), serde_json::Value::String(right)])) => {
            Ok((left.clone(), right.clone()))
        }
        _ => Err(bad_merge(path, "model.merges", &merge.to_string())),
    }
}

fn split_merge(
    line: &str,
    path: &Path,
    place: impl FnOnce() -> String,
) -> Result<(String, String), TokenizerError> {
    match line.trim_end().split_once(' ') {
        Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains(' ') => {
            Ok((left.to_owned(), right.to_owned()))
        }
        _ => Err(bad_merge(path, &place(), line)),
    }
}

fn bad_merge(path: &Path, place: &str, found: &str) -> TokenizerError {
    let problem = format!("{place} is {found:?}; a merge is two tokens with one space between them");
    TokenizerError::Vocabulary { path: PathBuf::from(path), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(tokens: &[(&str, u32)]) -> BTreeMap<String, u32> {
        tokens.iter().map(|(token, id)| ((*token).to_owned(), *id)).collect()
    }

    #[test]
    fn the_alphabet_has_every_byte_once_and_starts_as_openai_orders_it() {
        let alphabet = byte_alphabet();
        let bytes: BTreeSet<u8> = alphabet.iter().map(|(byte, _)| *byte).collect();
        let characters: BTreeSet<char> = alphabet.iter().map(|(_, character)| *character).collect();
        assert_eq!((bytes.len(), characters.len()), (256, 256));
        assert_eq!(alphabet[0], (b'!', '!'));
        assert_eq!(alphabet[188], (0, 'Ā'));
        assert!(alphabet.contains(&(b' ', 'Ġ')));
    }

    #[test]
    fn a_vocabulary_whose_eos_is_not_the_highest_id_is_refused() {
        let path = Path::new("m/vocab.json");
        let error = BpeVocabulary::new(ids(&[(BOS, 0), (EOS, 1), ("a", 2)]), vec![], path).unwrap_err();
        assert!(error.to_string().contains("the highest id is 2"), "{error}");
        let error = BpeVocabulary::new(ids(&[("a", 2)]), vec![], path).unwrap_err();
        assert!(error.to_string().contains(BOS), "{error}");
        let error = BpeVocabulary::new(ids(&[(BOS, 1), (EOS, 1)]), vec![], path).unwrap_err();
        assert!(error.to_string().contains("id 1"), "{error}");
    }

    #[test]
    fn what_is_written_reads_back_equal() {
        let folder = tempfile::tempdir().unwrap();
        let merges = vec![("#".to_owned(), "#</w>".to_owned())];
        let tokens = ids(&[("#", 0), ("#</w>", 1), ("##</w>", 2), ("\"", 3), (BOS, 4), (EOS, 5)]);
        let vocabulary = BpeVocabulary::new(tokens, merges, folder.path()).unwrap();
        assert_eq!(BpeVocabulary::from_folder(folder.path()).unwrap(), None);
        std::fs::write(folder.path().join("vocab.json"), vocabulary.vocab_json()).unwrap();
        std::fs::write(folder.path().join("merges.txt"), vocabulary.merges_txt()).unwrap();
        assert_eq!(BpeVocabulary::from_folder(folder.path()).unwrap(), Some(vocabulary));
    }

    #[test]
    fn a_bad_merge_is_named_with_its_line() {
        let error = parse_merges("#version: 0.2\na b\nc\n", Path::new("m/merges.txt")).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("m/merges.txt") && message.contains("line 3"), "{message}");
    }
}
