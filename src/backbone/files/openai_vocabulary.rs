//! OpenAI's CLIP vocabulary, rebuilt from the copy inside the crate `instant-clip-tokenizer` (MIT).
//!
//! Owns the reconstruction, for model folders without tokenizer files. That crate hands out neither its
//! vocabulary file nor its merges, only the text of a token; token 512 + i is the result of merge i, so its two
//! parts are found by applying the earlier merges to its bytes. Many tokens are pieces of a UTF-8 character,
//! which come out of `decode` as U+FFFD: they are completed by byte tokens around them and cut out again.

use std::collections::BTreeMap;
use std::path::Path;

use instant_clip_tokenizer::{Token, Tokenizer};

use super::bpe_vocabulary::{BOS, BpeVocabulary, EOS, WORD_END, byte_alphabet};
use super::tokenizer_error::TokenizerError;

/// Number of entries of OpenAI's vocabulary.
pub const OPENAI_VOCAB_SIZE: usize = 49408;

/// Ids below this are single bytes: 256 within a word, then the same 256 at its end.
const BYTE_TOKENS: u16 = 512;

/// Bytes that complete a character broken at its start: nothing, or the lead byte of a longer one.
const LEADS: [&[u8]; 4] = [&[], &[0xC3], &[0xE1], &[0xF1]];
/// Bytes that complete a character broken at its end; A0 and 90 because E0 and F0 demand them.
const TAILS: [&[u8]; 7] =
    [&[], &[0x80], &[0xA0], &[0x80, 0x80], &[0xA0, 0x80], &[0x80, 0x80, 0x80], &[0x90, 0x80, 0x80]];

/// OpenAI's vocabulary: 49408 tokens, 48894 merges.
///
/// # Errors
/// [`TokenizerError::Vocabulary`] if the bundled vocabulary is not the one expected.
pub fn openai_vocabulary() -> Result<BpeVocabulary, TokenizerError> {
    let origin = Path::new("instant-clip-tokenizer");
    let refuse = |problem| TokenizerError::Vocabulary { path: origin.to_owned(), problem };
    let source = Source::new();
    let mut names = source.byte_token_names();
    let mut merges = Vec::new();
    let mut ranks = BTreeMap::new();
    for id in BYTE_TOKENS..source.tokenizer.start_of_text().to_u16() {
        let (bytes, ends_word) = source.token_bytes(id).ok_or_else(|| refuse(format!("no token {id}")))?;
        let parts = apply_merges(source.byte_tokens(&bytes, ends_word), &ranks);
        let [left, right] = parts[..] else {
            return Err(refuse(format!("token {id} is made of {} parts, not two", parts.len())));
        };
        ranks.insert((left, right), id);
        let (left, right) = (names[usize::from(left)].clone(), names[usize::from(right)].clone());
        names.push(format!("{left}{right}"));
        merges.push((left, right));
    }
    names.extend([BOS.to_owned(), EOS.to_owned()]);
    let ids = names.into_iter().zip(0..).collect();
    BpeVocabulary::new(ids, merges, origin)
}

/// The bundled tokenizer and the ids of its single bytes.
struct Source {
    tokenizer: Tokenizer,
    byte_ids: BTreeMap<u8, u16>,
}

impl Source {
    fn new() -> Self {
        let byte_ids = byte_alphabet().into_iter().map(|(byte, _)| byte).zip(0..).collect();
        Self { tokenizer: Tokenizer::new(), byte_ids }
    }

    fn byte_token_names(&self) -> Vec<String> {
        let characters = byte_alphabet();
        let within = characters.iter().map(|(_, character)| character.to_string());
        let ending = characters.iter().map(|(_, character)| format!("{character}{WORD_END}"));
        within.chain(ending).collect()
    }

    /// Ids of single bytes, the last one marked where it ends a word.
    fn byte_tokens(&self, bytes: &[u8], ends_word: bool) -> Vec<u16> {
        let mut ids: Vec<u16> = bytes.iter().map(|byte| self.byte_ids[byte]).collect();
        if let Some(last) = ids.last_mut().filter(|_| ends_word) {
            *last += BYTE_TOKENS / 2;
        }
        ids
    }

    /// The bytes of a token and whether it ends a word. The completion that leaves the fewest U+FFFD is the
    /// right one; those that are left are the token's own.
    fn token_bytes(&self, id: u16) -> Option<(Vec<u8>, bool)> {
        let attempts = LEADS.iter().flat_map(|lead| TAILS.iter().map(move |tail| (*lead, *tail)));
        let decoded = attempts.filter_map(|(lead, tail)| Some((self.decode(lead, id, tail)?, lead, tail)));
        let broken = |text: &str| text.matches(char::REPLACEMENT_CHARACTER).count();
        // The plain attempt comes first and is whole for nearly all tokens.
        let mut decoded = decoded.peekable();
        let whole = decoded.next_if(|(text, _, _)| broken(text) == 0);
        let (text, lead, tail) = whole.or_else(|| decoded.min_by_key(|(text, _, _)| broken(text)))?;
        let bytes = text.as_bytes().strip_prefix(lead)?.strip_suffix(tail)?;
        // A word holds no space: this one stands for the end mark.
        match bytes.strip_suffix(b" ") {
            Some(word) => Some((word.to_vec(), true)),
            None => Some((bytes.to_vec(), false)),
        }
    }

    fn decode(&self, lead: &[u8], id: u16, tail: &[u8]) -> Option<String> {
        let (lead, tail) = (self.byte_tokens(lead, false), self.byte_tokens(tail, false));
        let ids = lead.into_iter().chain([id]).chain(tail);
        let tokens = ids.map(|id| Token::from_u16(id, &self.tokenizer)).collect::<Option<Vec<_>>>()?;
        Some(self.tokenizer.decode(tokens))
    }
}

/// Byte-pair encoding with the merges so far: the earliest merge first, all its places at once.
fn apply_merges(mut ids: Vec<u16>, ranks: &BTreeMap<(u16, u16), u16>) -> Vec<u16> {
    while let Some((pair, merged)) = ids
        .windows(2)
        .filter_map(|pair| ranks.get_key_value(&(pair[0], pair[1])))
        .min_by_key(|(_, merged)| **merged)
    {
        let mut joined = Vec::with_capacity(ids.len());
        let mut rest = ids.as_slice();
        while let [first, tail @ ..] = rest {
            let is_pair = tail.first().is_some_and(|second| (*first, *second) == *pair);
            joined.push(if is_pair { *merged } else { *first });
            rest = if is_pair { &tail[1..] } else { tail };
        }
        ids = joined;
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures are those of the published vocab.json and merges.txt.
    #[test]
    fn the_rebuilt_vocabulary_has_the_published_size_and_landmarks() {
        let vocabulary = openai_vocabulary().unwrap();
        assert_eq!(vocabulary.ids().len(), OPENAI_VOCAB_SIZE);
        assert_eq!(vocabulary.merges().len(), 48894);
        assert_eq!((vocabulary.bos(), vocabulary.eos()), (49406, 49407));
        for (token, id) in
            [("a</w>", 320), ("photo</w>", 1125), ("of</w>", 539), (".</w>", 269), ("dog</w>", 1929)]
        {
            assert_eq!(vocabulary.ids()[token], id, "{token}");
        }
        assert_eq!(vocabulary.merges()[0], ("i".to_owned(), "n".to_owned()));
    }
}
