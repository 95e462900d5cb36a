//! One export, from lists and pixels in memory to a folder under a data root.

use std::path::Path;

use super::error::ExportError;
use super::images::{self, Encoding};
use super::list_files::list_files;
use super::naming::lists;
use super::paths::{place_split, tree_dirs};
use crate::data::{ImageSource, Manifest, Split};

/// A dataset without files.
#[derive(Clone, Copy)]
pub struct InMemoryDataset<'a> {
    /// Decides the layout and the folder.
    pub manifest: &'a Manifest,
    /// Class names; the index is the label.
    pub class_names: &'a [String],
    /// The lists.
    pub split: &'a Split,
    /// The pixels of the lists' items.
    pub images: &'a dyn ImageSource,
}

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReport {
    /// The lists as a reader of the export sees them. Layouts of class folders sort them by label
    /// and file name, whatever order they had.
    pub split: Split,
    /// Number of files.
    pub files: usize,
    /// Their length in bytes.
    pub bytes: u64,
}

/// Writes the dataset below `root`, in parallel; the lists come last.
///
/// # Errors
/// [`ExportError`]; a dataset folder that exists is never touched.
pub fn export(
    dataset: InMemoryDataset<'_>,
    root: &Path,
    encoding: Encoding,
) -> Result<ExportReport, ExportError> {
    let InMemoryDataset { manifest, class_names, split, images } = dataset;
    refuse_existing(manifest, root)?;
    let placed = place_split(manifest, class_names, split)?;
    let files = list_files(manifest, class_names, &placed)?;
    let mut report = ExportReport { split: Split::default(), files: files.len(), bytes: 0 };
    for (items, targets) in lists(split).into_iter().zip(lists(&placed)) {
        report.bytes += images::write(images, items, targets, root, encoding)?;
        report.files += items.len();
    }
    for (path, bytes) in files {
        report.bytes += images::write_file(root, &path, &bytes)?;
    }
    report.split = as_read(manifest, placed);
    Ok(report)
}

/// A user's folder is the root itself, any other dataset has a folder under it.
fn refuse_existing(manifest: &Manifest, root: &Path) -> Result<(), ExportError> {
    let folder = root.join(manifest.folder.as_str());
    let is_empty = |dir: &Path| std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !is_empty(&folder) {
        let dataset = manifest.id.to_string();
        return Err(ExportError::Exists { dataset, folder: folder.display().to_string() });
    }
    Ok(())
}

fn as_read(manifest: &Manifest, mut placed: Split) -> Split {
    if tree_dirs(manifest).is_some() {
        for list in [&mut placed.train, &mut placed.val, &mut placed.test] {
            list.sort_by(|a, b| (a.label, &a.path).cmp(&(b.label, &b.path)));
        }
    }
    placed
}
