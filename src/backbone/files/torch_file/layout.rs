//! Where a tensor lies in its storage, as its pickle describes it, and the tensor out of the storage's bytes.
//!
//! Every number comes from the file, so each is checked before it sizes anything. Tensors need not be contiguous:
//! published CLIP files hold transposed projections.

use std::collections::BTreeMap;
use std::path::Path;

use super::pickle::{Node, NodeId, Pickle};
use crate::backbone::files::load_error::LoadError;
use crate::backbone::files::stored::{StoredDtype, StoredTensor};

/// Bytes of a 64-bit integer.
pub(super) const INTEGER_BYTES: u64 = 8;

/// Longest storage key (a number, or an address in old files) and class name. They are copied for every tensor,
/// so a long one, shared by many tensors, would multiply the file's size.
const MAX_NAME_BYTES: usize = 64;
/// The key beside `state_dict` under which this program says what a checkpoint holds; others do not look at it.
pub(super) const NOTE: &str = "rpo_bench";
/// Most bytes of it; a thousand class names take 20 KiB.
const MAX_NOTE_BYTES: u64 = 1 << 20;
/// Most dimensions; the shape too is copied for every tensor.
const MAX_DIMENSIONS: usize = 8;

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

/// The texts under [`NOTE`]: what a checkpoint of this program says about itself.
///
/// # Errors
/// [`LoadError::TooLarge`]: one text may stand in a pickle for any number of values, and here each is a copy.
pub(super) fn noted(pickle: &Pickle, path: &Path) -> Result<BTreeMap<String, String>, LoadError> {
    let mut texts = BTreeMap::new();
    let Some(note) = pickle.entry(pickle.root(), NOTE) else { return Ok(texts) };
    let Node::Dict(entries) = pickle.node(note) else { return Ok(texts) };
    let mut bytes = 0;
    for (key, value) in entries {
        let (Node::Text(key), Node::Text(value)) = (pickle.node(*key), pickle.node(*value)) else { continue };
        bytes += (key.len() + value.len()) as u64;
        if bytes > MAX_NOTE_BYTES {
            return Err(LoadError::TooLarge { path: path.to_owned(), bytes, limit: MAX_NOTE_BYTES });
        }
        texts.insert(key.clone(), value.clone());
    }
    Ok(texts)
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
