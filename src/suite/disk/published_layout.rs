//! The authors' own checkpoints: whose they are, told by the tensors' names, and the sizes they imply.
//!
//! Each method's file says which tensors its published files hold. CoOp and CoCoOp keep `token_prefix` and
//! `token_suffix` beside them, the embeddings of the class names they were trained on; they are left out, as the
//! published loaders leave them out.

use std::collections::BTreeMap;

use crate::backbone::files::stored::StoredTensor;
use crate::method::{Entry, PublishedTensor, REGISTRY, look_up};

type Tensors = BTreeMap<String, StoredTensor>;

/// Whether some method trains a tensor of this name, theirs or ours.
pub(super) fn known(name: &str) -> bool {
    let mut tensors = REGISTRY.iter().flat_map(|entry| entry.published.tensors);
    tensors.any(|tensor| tensor.theirs == name || tensor.ours == name)
}

/// The shape of a published tensor, under our name.
fn shape<'t>(tensors: &'t Tensors, of: &PublishedTensor) -> Option<&'t [usize]> {
    tensors.get(of.ours).map(|tensor| tensor.shape.as_slice())
}

/// The tensors by which a method is recognised.
fn telling(entry: &Entry) -> impl Iterator<Item = &'static PublishedTensor> + use<> {
    entry.published.tensors.iter().filter(|tensor| tensor.tells)
}

/// The method whose parameters these are: of those whose telling tensors are all there, the one with the most.
///
/// # Errors
/// What speaks against every method, in words.
pub(super) fn method(tensors: &mut Tensors) -> Result<&'static str, String> {
    for buffer in ["token_prefix", "token_suffix"] {
        tensors.remove(buffer);
    }
    let has = |tensor: &PublishedTensor| shape(tensors, tensor).is_some();
    let named = REGISTRY.iter().filter(|entry| telling(entry).count() > 0 && telling(entry).all(has));
    let Some(entry) = named.max_by_key(|entry| telling(entry).count()) else { return Err(unknown()) };
    let other = |of: &&PublishedTensor| shape(tensors, of).is_some_and(|shape| shape.len() != of.rank);
    match telling(entry).find(other) {
        None => Ok(entry.id),
        Some(of) => Err(format!(
            "{} has {} dimensions, where {} has {}: such as a context of its own for every class (CSC), which is not \
             supported",
            of.theirs,
            shape(tensors, of).unwrap_or_default().len(),
            entry.name,
            of.rank
        )),
    }
}

fn unknown() -> String {
    let layout = |entry: &Entry| {
        let names: Vec<&str> = entry.published.tensors.iter().map(|tensor| tensor.theirs).collect();
        format!("{} ({})", entry.name, names.join(", "))
    };
    let readable = REGISTRY.iter().filter(|entry| !entry.published.tensors.is_empty());
    format!(
        "neither metadata nor the tensors' names say which method they belong to; known are the layouts of {}",
        readable.map(layout).collect::<Vec<_>>().join(", ")
    )
}

/// The published tensors of a method whose shapes decide settings.
fn sizing(method: &str) -> impl Iterator<Item = &'static PublishedTensor> {
    let tensors = look_up(method).map_or(&[] as &[_], |entry| entry.published.tensors);
    tensors.iter().filter(|tensor| tensor.size.is_some())
}

/// A tensor that would decide a setting and is not there.
pub(super) fn unsized_by(method: &str, tensors: &Tensors) -> Option<&'static str> {
    sizing(method).find(|tensor| shape(tensors, tensor).is_none()).map(|tensor| tensor.ours)
}

/// Settings that the shapes decide, whatever the file's own settings say: the file holds that many values.
pub(super) fn sizes(method: &str, tensors: &Tensors) -> Vec<(String, i64)> {
    let size = |tensor: &PublishedTensor| {
        let (key, size) = tensor.size?;
        Some((format!("{method}.{key}"), size(shape(tensors, tensor)?)? as i64))
    };
    sizing(method).filter_map(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(shapes: &[(&str, &[usize])]) -> BTreeMap<String, StoredTensor> {
        let zeros = |shape: &[usize]| vec![0.0; shape.iter().product()];
        let stored = |shape: &[usize]| StoredTensor::from_f32(shape.to_vec(), &zeros(shape));
        shapes.iter().map(|(name, shape)| ((*name).to_owned(), stored(shape))).collect()
    }

    #[test]
    fn layouts_are_told_by_names() {
        let coop: &[(&str, &[usize])] =
            &[("ctx", &[4, 8]), ("token_prefix", &[2, 1, 8]), ("token_suffix", &[2, 3, 8])];
        for (shapes, expected) in [
            (&[("text_prompt", &[2, 4][..]), ("visual_prompt", &[2, 6])][..], "rpo"),
            (coop, "coop"),
            (&[("ctx", &[4, 8]), ("meta_net.linear1.weight", &[2, 32])], "cocoop"),
            (&[("weight", &[8, 8]), ("bias", &[8])], "linear_probe"),
        ] {
            assert_eq!(method(&mut tensors(shapes)), Ok(expected));
        }
        assert!(method(&mut tensors(&[("ctx", &[2, 4, 8])])).unwrap_err().contains("CSC"));
        assert!(method(&mut tensors(&[("x", &[1])])).unwrap_err().contains("known are"));
    }

    #[test]
    fn shapes_decide_sizes() {
        let tensors = tensors(&[("ctx", &[16, 8]), ("meta_net.linear1.weight", &[2, 32])]);
        let expected = [("cocoop.context_tokens".to_owned(), 16), ("cocoop.reduction".to_owned(), 16)];
        assert_eq!(sizes("cocoop", &tensors), expected);
        assert_eq!(sizes("coop", &tensors), [("coop.context_tokens".to_owned(), 16)]);
        assert!(sizes("zero_shot", &tensors).is_empty());
    }
}
