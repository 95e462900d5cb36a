//! What OpenAI's `simple_tokenizer.py` does to a text before it is cut into words: `ftfy.fix_text`, twice
//! `html.unescape`, white space to single spaces, lower case.
//!
//! Owns ftfy's fixes with its default settings (checked against 6.3.1), all but one: mojibake (text decoded in the wrong
//! encoding, as `â€™` for `’`) is not repaired, because ftfy judges by a long list of how likely letters are side by
//! side. `src/protocol.rs` says so among the deviations.

use tokenizers::normalizers::{NFC, NFKC};
use tokenizers::{NormalizedString, Normalizer};

use super::html_unescape;

/// Latin ligatures and digraphs that ftfy takes apart.
const LIGATURES: [(char, &str); 22] = [
    ('Ĳ', "IJ"),
    ('ĳ', "ij"),
    ('ŉ', "ʼn"),
    ('Ǳ', "DZ"),
    ('ǲ', "Dz"),
    ('ǳ', "dz"),
    ('Ǆ', "DŽ"),
    ('ǅ', "Dž"),
    ('ǆ', "dž"),
    ('Ǉ', "LJ"),
    ('ǈ', "Lj"),
    ('ǉ', "lj"),
    ('Ǌ', "NJ"),
    ('ǋ', "Nj"),
    ('ǌ', "nj"),
    ('ﬀ', "ff"),
    ('ﬁ', "fi"),
    ('ﬂ', "fl"),
    ('ﬃ', "ffi"),
    ('ﬄ', "ffl"),
    ('ﬅ', "ſt"),
    ('ﬆ', "st"),
];
/// Rounds of ftfy's fixes; real texts settle in two, and each round only shortens what is escaped.
const MAX_ROUNDS: usize = 100;

/// The text as OpenAI's tokenizer cuts it into words.
///
/// # Errors
/// Whatever the normaliser reports.
pub(super) fn clean(text: &str) -> tokenizers::Result<String> {
    let fixed = ftfy(text)?;
    let unescaped = html_unescape::python(&html_unescape::python(&fixed));
    Ok(unescaped.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
}

/// `ftfy.fix_text`: each line by itself. From the first line with a `<` on nothing is un-escaped: it may be HTML.
fn ftfy(text: &str) -> tokenizers::Result<String> {
    let mut out = String::new();
    let mut unescape = true;
    for line in text.split_inclusive('\n') {
        unescape = unescape && !line.contains('<');
        out.push_str(&fix_line(line, unescape)?);
    }
    Ok(out)
}

fn fix_line(line: &str, unescape: bool) -> tokenizers::Result<String> {
    let mut text = line.to_owned();
    for _ in 0..MAX_ROUNDS {
        let before = text.clone();
        if unescape {
            text = html_unescape::ftfy(&text);
        }
        text = characters(&text)?;
        text = line_breaks(&text);
        text = without_terminal_escapes(&text);
        text.retain(|letter| !is_control(letter));
        text = normalised(&NFC, &text)?;
        if text == before {
            break;
        }
    }
    Ok(text)
}

fn normalised(form: &impl Normalizer, text: &str) -> tokenizers::Result<String> {
    let mut normalised = NormalizedString::from(text);
    form.normalize(&mut normalised)?;
    Ok(normalised.get().to_owned())
}

/// C1 controls as Windows-1252, ligatures apart, full and half width to plain, curly quotes straight.
fn characters(text: &str) -> tokenizers::Result<String> {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().map(html_unescape::windows_1252) {
        match LIGATURES.iter().find(|(ligature, _)| *ligature == letter) {
            Some((_, letters)) => out.push_str(letters),
            None => match letter {
                '\u{3000}' => out.push(' '),
                '\u{ff01}'..='\u{ffef}' => out.push_str(&normalised(&NFKC, letter.encode_utf8(&mut [0; 4]))?),
                _ => out.push(letter),
            },
        }
    }
    let straight = |letter: char| match letter {
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        _ => letter,
    };
    Ok(out.chars().map(straight).collect())
}

fn line_breaks(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n")
}

/// Without ESC, `[`, digits and semicolons, a letter.
fn without_terminal_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let behind = rest[at + 2..].trim_start_matches(|c: char| c.is_numeric() || c == ';');
        match behind.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => {
                out.push_str(&rest[..at]);
                rest = &behind[1..];
            }
            false => {
                out.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Control characters that ftfy takes out; tabs, line and page feeds stay.
fn is_control(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\x08' | '\x0b' | '\x0e'..='\x1f' | '\x7f' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}'
    )
}
