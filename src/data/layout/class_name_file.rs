//! CoOp's `classnames.txt`: a wnid, a space, the name, a thousand lines in sorted-wnid order.
//!
//! Files of the same form with other names circulate, and people have published with them; a few
//! known lines tell them apart. Names repeat (`missile`, `sunglasses`): never key a map by name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data::DataError;
use crate::data::manifest::{Anchor, Manifest};

/// Anchors by line number mean something only in a file of exactly this many lines.
const IMAGENET_CLASSES: usize = 1000;

/// A parsed class name file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassNameFile {
    entries: Vec<(String, String)>,
    by_folder: BTreeMap<String, usize>,
}

impl ClassNameFile {
    /// Parses `FOLDER NAME` lines; `path` is the file's name in errors.
    ///
    /// # Errors
    /// [`DataError::Line`] for a line without a name or a folder that occurred before.
    pub fn parse(text: &str, path: &Path) -> Result<Self, DataError> {
        let mut entries = Vec::new();
        let mut by_folder = BTreeMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let Some((folder, name)) = line.trim().split_once(' ') else {
                return Err(DataError::line(path, index, line, "expected `FOLDER CLASS NAME`"));
            };
            if by_folder.insert(folder.to_owned(), entries.len()).is_some() {
                return Err(DataError::line(path, index, line, "the folder occurred before"));
            }
            entries.push((folder.to_owned(), name.trim().to_owned()));
        }
        if entries.is_empty() {
            return Err(DataError::line(path, 0, "", "expected `FOLDER CLASS NAME`"));
        }
        Ok(Self { entries, by_folder })
    }

    /// Reads a file and compares the manifest's known lines with it.
    pub(super) fn read(path: &Path, manifest: &Manifest) -> Result<Self, DataError> {
        let text = DataError::read_text(path)?;
        let file = Self::parse(&text, path)?;
        let anchors = manifest.class_names.iter().flat_map(|names| &names.anchors);
        for anchor in anchors {
            file.check_anchor(anchor, path, manifest)?;
        }
        Ok(file)
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never true of a parsed file.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The name at a line, counted from 0.
    pub fn name_at(&self, line: usize) -> Option<&str> {
        self.entries.get(line).map(|(_, name)| name.as_str())
    }

    /// The name of a class folder.
    pub fn name_of(&self, folder: &str) -> Option<&str> {
        self.by_folder.get(folder).and_then(|line| self.name_at(*line))
    }

    /// The names of class folders, in their order.
    pub(super) fn names_of(&self, folders: &[String], path: &Path) -> Result<Vec<String>, DataError> {
        let name = |folder: &String| {
            let reason = || DataError::folder(path, format!("it has no line for class folder {folder:?}"));
            self.name_of(folder).map(str::to_owned).ok_or_else(reason)
        };
        folders.iter().map(name).collect()
    }

    fn check_anchor(&self, anchor: &Anchor, path: &Path, manifest: &Manifest) -> Result<(), DataError> {
        let (place, found) = match (&anchor.folder, anchor.line) {
            (Some(folder), _) => (folder.clone(), self.name_of(folder)),
            (None, Some(line)) if self.len() == IMAGENET_CLASSES => {
                (format!("line {}", line + 1), self.name_at(line))
            }
            _ => return Ok(()),
        };
        match found {
            Some(found) if found != anchor.name => Err(DataError::ClassNames {
                file: path.display().to_string(),
                place,
                found: found.to_owned(),
                expected: anchor.name.clone(),
                url: crate::data::guide::class_names_url(manifest),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_spaces_and_may_repeat() {
        let file =
            ClassNameFile::parse("n01 kite (bird of prey)\nn02 missile\nn03 missile\n", Path::new("c"));
        let file = file.unwrap();
        assert_eq!(file.name_of("n01"), Some("kite (bird of prey)"));
        assert_eq!((file.name_at(2), file.len()), (Some("missile"), 3));
    }

    #[test]
    fn a_line_without_name_and_a_repeated_folder_are_named() {
        for (text, part) in
            [("n01 a\nn02\n", "line 2"), ("n01 a\nn01 b\n", "occurred before"), ("\n", "expected")]
        {
            let said = ClassNameFile::parse(text, Path::new("c")).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
    }
}
