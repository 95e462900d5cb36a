//! The zip archive `torch.save` writes: one pickle that describes tensors, one entry per storage.
//!
//! Owns finding the state dictionary and reading its tensors; the pickle itself is read by `machine`. Sizes are
//! checked against the file before memory is asked for, and entries are read in place, never unpacked to disk.
//! Tensors need not be contiguous: published CLIP files hold transposed projections.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::machine::unpickle;
use super::pickle::{Node, NodeId, Pickle};
use super::script::module_tensors;
use crate::backbone::files::load_error::{LoadError, refuse_mistaken};
use crate::backbone::files::stored::{StoredDtype, StoredTensor};
use crate::backbone::files::tensor_file::TensorFile;

/// A state dictionary of a thousand tensors takes about 200 KiB.
pub(super) const MAX_PICKLE_BYTES: u64 = 4 << 20;
/// Bytes of a 64-bit integer.
pub(super) const INTEGER_BYTES: u64 = 8;

/// Where a tensor lies in its storage. Sizes, strides and offset count elements.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub storage_class: String,
    pub storage_key: String,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

impl Layout {
    /// Whether it is one 64-bit integer, as OpenAI's archives keep their sizes.
    pub fn is_one_integer(&self) -> bool {
        self.storage_class == "torch.LongStorage" && self.shape.iter().product::<usize>() == 1
    }
}

/// Longest storage key (a number, or an address in old files) and class name. They are copied for every tensor,
/// so a long one, shared by many tensors, would multiply the file's size.
const MAX_NAME_BYTES: usize = 64;
/// Most dimensions; the shape too is copied for every tensor.
const MAX_DIMENSIONS: usize = 8;

/// An open torch file and the tensors of its state dictionary.
pub struct TorchArchive {
    path: PathBuf,
    file_bytes: u64,
    zip: ZipArchive<BufReader<File>>,
    folder: String,
    tensors: BTreeMap<String, Layout>,
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
        let mut archive = Self { path: path.to_owned(), file_bytes, zip, folder, tensors: BTreeMap::new() };

        let pickle_entry = format!("{}data.pkl", archive.folder);
        let bytes = archive.read_entry(&pickle_entry, 0, None)?;
        let pickle =
            unpickle(&bytes).map_err(|source| LoadError::Pickle { path: path.to_owned(), source })?;
        archive.tensors =
            if is_script { module_tensors(&pickle, path)? } else { state_dict_tensors(&pickle, path)? };
        Ok(archive)
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

impl TensorFile for TorchArchive {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|layout| layout.shape.as_slice())
    }

    fn read(&mut self, name: &str) -> Result<StoredTensor, LoadError> {
        let path = self.path.clone();
        let layout = self.tensors.get(name).ok_or_else(|| LoadError::TensorMissing {
            path: path.clone(),
            tensor: name.to_owned(),
            hint: "is this the right file?".to_owned(),
        })?;
        let (layout, placed) = (layout.clone(), place(layout, name, &path)?);
        let entry = format!("{}data/{}", self.folder, layout.storage_key);
        let bytes = self.read_entry(&entry, placed.start, Some(placed.count))?;
        Ok(placed.tensor(&bytes, &layout))
    }

    fn integer(&mut self, name: &str) -> Result<Option<i64>, LoadError> {
        let Some(layout) = self.tensors.get(name).filter(|layout| layout.is_one_integer()) else {
            return Ok(None);
        };
        let start = (layout.offset as u64).saturating_mul(INTEGER_BYTES);
        let entry = format!("{}data/{}", self.folder, layout.storage_key);
        let bytes = self.read_entry(&entry, start, Some(INTEGER_BYTES))?;
        Ok(bytes.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)))
    }
}

/// Where the bytes of a tensor lie in its storage, checked.
pub(super) struct Placed {
    dtype: StoredDtype,
    elements: usize,
    /// First byte.
    pub start: u64,
    /// Number of bytes from the first element to the last.
    pub count: u64,
}

impl Placed {
    /// The tensor, out of the bytes at its place.
    pub fn tensor(&self, bytes: &[u8], layout: &Layout) -> StoredTensor {
        let bytes = gather(bytes, &layout.shape, &layout.strides, self.elements, self.dtype.bytes());
        StoredTensor { dtype: self.dtype, shape: layout.shape.clone(), bytes }
    }
}

