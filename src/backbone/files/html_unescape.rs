//! HTML character references to characters, as Python's `html.unescape` (3.11) and ftfy's `unescape_html` do.
//!
//! Owns the two algorithms; the table of 2 231 names is the crate `entities`'. They differ: Python also takes names
//! without a semicolon and the longest name that is a prefix (`&notit` is `¬it`), ftfy only whole names, and those in
//! capitals too (`&EACUTE;`).

use std::collections::HashMap;
use std::sync::LazyLock;

/// Names without `&`, most with their `;`, and what they stand for.
static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let name = |entity: &entities::Entity| (entity.entity.trim_start_matches('&'), entity.characters);
    entities::ENTITIES.iter().map(name).collect()
});

/// What Windows-1252 has at 0x80 to 0x9f; at the five places it leaves free, the control character itself.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Longest name that Python looks at.
const MAX_NAME_CHARS: usize = 32;
/// Longest reference that ftfy looks at, between `&` and `;`.
const MAX_REFERENCE_CHARS: usize = 24;

/// The Windows-1252 character of a C1 control character; others stay.
pub(super) fn windows_1252(letter: char) -> char {
    let at = (letter as usize).wrapping_sub(0x80);
    WINDOWS_1252.get(at).copied().unwrap_or(letter)
}

/// Python's `html.unescape`.
pub(super) fn python(text: &str) -> String {
    replace(text, |behind| python_number(behind).or_else(|| python_name(behind)))
}

/// ftfy's `unescape_html`.
pub(super) fn ftfy(text: &str) -> String {
    replace(text, |behind| {
        let end = behind.find(';').filter(|end| *end <= 1 + MAX_REFERENCE_CHARS)?;
        let name = &behind[..=end];
        let word = name.strip_prefix('#').unwrap_or(name).trim_end_matches(';');
        let is_word = (1..=MAX_REFERENCE_CHARS).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_word {
            return None;
        }
        if let Some(characters) = NAMES.get(name) {
            return Some(((*characters).to_owned(), name.len()));
        }
        match name.starts_with('#') {
            true => python_number(name).filter(|(_, used)| *used == name.len()),
            false => capitals(name).map(|characters| (characters, name.len())),
        }
    })
}

/// Replaces each reference; `read` is given what stands behind a `&` and says what it means and how many bytes of it
/// are used up.
fn replace(text: &str, read: impl Fn(&str) -> Option<(String, usize)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        match read(behind) {
            Some((characters, used)) => {
                out.push_str(&characters);
                rest = &behind[used..];
            }
            None => {
                out.push('&');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `#123;` or `#x7b;`, the semicolon optional.
fn python_number(behind: &str) -> Option<(String, usize)> {
    let digits = behind.strip_prefix('#')?;
    let (digits, radix, prefix) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 2),
        None => (digits, 10, 1),
    };
    let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    if count == 0 {
        return None;
    }
    // A number of any length; beyond 32 bits it is beyond Unicode too.
    let number = u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX);
    let used = prefix + count + usize::from(digits[count..].starts_with(';'));
    Some((character(number), used))
}

/// The character of a number: HTML's repairs, then Python's list of code points that vanish.
fn character(number: u32) -> String {
    match number {
        0 => "\u{fffd}".to_owned(),
        0x0d => "\r".to_owned(),
        0x80..=0x9f => WINDOWS_1252[(number - 0x80) as usize].to_string(),
        0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => String::new(),
        _ if number <= 0x10_ffff && number & 0xfffe == 0xfffe => String::new(),
        _ => char::from_u32(number).unwrap_or('\u{fffd}').to_string(),
    }
}

/// A whole name, or the longest prefix of two letters or more that is one.
fn python_name(behind: &str) -> Option<(String, usize)> {
    let stops = |letter: char| matches!(letter, '\t' | '\n' | '\x0c' | ' ' | '<' | '&' | '#' | ';');
    let mut end = behind
        .char_indices()
        .take(MAX_NAME_CHARS)
        .take_while(|(_, letter)| !stops(*letter))
        .fold(0, |_, (at, letter)| at + letter.len_utf8());
    if end == 0 {
        return None;
    }
    if behind[end..].starts_with(';') {
        end += 1;
    }
    let prefixes = behind[..end].char_indices().map(|(at, _)| at).skip(2).chain([end]);
    let ends: Vec<usize> = prefixes.collect();
    let found = ends.into_iter().rev().find_map(|end| Some((NAMES.get(&behind[..end])?, end)));
    found.map(|(characters, used)| ((*characters).to_owned(), used))
}

/// The meaning of an all-capitals name whose small letters are a name: the capitals of what that stands for. None
/// where HTML itself reads something into the capitals.
fn capitals(name: &str) -> Option<String> {
    let small = name.to_ascii_lowercase();
    let is_capital = name.to_ascii_uppercase() == name && python_name(name).is_none();
    NAMES.get(small.as_str()).filter(|_| is_capital).map(|characters| characters.to_uppercase())
}
