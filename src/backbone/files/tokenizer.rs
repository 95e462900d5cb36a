//! Text to token ids, as OpenAI's `simple_tokenizer.py` does it.
//!
//! Owns splitting into words and the framing by BOS and EOS; what is done to a text before is in `text_clean`.
//! transformers' `CLIPTokenizer` cleans less: it gives the same ids for texts without HTML entities, curly quotes,
//! ligatures and other characters that ftfy replaces. Vocabularies are trained on words normalised its way (NFC,
//! whitespace runs to one space, lower case). A text that is too
//! long is an error, as in CoOp's code (`clip.tokenize` without `truncate`); transformers would cut it.

use std::path::Path;

use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreSequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, SplitDelimiterBehavior, Tokenizer,
};

use super::bpe_vocabulary::{BOS, BpeVocabulary, EOS, WORD_END};
use super::text_clean::clean;
use super::tokenizer_error::TokenizerError;

/// What one word is: transformers' `CLIPTokenizer`, which follows OpenAI's `simple_tokenizer.py`.
const WORD_PATTERN: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// CLIP's byte-level BPE over one vocabulary.
#[derive(Clone, Debug)]
pub struct ClipTokenizer {
    tokenizer: Tokenizer,
    vocabulary: BpeVocabulary,
    context_length: usize,
}

impl ClipTokenizer {
    /// A tokenizer for a model with `context_length` text positions; `origin` is for messages.
    ///
    /// # Errors
    /// [`TokenizerError::Vocabulary`] where a merge speaks of tokens that the vocabulary does not have.
    pub fn new(
        vocabulary: BpeVocabulary,
        context_length: usize,
        origin: &Path,
    ) -> Result<Self, TokenizerError> {
        let tokenizer = build(&vocabulary).map_err(|error| TokenizerError::Vocabulary {
            path: origin.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(Self { tokenizer, vocabulary, context_length })
    }

    /// A text as it is cut into words: ftfy's fixes, HTML entities un-escaped, single spaces, lower case.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] where the normaliser refuses it.
    pub fn clean(text: &str) -> Result<String, TokenizerError> {
        clean(text).map_err(|error| encode_error(text, &error))
    }

    /// Token ids of a text from BOS to EOS, unpadded: 2 to `context_length` of them.
    ///
    /// # Errors
    /// [`TokenizerError::TooLong`] with the text, its length and the limit.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let clean = clean(text).map_err(|error| encode_error(text, &error))?;
        let encoding = self.tokenizer.encode_fast(clean, true).map_err(|error| encode_error(text, &error))?;
        let ids = encoding.get_ids();
        if ids.len() > self.context_length {
            return Err(TokenizerError::TooLong {
                text: text.to_owned(),
                tokens: ids.len(),
                limit: self.context_length,
            });
        }
        Ok(ids.to_vec())
    }

    /// The vocabulary.
    pub fn vocabulary(&self) -> &BpeVocabulary {
        &self.vocabulary
    }

    /// Most tokens of a text, BOS and EOS included.
    pub fn context_length(&self) -> usize {
        self.context_length
    }
}

/// Cuts texts into the words that BPE is applied to and trained on.
pub struct WordSplitter {
    normalizer: Sequence,
    pre_tokenizer: PreSequence,
}

impl WordSplitter {
    /// Compiles the patterns, which takes a millisecond: make one for many texts.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] where a pattern does not compile.
    pub fn new() -> Result<Self, TokenizerError> {
        let parts = || Ok(Self { normalizer: normalizer()?, pre_tokenizer: pre_tokenizer()? });
        parts().map_err(|error| encode_error(WORD_PATTERN, &error))
    }

    /// The words of a text after normalisation, written in the byte alphabet.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] where the regular expression gives up on the text.
    pub fn split(&self, text: &str) -> Result<Vec<String>, TokenizerError> {
        let words = || -> tokenizers::Result<Vec<String>> {
            let mut normalized = NormalizedString::from(text);
            self.normalizer.normalize(&mut normalized)?;
            let mut pieces = PreTokenizedString::from(normalized);
            self.pre_tokenizer.pre_tokenize(&mut pieces)?;
            let splits = pieces.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
            Ok(splits.into_iter().map(|(word, _, _)| word.to_owned()).collect())
        };
        words().map_err(|error| encode_error(text, &error))
    }
}

fn encode_error(text: &str, error: &tokenizers::Error) -> TokenizerError {
    TokenizerError::Encode { text: text.to_owned(), problem: error.to_string() }
}

fn build(vocabulary: &BpeVocabulary) -> tokenizers::Result<Tokenizer> {
    let ids: tokenizers::models::bpe::Vocab =
        vocabulary.ids().iter().map(|(token, id)| (token.clone(), *id)).collect();
    let model = BPE::builder()
        .vocab_and_merges(ids, vocabulary.merges().to_vec())
        .end_of_word_suffix(WORD_END.to_owned())
        .unk_token(EOS.to_owned())
        .build()?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer()?));
    tokenizer.with_post_processor(Some(
        RobertaProcessing::new((EOS.to_owned(), vocabulary.eos()), (BOS.to_owned(), vocabulary.bos()))
            .trim_offsets(false)
            .add_prefix_space(false),
    ));
    tokenizer.add_special_tokens([AddedToken::from(BOS, true), AddedToken::from(EOS, true)])?;
    Ok(tokenizer)
}

fn normalizer() -> tokenizers::Result<Sequence> {
    let spaces = Replace::new(ReplacePattern::Regex(r"\s+".to_owned()), " ")?;
    Ok(Sequence::new(vec![NFC.into(), spaces.into(), Lowercase.into()]))
}

fn pre_tokenizer() -> tokenizers::Result<PreSequence> {
    let pattern = SplitPattern::Regex(WORD_PATTERN.to_owned());
    let words = Split::new(pattern, SplitDelimiterBehavior::Removed, true)?;
    Ok(PreSequence::new(vec![words.into(), ByteLevel::default().add_prefix_space(false).into()]))
}
