//! ImageNet: one folder a class below `images/train` and `images/val`, names from `classnames.txt`.
//!
//! The validation set is the test set and there is no validation list. Labels are positions of the
//! sorted folders; both trees must have the same ones, or one number would mean two classes.

use std::path::Path;

use super::class_name_file::ClassNameFile;
use super::lists::Lists;
use super::tree::{self, Files};
use crate::data::checked::BelowPath;
use crate::data::manifest::Manifest;
use crate::data::{DataError, Split, guide};

/// Lists both trees.
pub(super) fn read(
    manifest: &Manifest,
    root: &Path,
    train_dir: &BelowPath,
    test_dir: &BelowPath,
    class_names_file: &BelowPath,
) -> Result<Lists, DataError> {
    let train_path = guide::require(manifest, root, train_dir, guide::images)?;
    let test_path = guide::require(manifest, root, test_dir, guide::images)?;
    let names_path = guide::require(manifest, root, class_names_file, guide::class_names)?;
    let names = ClassNameFile::read(&names_path, manifest)?;
    let folders = tree::class_folders(&train_path)?;
    tree::same_classes(&train_path, &folders, &test_path, &tree::class_folders(&test_path)?)?;
    let class_names = names.names_of(&folders, &names_path)?;
    let items = |dir: &BelowPath| tree::items(root, &manifest.below_root(dir), &folders, Files::All);
    let split = Split { train: items(train_dir)?, val: Vec::new(), test: items(test_dir)? };
    let mut lists = Lists::new(class_names, split);
    lists.notes.extend(names.differences());
    lists.notes.push(
        "training files are listed in sorted order; published few-shot draws used directory order and \
         cannot be rebuilt"
            .to_owned(),
    );
    Ok(lists)
}
