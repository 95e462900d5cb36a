//! The tensors of a TorchScript archive, as OpenAI publishes CLIP.
//!
//! Its pickle is a tree of modules: an object that is called into being and then given its attributes. A tensor is
//! named by the attributes on the way to it; class names (`___torch_mangle_…`) and code mean nothing here. Constants
//! of the traced code lie in another pickle, which is not read.

use std::collections::BTreeMap;
use std::path::Path;

use super::layout::{Layout, tensor_layout};
use super::pickle::{Node, NodeId, Pickle};
use crate::backbone::files::load_error::LoadError;

/// Deepest nesting that is followed; CLIP's is six. A cycle ends here.
const MAX_DEPTH: usize = 16;
/// Most attributes that are looked at: the largest CLIP has about two thousand, a shared module could have any number.
const MAX_ATTRIBUTES: usize = 1 << 17;

/// Tensors of the module tree under their dotted paths.
///
/// # Errors
/// [`LoadError::Tensor`] where a tensor's description makes no sense or the tree is no tree of modules.
pub(super) fn module_tensors(pickle: &Pickle, path: &Path) -> Result<BTreeMap<String, Layout>, LoadError> {
    let mut tensors = BTreeMap::new();
    let mut seen = 0;
    let mut open = vec![(String::new(), pickle.root(), 0)];
    while let Some((name, module, depth)) = open.pop() {
        for (attribute, value) in attributes(pickle, module) {
            seen += 1;
            let full = if name.is_empty() { attribute.to_owned() } else { format!("{name}.{attribute}") };
            if depth == MAX_DEPTH || seen > MAX_ATTRIBUTES {
                return Err(LoadError::tensor(path, &full, "the modules are nested like in no model"));
            }
            match tensor_layout(pickle, value, &full, path)? {
                Some(layout) => _ = tensors.insert(full, layout),
                None if is_module(pickle, value) => open.push((full, value, depth + 1)),
                None => {}
            }
        }
    }
    Ok(tensors)
}

fn is_module(pickle: &Pickle, value: NodeId) -> bool {
    let Node::Call(class, _) = pickle.node(value) else { return false };
    matches!(pickle.node(*class), Node::Global(name) if name.starts_with("__torch__."))
}

fn attributes(pickle: &Pickle, module: NodeId) -> impl Iterator<Item = (&str, NodeId)> {
    let entries = match pickle.state(module).map(|state| pickle.node(state)) {
        Some(Node::Dict(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter_map(|(key, value)| match pickle.node(*key) {
        Node::Text(name) => Some((name.as_str(), *value)),
        _ => None,
    })
}
