//! The authors' own checkpoints: whose they are, told by the tensors' names, and the sizes they imply.
//!
//! RPO: `text_prompt`, `img_prompt`. CoOp: `ctx`. CoCoOp: `ctx` and `meta_net.*`. Linear probing (RPO's copy):
//! `weight`, `bias`. CoOp and CoCoOp keep `token_prefix` and `token_suffix` beside them, the embeddings of the class
//! names they were trained on; they are left out, as the published loaders leave them out.

use std::collections::BTreeMap;

use crate::backbone::files::stored::StoredTensor;

/// Names of what some method trains, as the published files have them.
pub(super) const KNOWN: [&str; 10] = [
    TEXT_PROMPT,
    "img_prompt",
    "visual_prompt",
    CONTEXT,
    META_NET,
    "meta_net.linear1.bias",
    "meta_net.linear2.weight",
    "meta_net.linear2.bias",
    WEIGHT,
    "bias",
];

pub(super) const TEXT_PROMPT: &str = "text_prompt";
const CONTEXT: &str = "ctx";
const META_NET: &str = "meta_net.linear1.weight";
const WEIGHT: &str = "weight";

/// The method whose parameters these are.
///
/// # Errors
/// What speaks against every method, in words.
pub(super) fn method(tensors: &mut BTreeMap<String, StoredTensor>) -> Result<&'static str, String> {
    for buffer in ["token_prefix", "token_suffix"] {
        tensors.remove(buffer);
    }
    let rank = |name: &str| tensors.get(name).map(|tensor| tensor.shape.len());
    match (rank(TEXT_PROMPT), rank(CONTEXT), rank(META_NET), rank(WEIGHT)) {
        (Some(_), ..) => Ok("rpo"),
        (_, Some(3), ..) => Err(
            "ctx has three dimensions: a context of its own for every class (CSC), which is not supported"
                .to_owned(),
        ),
        (_, Some(_), Some(_), _) => Ok("cocoop"),
        (_, Some(_), None, _) => Ok("coop"),
        (.., Some(2)) if tensors.contains_key("bias") => Ok("linear_probe"),
        _ => Err(
            "neither metadata nor the tensors' names say which method they belong to; known are the layouts \
                  of RPO (text_prompt, img_prompt), CoOp (ctx), CoCoOp (ctx, meta_net.*) and linear probing \
                  (weight, bias)"
                .to_owned(),
        ),
    }
}

/// Settings that the shapes decide, whatever the file's own settings say: the file holds that many values.
pub(super) fn sizes(method: &str, tensors: &BTreeMap<String, StoredTensor>) -> Vec<(&'static str, i64)> {
    let dim = |name: &str, at: usize| tensors.get(name).and_then(|tensor| tensor.shape.get(at)).copied();
    let mut sizes = Vec::new();
    let mut add = |key, size: Option<usize>| sizes.extend(size.map(|size| (key, size as i64)));
    match method {
        "rpo" => add("rpo.k", dim(TEXT_PROMPT, 0)),
        "coop" => add("coop.context_tokens", dim(CONTEXT, 0)),
        "cocoop" => {
            add("cocoop.context_tokens", dim(CONTEXT, 0));
            let hidden = dim(META_NET, 0).filter(|hidden| *hidden > 0);
            add("cocoop.reduction", hidden.and_then(|hidden| Some((dim(META_NET, 1)? / hidden).max(1))));
        }
        _ => {}
    }
    sizes
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
            (&[("ctx", &[4, 8]), (META_NET, &[2, 32])], "cocoop"),
            (&[("weight", &[8, 8]), ("bias", &[8])], "linear_probe"),
        ] {
            assert_eq!(method(&mut tensors(shapes)), Ok(expected));
        }
        assert!(method(&mut tensors(&[("ctx", &[2, 4, 8])])).unwrap_err().contains("CSC"));
        assert!(method(&mut tensors(&[("x", &[1])])).unwrap_err().contains("known are"));
    }

    #[test]
    fn shapes_decide_sizes() {
        let tensors = tensors(&[("ctx", &[16, 8]), (META_NET, &[2, 32])]);
        let expected = [("cocoop.context_tokens", 16), ("cocoop.reduction", 16)];
        assert_eq!(sizes("cocoop", &tensors), expected);
        assert_eq!(sizes("coop", &tensors), [("coop.context_tokens", 16)]);
        assert!(sizes("zero_shot", &tensors).is_empty());
    }
}
