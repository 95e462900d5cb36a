//! Reads CoOp's fixed split files, `split_zhou_*.json`, plain or gzipped (told by content, not by ending).
//!
//! It owns the file format and its checks; where images lie under a data root is the dataset reader's
//! business, so item paths stay as they stand in the file. The order of the lists is data: few-shot
//! draws depend on it, and OxfordFlowers' lists are not in label order.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use super::split_error::SplitError;
use super::{Item, Split};
use crate::util::mistaken::{Mistake, json_reason, without_bom};

/// Largest accepted file after unpacking; the largest known split file (Food101) has about 10 MB.
const MAX_UNCOMPRESSED_BYTES: usize = 32 << 20;

/// A split file, checked: every list holds well-formed items and labels run from 0 without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitFile {
    /// The three lists in file order, paths as in the file.
    pub split: Split,
    /// Class names as in the file (underscores kept); the index is the label.
    pub class_names: Vec<String>,
    /// SHA-256 of the uncompressed file, 64 lower-case hex digits.
    pub sha256_uncompressed: String,
}

/// The file's outer shape. A duplicate, missing or unknown list is a parse error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    train: Entries,
    val: Entries,
    test: Entries,
}

/// One list's entries up to the first bad one. Each is checked as it is parsed, so that no tree of the whole file is
/// ever in memory: one of arrays in arrays takes thirty times the file's size.
#[derive(Default)]
struct Entries {
    good: Vec<(Item, String)>,
    /// Position, the entry as JSON, what is wrong with it.
    bad: Option<(usize, String, &'static str)>,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneByOne;
        impl<'de> Visitor<'de> for OneByOne {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of [path, label, class name]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut entries = Entries::default();
                while let Some(value) = list.next_element::<Value>()? {
                    match read_entry(&value) {
                        Ok((item, name)) => entries.good.push((item, name.to_owned())),
                        Err(reason) => {
                            let text = value.to_string().chars().take(120).collect();
                            entries.bad = Some((entries.good.len(), text, reason));
                            while list.next_element::<IgnoredAny>()?.is_some() {}
                            break;
                        }
                    }
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_seq(OneByOne)
    }
}

/// Reads and checks one split file.
///
/// # Errors
/// [`SplitError`], naming the file and, for a bad entry, its list, position and value.
pub fn read_split_json(path: &Path) -> Result<SplitFile, SplitError> {
    parse_split_json(&read_unpacked(path)?, &path.display().to_string())
}

/// The bytes of a list file, plain or gzip, up to a limit.
pub(super) fn read_unpacked(path: &Path) -> Result<Vec<u8>, SplitError> {
    let file = path.display().to_string();
    let read_error = |e: std::io::Error| SplitError::Read { file: file.clone(), reason: e.to_string() };
    let mistaken = |mistake| SplitError::Mistaken { file: file.clone(), mistake };
    if let Some(mistake) = Mistake::of_file(path) {
        return Err(mistaken(mistake));
    }
    let packed = std::fs::File::open(path).map_err(read_error)?;
    let bytes = read_limited(packed).map_err(read_error)?;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let unpacked =
            read_limited(MultiGzDecoder::new(bytes.as_slice())).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => SplitError::Read {
                    file: file.clone(),
                    reason: "the gzip file is cut off; copy or download it again".to_owned(),
                },
                _ => read_error(error),
            })?;
        match Mistake::of(&unpacked) {
            Some(mistake) => return Err(mistaken(mistake)),
            None => unpacked,
        }
    } else {
        bytes
    };
    if bytes.len() > MAX_UNCOMPRESSED_BYTES {
        return Err(SplitError::TooLarge { file, limit_bytes: MAX_UNCOMPRESSED_BYTES });
    }
    Ok(bytes)
}

/// Parses an unpacked split file; `file` is its name in errors.
///
/// # Errors
/// As [`read_split_json`], except for reading and unpacking.
pub fn parse_split_json(bytes: &[u8], file: &str) -> Result<SplitFile, SplitError> {
    let lists: Lists = serde_json::from_slice(without_bom(bytes))
        .map_err(|e| SplitError::Json { file: file.to_owned(), reason: json_reason(&e) })?;
    let mut names = BTreeMap::new();
    let split = Split {
        train: read_list(lists.train, "train", file, &mut names)?,
        val: read_list(lists.val, "val", file, &mut names)?,
        test: read_list(lists.test, "test", file, &mut names)?,
    };
    let class_names = contiguous_names(names, file)?;
    let sha256_uncompressed = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    Ok(SplitFile { split, class_names, sha256_uncompressed })
}

