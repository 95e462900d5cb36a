//! Pixels from files under a data root. It decodes by content: a `.jpg` may hold a PNG, and does in
//! three of the published datasets.

use std::path::PathBuf;

use super::Item;
use super::checked::stays_below;
use super::source::{ImageSource, PixelError};
use crate::preprocess::{Rgb8, decode, read_file};

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

impl ImageSource for FileSource {
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
        let bytes = self.bytes(&item.path)?;
        decode(&bytes).map_err(|e| PixelError::Decode { path: item.path.clone(), reason: e.to_string() })
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
}
