//! Ways to damage bytes and text, each drawn from a stream.

use rpo_bench::util::rng::Stream;

/// Numbers that parsers and allocators dislike.
const BAD_WORDS: [u64; 8] =
    [0, 1, 0x7f, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff];

/// What may stand where a number or a word stood.
const BAD_TEXT: [&str; 24] = [
    "0",
    "-1",
    "1e308",
    "1e999",
    "-0.0",
    "NaN",
    "inf",
    "4294967296",
    "18446744073709551616",
    "null",
    "true",
    "\"\"",
    "''",
    "[]",
    "{}",
    "[[[",
    "}}",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "../../x",
    "/etc/passwd",
    "\u{1F600}",
    "\t",
    "#",
];

fn place(stream: &mut Stream, length: usize) -> usize {
    stream.below(length.max(1) as u64) as usize
}

/// Damages binary content in one to four places.
pub fn bytes(content: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut out = content.to_vec();
    for _ in 0..=stream.below(4) {
        // Headers decide most: every second damage falls into the first 128 bytes.
        let reach = if stream.chance(0.5) { out.len().min(128) } else { out.len() };
        let at = place(stream, reach).min(out.len());
        match stream.below(7) {
            0 if at < out.len() => out[at] ^= 1 << stream.below(8),
            1 if at < out.len() => out[at] = stream.bits() as u8,
            2 => out.truncate(at),
            3 => {
                let length = place(stream, out.len() - at).min(64);
                out.drain(at..at + length);
            }
            4 => {
                let length = place(stream, out.len() - at).min(256);
                let piece = out[at..at + length].to_vec();
                out.splice(at..at, piece);
            }
            5 => {
                let word = BAD_WORDS[stream.below(8) as usize];
                let width = [1, 2, 4, 8][stream.below(4) as usize];
                let word = if stream.chance(0.5) { word.to_le_bytes() } else { word.to_be_bytes() };
                for (slot, byte) in out.iter_mut().skip(at).take(width).zip(word) {
                    *slot = byte;
                }
            }
            _ => {
                let noise: Vec<u8> = (0..stream.below(16)).map(|_| stream.bits() as u8).collect();
                out.splice(at..at, noise);
            }
        }
    }
    out
}

/// Damages text in one to four places: values, lines, nesting, or as bytes.
pub fn text(content: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut out = String::from_utf8_lossy(content).into_owned();
    for _ in 0..=stream.below(4) {
        match stream.below(6) {
            0 | 1 => out = replace_word(&out, BAD_TEXT[stream.below(24) as usize], stream),
            2 => out = change_lines(&out, stream),
            3 => {
                let deep = ["[", "{\"a\":", "a=["][stream.below(3) as usize]
                    .repeat(1 + stream.below(3_000) as usize);
                out = replace_word(&out, &deep, stream);
            }
            4 => {
                let long = "x".repeat(stream.below(100_000) as usize);
                out = replace_word(&out, &long, stream);
            }
            _ => out = String::from_utf8_lossy(&bytes(out.as_bytes(), stream)).into_owned(),
        }
    }
    out.into_bytes()
}

/// Puts `with` in the place of one run of letters and digits.
fn replace_word(text: &str, with: &str, stream: &mut Stream) -> String {
    let is_word = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|(at, c)| is_word(*c) && !text[..*at].chars().next_back().is_some_and(is_word))
        .map(|(at, _)| at)
        .collect();
    let Some(&start) = starts.get(place(stream, starts.len())) else { return with.to_owned() };
    let end = text[start..].find(|c: char| !is_word(c)).map_or(text.len(), |length| start + length);
    format!("{}{with}{}", &text[..start], &text[end..])
}

/// Drops, repeats or swaps lines.
fn change_lines(text: &str, stream: &mut Stream) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return String::new();
    }
    let (a, b) = (place(stream, lines.len()), place(stream, lines.len()));
    match stream.below(3) {
        0 => drop(lines.remove(a)),
        1 => lines.insert(b, lines[a]),
        _ => lines.swap(a, b),
    }
    lines.join("\n")
}
