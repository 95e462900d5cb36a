//! Pixels from files under a data root. It decodes by content: a `.jpg` may hold a PNG, and does in
//! three of the published datasets.

use std::path::PathBuf;

use super::Item;
use super::checked::stays_below;
use super::source::{ImageSource, PixelError};
use crate::preprocess::{Rgb8, decode, read_file};
use crate::util::mistaken::Mistake;

/// Reads an item's file under the data root at each call; nothing is kept.
#[derive(Clone, Debug)]
pub struct FileSource {
    root: PathBuf,
}

impl FileSource {
    /// A source of the files below `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The encoded bytes of an item's file.
    ///
    /// # Errors
    /// [`PixelError::Read`], also for a path that would leave the data root, and for pipes and devices.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, PixelError> {
        let failed = |reason: String| PixelError::Read { path: path.to_owned(), reason };
        if !stays_below(path) {
            return Err(failed("the path leaves the data root".to_owned()));
        }
        read_file(&self.root.join(path)).map_err(|e| failed(e.to_string()))
    }
}

/// Why bytes are no image: what lies there by mistake where that is known, else what the decoder says.
pub(super) fn reason(bytes: &[u8], decoder_says: &str) -> String {
    Mistake::of(bytes).map_or_else(|| decoder_says.to_owned(), |mistake| mistake.to_string())
}

impl ImageSource for FileSource {
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
        let bytes = self.bytes(&item.path)?;
        decode(&bytes).map_err(|error| PixelError::Decode {
            path: item.path.clone(),
            reason: reason(&bytes, &error.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_pipe_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(dir.path().join("a.jpg")).status().unwrap();
        assert!(made.success());
        let source = FileSource::new(dir.path().to_owned());
        let said = source.image(&Item { path: "a.jpg".into(), label: 0 }).unwrap_err().to_string();
        assert!(said.contains("a.jpg") && said.contains("pipe"), "{said}");
    }

    #[test]
    fn paths_that_leave_the_root_are_refused() {
        let source = FileSource::new(std::env::temp_dir());
        for path in ["../secret.jpg", "/etc/passwd", "a/../../b.jpg", ""] {
            let said = source.image(&Item { path: path.into(), label: 0 }).unwrap_err().to_string();
            assert!(said.contains("leaves the data root"), "{said}");
        }
    }

    #[test]
    fn what_lies_in_a_pictures_place_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let source = FileSource::new(folder.path().to_owned());
        let said = |bytes: &[u8]| {
            std::fs::write(folder.path().join("a.jpg"), bytes).unwrap();
            source.image(&Item { path: "a.jpg".into(), label: 0 }).unwrap_err().to_string()
        };
        assert!(said(b"<!DOCTYPE html>").contains("HTML page"));
        assert!(said(b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
        assert!(said(b"").contains("is empty"));
        assert!(!said(b"neither picture nor page").contains("page was saved"));
        std::fs::create_dir(folder.path().join("b.jpg")).unwrap();
        let folder_said = source.image(&Item { path: "b.jpg".into(), label: 0 }).unwrap_err().to_string();
        assert!(folder_said.contains("no regular file"), "{folder_said}");
    }
}
