//! Writes split files in CoOp's format: four-space indents, `[path, label, class name]` entries.
//!
//! Paths in such a file are relative to the image folder, not to the data root as our items' are.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::{Item, Split};

/// The file as it is serialised; the order of the fields is the order in the file.
#[derive(Serialize)]
struct Lists<'a> {
    train: Vec<ListedImage<'a>>,
    val: Vec<ListedImage<'a>>,
    test: Vec<ListedImage<'a>>,
}

type ListedImage<'a> = (&'a str, u32, &'a str);

/// Why a split cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SplitWriteError {
    /// An item lies outside the folder that paths are relative to.
    #[error("write split file: item {path} does not lie below {base}")]
    Outside {
        /// Item path.
        path: String,
        /// The folder that the file's paths are relative to.
        base: String,
    },
    /// A label has no class name.
    #[error("write split file: item {path} has label {label}, but there are {classes} class names")]
    Label {
        /// Item path.
        path: String,
        /// Its label.
        label: u32,
        /// Number of class names.
        classes: usize,
    },
    /// The file could not be written, or is there already: a split is never overwritten.
    #[error("write split file: {reason}: {file}")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// Serialisation failed.
    #[error("write split file: {reason}")]
    Json {
        /// What the serialiser said.
        reason: String,
    },
}

/// The bytes of a split file whose paths are relative to `base` (`.` keeps them as they are).
///
/// # Errors
/// [`SplitWriteError`].
pub fn split_json_bytes(
    split: &Split,
    class_names: &[String],
    base: &str,
) -> Result<Vec<u8>, SplitWriteError> {
    let lists = Lists {
        train: entries(&split.train, class_names, base)?,
        val: entries(&split.val, class_names, base)?,
        test: entries(&split.test, class_names, base)?,
    };
    let mut bytes = Vec::new();
    let mut writer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    lists.serialize(&mut writer).map_err(|e| SplitWriteError::Json { reason: e.to_string() })?;
    Ok(bytes)
}

/// Writes a new split file.
///
/// # Errors
/// [`SplitWriteError::Write`], also where the file exists: records may refer to it.
pub fn save_split_json(path: &Path, bytes: &[u8]) -> Result<(), SplitWriteError> {
    let failed = |e: std::io::Error| SplitWriteError::Write {
        file: path.display().to_string(),
        reason: e.to_string(),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

fn entries<'a>(
    items: &'a [Item],
    class_names: &'a [String],
    base: &str,
) -> Result<Vec<ListedImage<'a>>, SplitWriteError> {
    items.iter().map(|item| entry(item, class_names, base)).collect()
}

fn entry<'a>(
    item: &'a Item,
    class_names: &'a [String],
    base: &str,
) -> Result<ListedImage<'a>, SplitWriteError> {
    let Item { path, label } = item;
    let outside = || SplitWriteError::Outside { path: path.clone(), base: base.to_owned() };
    let relative = match base {
        "." => path.as_str(),
        _ => path.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')).ok_or_else(outside)?,
    };
    let classes = class_names.len();
    let nameless = || SplitWriteError::Label { path: path.clone(), label: *label, classes };
    let name = class_names.get(*label as usize).ok_or_else(nameless)?;
    Ok((relative, *label, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::split_json::parse_split_json;

    #[test]
    fn what_is_written_reads_back_in_order() {
        let item = |path: &str, label| Item { path: path.into(), label };
        let split = Split {
            train: vec![item("d/images/b/1.jpg", 1), item("d/images/a/1.jpg", 0)],
            val: Vec::new(),
            test: vec![item("d/images/a/2.jpg", 0)],
        };
        let names = ["a".to_owned(), "C/V \"van\"".to_owned()];
        let bytes = split_json_bytes(&split, &names, "d/images").unwrap();
        assert!(
            bytes.starts_with(b"{\n    \"train\": [\n        [\n            \"b/1.jpg\",\n            1,")
        );
        let read = parse_split_json(&bytes, "split.json").unwrap();
        assert_eq!(read.class_names, names);
        assert_eq!(read.split.train[0], item("b/1.jpg", 1));
        assert_eq!(read.split.test, [item("a/2.jpg", 0)]);
    }

    #[test]
    fn foreign_paths_and_labels_are_refused() {
        let split =
            |path: &str, label| Split { test: vec![Item { path: path.into(), label }], ..Split::default() };
        let names = ["a".to_owned()];
        assert!(split_json_bytes(&split("dd/1.jpg", 0), &names, "d").is_err());
        assert!(split_json_bytes(&split("d/1.jpg", 1), &names, "d").is_err());
    }
}
