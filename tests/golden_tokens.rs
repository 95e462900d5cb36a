//! Token ids equal to transformers' `CLIPTokenizer`, for OpenAI's vocabulary and for one trained here.
//!
//! `golden/clip_tokens.json` names the version that made the ids (by `golden/make_clip_tokens.py`). The trained vocabulary is made again in the
//! test, from the captions in the file: Python read the files that this training had written, so a change of the
//! training shows as other ids.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use rpo_bench::backbone::files::openai_vocabulary::openai_vocabulary;
use rpo_bench::backbone::{BpeVocabulary, ClipTokenizer, TokenizerError, train_bpe};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/clip_tokens.json")).unwrap()
}

fn tokenizer(vocabulary: BpeVocabulary, context_length: usize) -> ClipTokenizer {
    ClipTokenizer::new(vocabulary, context_length, Path::new("golden")).unwrap()
}

/// Texts that transformers cuts up as OpenAI's own code does not: it knows no final sigma, cleans nothing, and looks for
/// special tokens before it makes letters small.
const UNLIKE_OPENAI: [&str; 11] = [
    "<|ENDOFTEXT|>",
    "ΑΣ ΟΔΥΣΣΕΥΣ",
    "“curly” ‘quotes’ — dash…",
    "ﬁne ﬂuﬀ",
    "ＦＵＬＬｗｉｄｔｈ",
    "&amp; &lt;b&gt; &#39;",
    "\0\u{1} ctrl \u{7f}",
    "ǅ ǆ Ǆ",
    "\u{feff}bom",
    "ﬃ",
    "ŉ",
];

fn assert_equal_ids(tokenizer: &ClipTokenizer, cases: &Value) {
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 50);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let expected: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
        match UNLIKE_OPENAI.contains(&text) {
            false => assert_eq!(tokenizer.encode(text).unwrap(), expected, "{text:?}"),
            true => assert_ne!(tokenizer.encode(text).unwrap(), expected, "{text:?}"),
        }
    }
}

#[test]
fn openai_ids_equal_transformers() {
    assert_equal_ids(&tokenizer(openai_vocabulary().unwrap(), 77), &golden()["openai"]);
}

#[test]
fn trained_ids_equal_transformers() {
    let golden = &golden()["trained"];
    let captions: Vec<String> = serde_json::from_value(golden["captions"].clone()).unwrap();
    let size = golden["vocab_size"].as_u64().unwrap() as usize;
    let vocabulary = train_bpe(captions.iter().map(String::as_str), size).unwrap();
    assert_eq!(vocabulary.ids().len() as u64, golden["vocabulary_entries"].as_u64().unwrap());
    assert_equal_ids(&tokenizer(vocabulary, 200), &golden["texts"]);
}

/// `golden/clip_clean.json` is what OpenAI's cleaning makes of each text (by `golden/make_clip_clean.py`).
#[test]
fn texts_are_cleaned_as_openai_cleans_them() {
    let golden: Value = serde_json::from_str(include_str!("golden/clip_clean.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    let mut changed = 0;
    for case in cases {
        let (text, expected) = (case["text"].as_str().unwrap(), case["clean"].as_str().unwrap());
        assert_eq!(ClipTokenizer::clean(text).unwrap(), expected, "{text:?}");
        changed += usize::from(text.to_lowercase() != expected);
    }
    assert!(cases.len() > 80 && changed > 40, "{changed} of {} texts are changed", cases.len());
}

#[test]
fn a_text_beyond_77_tokens_is_an_error_with_its_length() {
    let tokenizer = tokenizer(openai_vocabulary().unwrap(), 77);
    let mut refused = 0;
    for case in golden()["openai_token_counts"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let expected = case["tokens"].as_u64().unwrap() as usize;
        match tokenizer.encode(text) {
            Ok(ids) => assert_eq!((ids.len(), expected <= 77), (expected, true)),
            Err(TokenizerError::TooLong { text: named, tokens, limit }) => {
                assert_eq!((named.as_str(), tokens, limit), (text, expected, 77));
                assert!(tokens > 77);
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(refused, 4);
}

#[test]
fn a_tokenizer_json_alone_gives_the_same_vocabulary() {
    let vocabulary = train_bpe(["a photo of a cat", "a photo of a dog"], 530).unwrap();
    let pairs: Vec<_> = vocabulary.merges().iter().map(|(left, right)| [left, right]).collect();
    let lines: Vec<_> = vocabulary.merges().iter().map(|(left, right)| format!("{left} {right}")).collect();
    for merges in [serde_json::json!(pairs), serde_json::json!(lines)] {
        let folder = tempfile::tempdir().unwrap();
        let json = serde_json::json!({ "version": "1.0", "model": {
            "type": "BPE", "end_of_word_suffix": "</w>", "vocab": vocabulary.ids(), "merges": merges,
        } });
        std::fs::write(folder.path().join("tokenizer.json"), json.to_string()).unwrap();
        assert_eq!(BpeVocabulary::from_folder(folder.path()).unwrap().as_ref(), Some(&vocabulary));
    }
}