/// Everything `source` holds, or one byte more than the limit.
fn read_limited(source: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_UNCOMPRESSED_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_list(
    entries: Entries,
    list: &'static str,
    file: &str,
    names: &mut BTreeMap<u32, String>,
) -> Result<Vec<Item>, SplitError> {
    let mut items = Vec::with_capacity(entries.good.len());
    for (position, (item, name)) in entries.good.into_iter().enumerate() {
        let label = item.label;
        match names.get(&label) {
            Some(earlier) if *earlier != name => {
                let (file, earlier) = (file.to_owned(), earlier.clone());
                return Err(SplitError::NameConflict { file, list, position, label, name, earlier });
            }
            Some(_) => {}
            None => _ = names.insert(label, name),
        }
        items.push(item);
    }
    match entries.bad {
        Some((position, value, reason)) => {
            Err(SplitError::Entry { file: file.to_owned(), list, position, value, reason })
        }
        None => Ok(items),
    }
}

/// One `[path, label, class name]` entry, or what is wrong with it.
fn read_entry(value: &Value) -> Result<(Item, &str), &'static str> {
    let Some([path, label, name]) = value.as_array().map(Vec::as_slice) else {
        return Err("expected [path, label, class name]");
    };
    let path = path.as_str().ok_or("the path must be a string")?;
    let label = label.as_u64().ok_or("the label must be a non-negative integer")?;
    let label = u32::try_from(label).ok().ok_or("the label must be below 2^32")?;
    let name = name.as_str().ok_or("the class name must be a string")?;
    if name.trim().is_empty() {
        return Err("the class name must not be empty");
    }
    if !stays_below_its_folder(path) {
        return Err("the path must be relative, `/`-separated, without empty, `.` or `..` parts");
    }
    Ok((Item { path: path.to_owned(), label }, name))
}

/// True if joining `path` to a folder cannot leave that folder on any platform.
fn stays_below_its_folder(path: &str) -> bool {
    let drive_or_separator = |c| matches!(c, '\\' | ':' | '\0');
    !path.contains(drive_or_separator) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn contiguous_names(names: BTreeMap<u32, String>, file: &str) -> Result<Vec<String>, SplitError> {
    let Some((&largest, _)) = names.last_key_value() else {
        return Err(SplitError::Empty { file: file.to_owned() });
    };
    if let Some((missing, _)) = (0u32..).zip(names.keys()).find(|(expected, label)| expected != *label) {
        return Err(SplitError::LabelGap { file: file.to_owned(), missing, largest });
    }
    Ok(names.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SplitFile, SplitError> {
        parse_split_json(text.as_bytes(), "split.json")
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn lists_names_and_digest_are_read() {
        let file = parse(
            r#"{"train":[["b/1.jpg",1,"b c"],["a/1.jpg",0,"a"]],"val":[],"test":[["b/2.jpg",1,"b c"]]}"#,
        )
        .unwrap();
        assert_eq!(file.class_names, ["a", "b c"]);
        assert_eq!(file.split.train[0], Item { path: "b/1.jpg".into(), label: 1 });
        assert_eq!((file.split.train.len(), file.split.val.len(), file.split.test.len()), (2, 0, 1));
        assert_eq!(
            file.sha256_uncompressed,
            "53b2ea05ec9a5c21afb9203665002de3f70705d3ebb6d05fe734fc0833555da9"
        );
    }

    #[test]
    fn a_bad_entry_is_named_by_list_position_and_value() {
        for (entry, reason) in [
            (r#"["a.jpg",-1,"a"]"#, "non-negative integer"),
            (r#"["a.jpg",4294967296,"a"]"#, "below 2^32"),
            (r#"["a.jpg","0","a"]"#, "non-negative integer"),
            (r#"["a.jpg",0]"#, "expected [path, label, class name]"),
            (r#"["../a.jpg",0,"a"]"#, "must be relative"),
            (r#"["/a.jpg",0,"a"]"#, "must be relative"),
            (r#"["a.jpg",0," "]"#, "must not be empty"),
        ] {
            let text = format!(r#"{{"train":[["x.jpg",0,"a"],{entry}],"val":[],"test":[]}}"#);
            let said = message(&text);
            assert!(said.contains("train[1]") && said.contains(entry) && said.contains(reason), "{said}");
            assert!(said.ends_with("split.json"), "{said}");
        }
    }

    #[test]
    fn labels_need_one_name_and_no_gap() {
        let conflict = message(r#"{"train":[["x",0,"a"]],"val":[["y",0,"b"]],"test":[]}"#);
        assert!(conflict.contains(r#"val[0] names label 0 "b""#), "{conflict}");
        let gap = message(r#"{"train":[["x",0,"a"],["y",4000000000,"b"]],"val":[],"test":[]}"#);
        assert!(gap.contains("run to 4000000000 but label 1"), "{gap}");
        assert!(message(r#"{"train":[],"val":[],"test":[]}"#).contains("no entry"));
    }

    #[test]
    fn missing_unknown_and_duplicate_lists_are_refused() {
        assert!(message(r#"{"train":[],"test":[]}"#).contains("missing field `val`"));
        assert!(message(r#"{"train":[],"val":[],"test":[],"x":[]}"#).contains("unknown field `x`"));
        assert!(message(r#"{"train":[],"val":[],"val":[],"test":[]}"#).contains("duplicate field `val`"));
    }
}
