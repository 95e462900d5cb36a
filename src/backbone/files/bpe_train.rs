//! Training of a small CLIP vocabulary on captions.
//!
//! Owns the merge loop. The result is the same on every machine: pairs are counted in ordered maps, and of pairs
//! that are equally frequent the first in the order of their tokens' text is merged. All 256 bytes are in the
//! vocabulary twice (within a word, at its end), so that no text is ever unknown.

use std::collections::BTreeMap;
use std::path::Path;

use super::bpe_vocabulary::{BOS, BpeVocabulary, EOS, WORD_END, byte_alphabet};
use super::tokenizer::WordSplitter;
use super::tokenizer_error::TokenizerError;

/// Fewest entries of a vocabulary: the bytes twice, BOS and EOS.
pub const MIN_VOCAB_SIZE: usize = 514;

/// A pair that occurs once teaches nothing about the next text.
const MIN_PAIR_COUNT: u64 = 2;

/// Trains a vocabulary of at most `vocab_size` entries: bytes, merges, then BOS and EOS, so that EOS has the
/// highest id. It is smaller where the captions hold fewer pairs that occur twice.
///
/// # Errors
/// [`TokenizerError::Vocabulary`] where `vocab_size` is below [`MIN_VOCAB_SIZE`], [`TokenizerError::Encode`] where
/// a caption cannot be split.
pub fn train_bpe<'a>(
    captions: impl IntoIterator<Item = &'a str>,
    vocab_size: usize,
) -> Result<BpeVocabulary, TokenizerError> {
    let origin = Path::new("the trained vocabulary");
    if vocab_size < MIN_VOCAB_SIZE {
        let problem = format!("{vocab_size} entries are asked for, at least {MIN_VOCAB_SIZE} are needed");
        return Err(TokenizerError::Vocabulary { path: origin.to_owned(), problem });
    }
    let mut words = count_words(captions)?;
    let mut tokens = base_tokens();
    let mut merges = Vec::new();
    while tokens.len() + 2 < vocab_size {
        let Some(pair) = most_frequent_pair(&words) else { break };
        let joined = format!("{}{}", pair.0, pair.1);
        for (word, _) in &mut words {
            merge(word, &pair, &joined);
        }
        // Different pairs can spell the same token; it is listed once.
        if !tokens.contains(&joined) {
            tokens.push(joined);
        }
        merges.push(pair);
    }
    tokens.extend([BOS.to_owned(), EOS.to_owned()]);
    BpeVocabulary::new(tokens.into_iter().zip(0..).collect(), merges, origin)
}

fn base_tokens() -> Vec<String> {
    let alphabet = byte_alphabet();
    let within = alphabet.iter().map(|(_, character)| character.to_string());
    let ending = alphabet.iter().map(|(_, character)| format!("{character}{WORD_END}"));
    within.chain(ending).collect()
}

/// Every distinct word as its single-byte tokens, with how often it occurs.
fn count_words<'a>(
    captions: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<(Vec<String>, u64)>, TokenizerError> {
    let splitter = WordSplitter::new()?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for caption in captions {
        for word in splitter.split(caption)? {
            *counts.entry(word).or_default() += 1;
        }
    }
    let symbols = |word: String| {
        let mut symbols: Vec<String> = word.chars().map(String::from).collect();
        if let Some(last) = symbols.last_mut() {
            last.push_str(WORD_END);
        }
        symbols
    };
    Ok(counts.into_iter().map(|(word, count)| (symbols(word), count)).collect())
}

fn most_frequent_pair(words: &[(Vec<String>, u64)]) -> Option<(String, String)> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (word, count) in words {
        for pair in word.windows(2) {
            *counts.entry((&pair[0], &pair[1])).or_default() += count;
        }
    }
    // `max_by_key` keeps the last of equals, so the search runs backwards to keep the first.
    let (pair, count) = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    (count >= MIN_PAIR_COUNT).then(|| (pair.0.to_owned(), pair.1.to_owned()))
}

/// Replaces every occurrence of the pair, from the left.
fn merge(word: &mut Vec<String>, pair: &(String, String), joined: &str) {
    let mut at = 0;
    while at + 1 < word.len() {
        if word[at] == pair.0 && word[at + 1] == pair.1 {
            word[at] = joined.to_owned();
            word.remove(at + 1);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTIONS: [&str; 3] = ["a photo of a red circle.", "a photo of a BLUE  circle.", "a red square"];

    #[test]
    fn the_first_merges_are_the_most_frequent_pairs_in_text_order() {
        let vocabulary = train_bpe(["ab ab ab", "cb cb cb", "xy"], 520).unwrap();
        let merges: Vec<String> =
            vocabulary.merges().iter().map(|(left, right)| format!("{left} {right}")).collect();
        assert_eq!(merges, ["a b</w>", "c b</w>"]);
        assert_eq!(vocabulary.ids()["ab</w>"], 512);
        assert_eq!((vocabulary.bos(), vocabulary.eos()), (514, 515));
    }

    #[test]
    fn the_size_is_kept_and_eos_is_last() {
        let vocabulary = train_bpe(CAPTIONS, 520).unwrap();
        assert_eq!(vocabulary.ids().len(), 520);
        assert_eq!(vocabulary.eos(), 519);
        assert_eq!(vocabulary, train_bpe(CAPTIONS, 520).unwrap());
    }

    #[test]
    fn too_small_a_vocabulary_is_refused() {
        let error = train_bpe(CAPTIONS, 513).unwrap_err().to_string();
        assert!(error.contains("513") && error.contains("514"), "{error}");
    }
}
