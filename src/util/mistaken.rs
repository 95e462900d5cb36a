//! What people have by mistake in place of a file, recognised once for every reader.
//!
//! Owns the signs and the words of the cure; readers put the file's name in front. A UTF-8 byte order mark is
//! no mistake: its meaning is certain, so [`without_bom`] reads past it. UTF-16 is refused, because half of its
//! forms cannot be told from binary data.

use std::io::Read;
use std::path::Path;

/// Bytes that are enough to tell.
pub const HEAD_BYTES: usize = 1024;

/// Something else that lies where a file should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// No bytes at all, or nothing but white space.
    Empty,
    /// A web page: the answer of a log-in, a virus-scan warning or a "not found".
    HtmlPage,
    /// The three lines git leaves where the large file was not fetched.
    LfsPointer,
    /// Text in two bytes a character.
    Utf16,
    /// Nothing but zero bytes: space was set aside and never written.
    Zeros,
    /// A folder, a pipe or a device.
    NotAFile,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty; copy or download it again",
            Self::HtmlPage => {
                "it is an HTML page: a download page was saved in its place; open the address in a browser and \
                 save the file itself"
            }
            Self::LfsPointer => {
                "it is a git-lfs pointer, not the file itself; run `git lfs pull` in its folder"
            }
            Self::Utf16 => "it is UTF-16 text; save it as UTF-8",
            Self::Zeros => {
                "it begins with nothing but zero bytes, as an unfinished download does; copy or download it again"
            }
            Self::NotAFile => "it is no regular file",
        })
    }
}

impl Mistake {
    /// What the first [`HEAD_BYTES`] of a file (or all, where it is shorter) show it to be, if anything.
    pub fn of(head: &[u8]) -> Option<Self> {
        let head = &head[..head.len().min(HEAD_BYTES)];
        let text = without_bom(head).trim_ascii_start();
        // White space that fills the whole head says nothing about what follows.
        if text.is_empty() && head.len() < HEAD_BYTES {
            return Some(Self::Empty);
        }
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || is_two_byte_ascii(head) {
            return Some(Self::Utf16);
        }
        if text.starts_with(b"version https://git-lfs.github.com/spec/") {
            return Some(Self::LfsPointer);
        }
        let opens =
            |tag: &str| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
        if ["<!doctype html", "<html", "<head", "<body", "<!-- saved from url"].into_iter().any(opens) {
            return Some(Self::HtmlPage);
        }
        (head.len() >= 16 && head.iter().all(|byte| *byte == 0)).then_some(Self::Zeros)
    }

    /// As [`Mistake::of`] for a file on disk, of which only the head is read. A file that cannot be read shows
    /// nothing: whoever opens it next says why.
    pub fn of_file(path: &Path) -> Option<Self> {
        // A pipe would block and a device never end, so nothing but files is opened.
        if !std::fs::metadata(path).ok()?.is_file() {
            return Some(Self::NotAFile);
        }
        let mut head = Vec::new();
        std::fs::File::open(path).ok()?.take(HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
        Self::of(&head)
    }
}

/// ASCII in two bytes a character, without a mark: every second byte is zero and no other is.
fn is_two_byte_ascii(head: &[u8]) -> bool {
    let (pairs, _) = head.as_chunks::<2>();
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    pairs.len() >= 8
        && (pairs.iter().all(|[low, high]| is_text(*low) && *high == 0)
            || pairs.iter().all(|[high, low]| is_text(*low) && *high == 0))
}

/// The bytes behind a UTF-8 byte order mark, or all of them where there is none.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Why a text file could not be read; the reader names the file.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something else lies there.
    #[error("{0}")]
    Mistaken(Mistake),
    /// It is larger than its kind ever is.
    #[error("it has {bytes} bytes, but at most {limit} are read of such a file")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Some byte is not UTF-8.
    #[error("byte {at} is not UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// Position of the first bad byte.
        at: usize,
    },
}

/// The text of a file of at most `limit` bytes, without its byte order mark.
///
/// # Errors
/// [`TextError`].
pub fn read_text(path: &Path, limit: u64) -> Result<String, TextError> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(TextError::Mistaken(Mistake::NotAFile));
    }
    if metadata.len() > limit {
        return Err(TextError::TooLarge { bytes: metadata.len(), limit });
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if let Some(mistake) = Mistake::of(&bytes) {
        return Err(TextError::Mistaken(mistake));
    }
    let text = std::str::from_utf8(without_bom(&bytes));
    text.map(str::to_owned).map_err(|error| TextError::NotUtf8 { at: error.valid_up_to() })
}

/// What a JSON reader says, with the cure where the text just ends: such a file was cut off.
pub fn json_reason(error: &serde_json::Error) -> String {
    match error.is_eof() {
        true => format!("{error}: it is cut off; copy or download it again"),
        false => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_have_by_mistake_is_recognised() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        for (head, mistake) in [
            (b"".to_vec(), Mistake::Empty),
            (b"\xef\xbb\xbf \n".to_vec(), Mistake::Empty),
            (b"\n <!DOCTYPE HTML><title>Log in".to_vec(), Mistake::HtmlPage),
            (b"<html lang=en>".to_vec(), Mistake::HtmlPage),
            (b"\xef\xbb\xbf<HTML>".to_vec(), Mistake::HtmlPage),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0".to_vec(), Mistake::LfsPointer),
            (b"\xff\xfe{\0".to_vec(), Mistake::Utf16),
            (b"\xfe\xff\0{".to_vec(), Mistake::Utf16),
            (wide("{\"train\": []}"), Mistake::Utf16),
            (vec![0; 64], Mistake::Zeros),
        ] {
            assert_eq!(Mistake::of(&head), Some(mistake), "{head:?}");
        }
    }

    #[test]
    fn sound_files_are_no_mistake() {
        let length = [&300u64.to_le_bytes()[..], b"{\"a\":{}}"].concat();
        let heads: [&[u8]; 8] = [
            b"{\"train\": []}",
            b"\xef\xbb\xbf{}",
            b"n01440764 tench\n",
            b"PK\x03\x04",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0",
            &length,
            b"version 2",
        ];
        for head in heads {
            assert_eq!(Mistake::of(head), None, "{head:?}");
        }
    }

    #[test]
    fn text_is_read_past_its_mark_and_within_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.txt");
        let read = |bytes: &[u8], limit| {
            std::fs::write(&path, bytes).unwrap();
            read_text(&path, limit).map_err(|error| error.to_string())
        };
        assert_eq!(read(b"\xef\xbb\xbftench", 100).unwrap(), "tench");
        assert!(read(b"tench", 4).unwrap_err().contains("at most 4"));
        assert!(read(b"t\xe9nch", 100).unwrap_err().contains("byte 1 is not UTF-8"));
        assert!(read(b"<html>", 100).unwrap_err().contains("HTML page"));
        assert!(read_text(folder.path(), 100).unwrap_err().to_string().contains("no regular file"));
    }
}
