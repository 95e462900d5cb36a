//! The zip archive `torch.save` writes: one pickle that describes tensors, one entry per storage.
//!
//! Owns finding the state dictionary and reading its tensors; the pickle itself is read by `machine`. Sizes are
//! checked against the file before memory is asked for, and entries are read in place, never unpacked to disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::described::Described;
use super::layout::{Layout, noted, state_dict_tensors};
use super::machine::unpickle;
use super::script::module_tensors;
use crate::backbone::files::load_error::{LoadError, refuse_mistaken};

/// A state dictionary of a thousand tensors takes about 200 KiB.
pub(super) const MAX_PICKLE_BYTES: u64 = 4 << 20;

/// An open torch file and the tensors of its state dictionary.
pub struct TorchArchive {
    path: PathBuf,
    file_bytes: u64,
    zip: ZipArchive<BufReader<File>>,
    folder: String,
    tensors: BTreeMap<String, Layout>,
    metadata: BTreeMap<String, String>,
}

impl TorchArchive {
    /// Opens the archive and reads its pickle. The tensors are those of the dictionary under `state_dict` if there
    /// is one (training checkpoints), else of the top dictionary (plain weights), and in a TorchScript archive those
    /// of the module tree, named by their path; other values are ignored. No code of the archive is read.
    ///
    /// # Errors
    /// [`LoadError::NotATorchZip`], [`LoadError::Mistaken`], [`LoadError::Zip`],
    /// [`LoadError::Pickle`], or [`LoadError::Tensor`] where a tensor's description makes no sense.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        check_magic(path)?;
        let file = File::open(path).map_err(LoadError::io("open", path))?;
        let file_bytes = file.metadata().map_err(LoadError::io("open", path))?.len();
        // Torch writes from the first byte on. Searching for another start, as the crate does otherwise, goes wrong
        // where the first directory entry is as long as the zip64 records in front of the directory's end.
        let from_start = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(from_start, BufReader::new(file)).map_err(zip_error(path))?;
        let (folder, is_script) = pickle_folder(&zip, path)?;
        let (tensors, metadata) = (BTreeMap::new(), BTreeMap::new());
        let mut archive = Self { path: path.to_owned(), file_bytes, zip, folder, tensors, metadata };

        let pickle_entry = format!("{}data.pkl", archive.folder);
        let bytes = archive.read_entry(&pickle_entry, 0, None)?;
        let pickle =
            unpickle(&bytes).map_err(|source| LoadError::Pickle { path: path.to_owned(), source })?;
        archive.tensors =
            if is_script { module_tensors(&pickle, path)? } else { state_dict_tensors(&pickle, path)? };
        archive.metadata = noted(&pickle, path)?;
        Ok(archive)
    }

    /// What a checkpoint that this program wrote says about itself; empty for others.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Bytes `start` to `start + count` of an entry, or all of the pickle.
    fn read_entry(&mut self, name: &str, start: u64, count: Option<u64>) -> Result<Vec<u8>, LoadError> {
        let path = self.path.clone();
        let refuse = |problem: String| LoadError::tensor(&path, name, problem);
        let mut entry = self.zip.by_name(name).map_err(zip_error(&path))?;
        if entry.compression() != CompressionMethod::Stored {
            return Err(refuse(format!(
                "compressed ({}); torch.save stores it plainly",
                entry.compression()
            )));
        }
        let size = entry.size();
        let count = count.unwrap_or(size);
        if size > self.file_bytes || start.checked_add(count).is_none_or(|end| end > size) {
            return Err(refuse(format!("{count} bytes from {start} are wanted, the entry has {size}")));
        }
        if name.ends_with("data.pkl") && count > MAX_PICKLE_BYTES {
            return Err(LoadError::TooLarge { path, bytes: count, limit: MAX_PICKLE_BYTES });
        }
        let mut bytes = vec![0; count as usize];
        std::io::copy(&mut entry.by_ref().take(start), &mut std::io::sink())
            .and_then(|_| entry.read_exact(&mut bytes))
            .map_err(LoadError::io("read", &path))?;
        Ok(bytes)
    }
}

impl Described for TorchArchive {
    fn file(&self) -> &Path {
        &self.path
    }

    fn layouts(&self) -> &BTreeMap<String, Layout> {
        &self.tensors
    }

    fn bytes(&mut self, layout: &Layout, _: &str, start: u64, count: u64) -> Result<Vec<u8>, LoadError> {
        let entry = format!("{}data/{}", self.folder, layout.storage_key);
        self.read_entry(&entry, start, Some(count))
    }
}

fn zip_error(path: &Path) -> impl FnOnce(zip::result::ZipError) -> LoadError {
    move |source| LoadError::Zip { path: path.to_owned(), source }
}

/// Tells a zip archive from what people have by mistake and from torch's older format.
fn check_magic(path: &Path) -> Result<(), LoadError> {
    refuse_mistaken(path)?;
    let mut magic = Vec::new();
    let file = File::open(path).map_err(LoadError::io("open", path))?;
    file.take(2).read_to_end(&mut magic).map_err(LoadError::io("read", path))?;
    match magic.as_slice() {
        [b'P', b'K', ..] => Ok(()),
        _ => Err(LoadError::NotATorchZip { path: path.to_owned() }),
    }
}

/// The folder inside the archive that holds `data.pkl`, with its slash, and whether the archive is TorchScript.
/// The folder is called after the file as it was written, whatever the file is called now.
fn pickle_folder(zip: &ZipArchive<BufReader<File>>, path: &Path) -> Result<(String, bool), LoadError> {
    let names = zip
        .file_names()
        .map(|name| name.map(|name| name.into_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(zip_error(path))?;
    let is_script = names.iter().any(|name| name.ends_with("constants.pkl"));
    names
        .iter()
        .find_map(|name| {
            name.strip_suffix("data.pkl").filter(|folder| folder.is_empty() || folder.ends_with('/'))
        })
        .map(|folder| (folder.to_owned(), is_script))
        .ok_or_else(|| LoadError::NotATorchZip { path: path.to_owned() })
}