/// The place of a floating-point tensor.
///
/// # Errors
/// [`LoadError::Tensor`] for another type, or a description that makes no sense.
pub(super) fn place(layout: &Layout, name: &str, path: &Path) -> Result<Placed, LoadError> {
    let refuse = |problem: String| LoadError::tensor(path, name, problem);
    let dtype = storage_dtype(&layout.storage_class).ok_or_else(|| {
        refuse(format!("stored as {}; supported are float, double, half and bfloat16", layout.storage_class))
    })?;
    let (elements, span) = extent(layout).ok_or_else(|| {
        refuse(format!("shape {:?} with strides {:?} makes no sense", layout.shape, layout.strides))
    })?;
    let width = dtype.bytes() as u64;
    match ((layout.offset as u64).checked_mul(width), (span as u64).checked_mul(width)) {
        (Some(start), Some(count)) => Ok(Placed { dtype, elements, start, count }),
        _ => Err(refuse(format!("offset {} is beyond any file", layout.offset))),
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

/// The tensors by name; entries that are no tensors are left out.
pub(super) fn state_dict_tensors(
    pickle: &Pickle,
    path: &Path,
) -> Result<BTreeMap<String, Layout>, LoadError> {
    let dict = pickle.entry(pickle.root(), "state_dict").unwrap_or(pickle.root());
    let mut tensors = BTreeMap::new();
    let Node::Dict(entries) = pickle.node(dict) else { return Ok(tensors) };
    for (key, value) in entries {
        let Node::Text(name) = pickle.node(*key) else { continue };
        if let Some(layout) = tensor_layout(pickle, *value, name, path)? {
            tensors.insert(name.clone(), layout);
        }
    }
    Ok(tensors)
}

/// Where the tensor `value` lies; none for other values.
pub(super) fn tensor_layout(
    pickle: &Pickle,
    value: NodeId,
    name: &str,
    path: &Path,
) -> Result<Option<Layout>, LoadError> {
    let Some(arguments) = tensor_arguments(pickle, value) else { return Ok(None) };
    layout(pickle, arguments)
        .map(Some)
        .ok_or_else(|| LoadError::tensor(path, name, "its description is not the one torch.save writes"))
}

/// The arguments of `_rebuild_tensor_v2`, looking through the wrapper of a parameter; none for other values.
fn tensor_arguments(pickle: &Pickle, value: NodeId) -> Option<&[NodeId]> {
    let (callable, arguments) = call(pickle, value)?;
    if callable == "torch._utils._rebuild_parameter" {
        let (inner, arguments) = call(pickle, *arguments.first()?)?;
        return (inner == "torch._utils._rebuild_tensor_v2").then_some(arguments);
    }
    (callable == "torch._utils._rebuild_tensor_v2").then_some(arguments)
}

fn call(pickle: &Pickle, value: NodeId) -> Option<(&str, &[NodeId])> {
    let Node::Call(callable, arguments) = pickle.node(value) else { return None };
    match (pickle.node(*callable), pickle.node(*arguments)) {
        (Node::Global(name), Node::Tuple(arguments)) => Some((name, arguments)),
        _ => None,
    }
}

/// Reads (storage, offset, size, stride, …), where storage is ("storage", class, key, device, elements) and in the
/// legacy format a view of it: None, or (key, offset, elements).
fn layout(pickle: &Pickle, arguments: &[NodeId]) -> Option<Layout> {
    let [storage, offset, shape, strides, ..] = arguments else { return None };
    let Node::Persistent(storage) = pickle.node(*storage) else { return None };
    let Node::Tuple(storage) = pickle.node(*storage) else { return None };
    let [_, class, key, ..] = storage.as_slice() else { return None };
    let view = storage.get(5).map_or(Some(0), |view| match pickle.node(*view) {
        Node::Tuple(view) => size(pickle, *view.get(1)?),
        _ => Some(0),
    })?;
    match (pickle.node(*class), pickle.node(*key)) {
        (Node::Global(class), Node::Text(key)) if class.len().max(key.len()) <= MAX_NAME_BYTES => {
            Some(Layout {
                storage_class: class.clone(),
                storage_key: key.clone(),
                offset: size(pickle, *offset)?.checked_add(view)?,
                shape: sizes(pickle, *shape)?,
                strides: sizes(pickle, *strides)?,
            })
        }
        _ => None,
    }
}

fn size(pickle: &Pickle, id: NodeId) -> Option<usize> {
    match pickle.node(id) {
        Node::Int(value) => usize::try_from(*value).ok(),
        _ => None,
    }
}

fn sizes(pickle: &Pickle, id: NodeId) -> Option<Vec<usize>> {
    match pickle.node(id) {
        Node::Tuple(items) if items.len() <= MAX_DIMENSIONS => {
            items.iter().map(|item| size(pickle, *item)).collect()
        }
        _ => None,
    }
}

fn storage_dtype(class: &str) -> Option<StoredDtype> {
    match class {
        "torch.FloatStorage" => Some(StoredDtype::F32),
        "torch.DoubleStorage" => Some(StoredDtype::F64),
        "torch.HalfStorage" => Some(StoredDtype::F16),
        "torch.BFloat16Storage" => Some(StoredDtype::Bf16),
        _ => None,
    }
}

/// Number of elements, and how many storage elements lie from the first to the last of them. None where that
/// overflows, or where more elements than storage (stride 0) would let a small file ask for any memory.
fn extent(layout: &Layout) -> Option<(usize, usize)> {
    let (shape, strides) = (&layout.shape, &layout.strides);
    if shape.len() != strides.len() {
        return None;
    }
    let elements = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size))?;
    if elements == 0 {
        return Some((0, 0));
    }
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(0usize, |last, (size, stride)| last.checked_add((size - 1).checked_mul(*stride)?))?;
    let span = last.checked_add(1)?;
    (elements <= span).then_some((elements, span))
}

/// The elements in row-major order.
fn gather(bytes: &[u8], shape: &[usize], strides: &[usize], elements: usize, width: usize) -> Vec<u8> {
    let mut gathered = Vec::with_capacity(elements * width);
    for element in 0..elements {
        let mut rest = element;
        let mut at = 0;
        for (size, stride) in shape.iter().zip(strides).rev() {
            at += rest % size * stride;
            rest /= size;
        }
        gathered.extend_from_slice(&bytes[at * width..(at + 1) * width]);
    }
    gathered
}
