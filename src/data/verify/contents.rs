//! Reads, hashes and decodes one image, and finds test images whose bytes are training images too.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::lists::listed;
use crate::data::{Dataset, FileSource};
use crate::preprocess::decode;
use crate::util::hex;

/// What reading one file gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// SHA-256 of the file; absent if it could not be read.
    pub sha256: Option<String>,
    /// Why it is no image, if so.
    pub problem: Option<String>,
}

/// Reads and decodes one file.
pub(super) fn examine(source: &FileSource, path: &str) -> Content {
    let bytes = match source.bytes(path) {
        Ok(bytes) => bytes,
        Err(e) => return Content { sha256: None, problem: Some(e.to_string()) },
    };
    let sha256 = Some(hex(&Sha256::digest(&bytes)));
    Content { sha256, problem: decode(&bytes).err().map(|e| e.to_string()) }
}

/// Test items whose file has the bytes of a training or validation item under another path.
/// `contents` goes by item path.
pub(super) fn duplicates(dataset: &Dataset, contents: &BTreeMap<&str, Content>) -> Vec<Fault> {
    let hash_of = |path: &str| contents.get(path).and_then(|content| content.sha256.as_deref());
    let mut train: BTreeMap<&str, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for (list, item) in listed(dataset) {
        let Some(sha256) = hash_of(&item.path) else { continue };
        if list != "test" {
            train.entry(sha256).or_insert(&item.path);
        } else if let Some(train_path) = train.get(sha256).filter(|path| **path != item.path) {
            faults.push(Fault::DuplicateAcrossTrainAndTest {
                train_path: (*train_path).to_owned(),
                test_path: item.path.clone(),
                sha256: sha256.to_owned(),
            });
        }
    }
    faults
}
