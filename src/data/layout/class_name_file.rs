//! CoOp's `classnames.txt`: a wnid, a space, the name, a thousand lines in sorted-wnid order.
//!
//! Files of the same form with other names circulate, and people have published with them. A few known lines
//! refuse look-alikes; every other line is compared with OpenAI's list of names (openai/CLIP, MIT) under ImageNet's
//! sorted wnids, and what differs is told, not refused: CoOp's own file was never hashed at its source.
//! Names repeat (`missile`, `sunglasses`): never key a map by name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use crate::data::DataError;
use crate::data::manifest::{Manifest, NameAnchor};

/// Anchors by line number mean something only in a file of exactly this many lines.
const IMAGENET_CLASSES: usize = 1000;

/// The published list, byte for byte as word_soups has it, which holds all of CoOp's known lines.
const PUBLISHED: &str = include_str!("../../../data-manifests/imagenet_classnames.txt");
/// SHA-256 of the published list (recorded in the datasets' manifests).
const PUBLISHED_SHA256: &str = "89e0b642c6697a3a43a06a2bb65f9fefb3ca295ccc5f4ba9ce385f1a3a58c629";
/// Differing lines that are named one by one.
const SHOWN_LINES: usize = 5;

/// Folders and names of the published list, in its order.
static PUBLISHED_LINES: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| PUBLISHED.lines().filter_map(|line| line.split_once(' ')).collect());

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

    /// Which lines differ from the published list, in one sentence; none where all agree. A line whose folder the
    /// list does not have says nothing, so other people's classes pass.
    pub(super) fn differences(&self) -> Option<String> {
        let by_folder: BTreeMap<&str, &str> = PUBLISHED_LINES.iter().copied().collect();
        let whole = self.len() == PUBLISHED_LINES.len();
        let differs = |(line, (folder, name)): (usize, &(String, String))| {
            let published = *by_folder.get(folder.as_str())?;
            let moved = whole && PUBLISHED_LINES.get(line).is_some_and(|(expected, _)| expected != folder);
            let place = || format!("line {} ({folder})", line + 1);
            match (published == name, moved) {
                (false, _) => Some(format!("{} is {name:?}, published {published:?}", place())),
                (true, true) => Some(format!("{} stands elsewhere in the published file", place())),
                (true, false) => None,
            }
        };
        let lines: Vec<String> = self.entries.iter().enumerate().filter_map(differs).collect();
        let more = lines.len().saturating_sub(SHOWN_LINES);
        let and_more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let shown = lines.get(..lines.len().min(SHOWN_LINES)).unwrap_or_default().join("; ");
        (!lines.is_empty()).then(|| {
            format!(
                "{} lines of the class name file differ from the published one (sha256 {PUBLISHED_SHA256}), so numbers \
                 will too: {shown}{and_more}",
                lines.len()
            )
        })
    }

    fn check_anchor(&self, anchor: &NameAnchor, path: &Path, manifest: &Manifest) -> Result<(), DataError> {
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

    fn parse(text: &str) -> ClassNameFile {
        ClassNameFile::parse(text, Path::new("c")).unwrap()
    }

    #[test]
    fn the_list_is_the_published_one() {
        use sha2::{Digest, Sha256};
        assert_eq!(crate::util::hex(&Sha256::digest(PUBLISHED)), PUBLISHED_SHA256);
        assert_eq!(parse(PUBLISHED).differences(), None);
        assert_eq!(parse("my_cat cat\nmy_dog dog\n").differences(), None);
    }

    #[test]
    fn two_swapped_names_and_a_swapped_line_are_told() {
        let mut lines: Vec<String> = PUBLISHED.lines().map(str::to_owned).collect();
        lines[10] = "n01530575 junco".to_owned();
        lines[13] = "n01534433 brambling".to_owned();
        let said = parse(&lines.join("\n")).differences().unwrap();
        for part in
            ["2 lines", "line 11 (n01530575) is \"junco\", published \"brambling\"", "line 14", "89e0b642"]
        {
            assert!(said.contains(part), "{said} lacks {part}");
        }
        let mut lines: Vec<&str> = PUBLISHED.lines().collect();
        lines.swap(3, 4);
        let said = parse(&lines.join("\n")).differences().unwrap();
        assert!(said.contains("line 4 (n01494475) stands elsewhere"), "{said}");
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
