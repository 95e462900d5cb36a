//! The authors' own checkpoints: whose they are, told by the tensors' names, and the sizes they imply.
//!
//! Each method's file says which tensors its published files hold. CoOp and CoCoOp keep `token_prefix` and
//! `token_suffix` beside them, the embeddings of the class names they were trained on; they are left out, as the
//! published loaders leave them out.

use std::collections::BTreeMap;

use crate::backbone::files::stored::StoredTensor;
use crate::method::{Entry, PublishedTensor, REGISTRY, find, look_up};

type Tensors = BTreeMap<String, StoredTensor>;

/// Our name of a tensor that some method trains, by their name or ours; none where no method does.
pub(super) fn our_name(name: &str) -> Option<String> {
    REGISTRY.iter().flat_map(|entry| entry.published.tensors).find_map(|tensor| tensor.our_name(name))
}

/// Their name of a tensor of `method`; ours where no published file has it.
pub(super) fn their_name(method: &str, name: &str) -> String {
    let theirs = published(method).iter().find_map(|tensor| tensor.their_name(name));
    theirs.unwrap_or_else(|| name.to_owned())
}

/// The method whose files alone have a name that begins as one of these does.
pub(super) fn marked(names: &[String]) -> Option<&'static str> {
    let has = |mark: &str| names.iter().any(|name| name.starts_with(mark));
    REGISTRY.iter().find(|entry| entry.published.mark.is_some_and(has)).map(|entry| entry.id)
}

fn published(method: &str) -> &'static [PublishedTensor] {
    look_up(method).map_or(&[], |entry| entry.published.tensors)
}

/// The shape of a published tensor, under our name.
fn shape<'t>(tensors: &'t Tensors, of: &PublishedTensor) -> Option<&'t [usize]> {
    tensors.get(of.ours).map(|tensor| tensor.shape.as_slice())
}

/// The tensors by which a method is recognised.
fn telling(entry: &Entry) -> impl Iterator<Item = &'static PublishedTensor> + use<> {
    entry.published.tensors.iter().filter(|tensor| tensor.tells)
}

/// The first tensor that some method trains and this one does not.
fn foreign<'t>(entry: &Entry, tensors: &'t Tensors) -> Option<&'t str> {
    let owns =
        |name: &&String| entry.published.tensors.iter().any(|tensor| tensor.their_name(name).is_some());
    tensors.keys().find(|name| our_name(name).is_some() && !owns(name)).map(String::as_str)
}

/// The method whose parameters these are: `wanted`, where that is said and they can be its; else of the methods that
/// train all of them and whose telling tensors are all there the one with the most. Where several share these names,
/// the one that is `marked` in the file.
///
/// # Errors
/// What speaks against every method, or for several, in words.
pub(super) fn method(
    tensors: &mut Tensors,
    marked: Option<&'static str>,
    wanted: Option<&str>,
) -> Result<&'static str, String> {
    for buffer in ["token_prefix", "token_suffix"] {
        tensors.remove(buffer);
    }
    let entry = match wanted {
        Some(wanted) => said(wanted, tensors)?,
        None => told(tensors, marked)?,
    };
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

/// The method that somebody says they are of, once nothing speaks against it.
fn said(wanted: &str, tensors: &Tensors) -> Result<&'static Entry, String> {
    let entry = find(wanted).map_err(|error| error.to_string())?;
    if entry.published.tensors.is_empty() {
        return Err(format!(
            "no layout of published files of {} is known: only a file that says it is of {} can be read",
            entry.name, entry.id
        ));
    }
    if let Some(name) = foreign(entry, tensors) {
        return Err(format!("{} trains no tensor {name:?}", entry.name));
    }
    match entry.published.tensors.iter().any(|tensor| shape(tensors, tensor).is_some()) {
        true => Ok(entry),
        false => Err(format!("it has no tensor of {}", layout(entry))),
    }
}

/// The method that names tell.
fn told(tensors: &Tensors, marked: Option<&'static str>) -> Result<&'static Entry, String> {
    let has = |tensor: &PublishedTensor| shape(tensors, tensor).is_some();
    let fits = |entry: &&Entry| {
        telling(entry).count() > 0 && telling(entry).all(has) && foreign(entry, tensors).is_none()
    };
    let fitting: Vec<&Entry> = REGISTRY.iter().filter(fits).collect();
    let most = fitting.iter().map(|entry| telling(entry).count()).max().ok_or_else(unknown)?;
    let best: Vec<&Entry> = fitting.into_iter().filter(|entry| telling(entry).count() == most).collect();
    match best.as_slice() {
        [entry] => Ok(entry),
        several => several.iter().copied().find(|entry| Some(entry.id) == marked).ok_or_else(|| {
            let names: Vec<&str> = several.iter().map(|entry| entry.id).collect();
            format!(
                "its tensors are those of {} alike: say whose they are with --method",
                names.join(" and ")
            )
        }),
    }
}

fn layout(entry: &Entry) -> String {
    let names: Vec<&str> = entry.published.tensors.iter().map(|tensor| tensor.theirs).collect();
    format!("{} ({})", entry.name, names.join(", "))
}

fn unknown() -> String {
    let readable = REGISTRY.iter().filter(|entry| !entry.published.tensors.is_empty());
    format!(
        "neither metadata nor the tensors' names say which method they belong to; known are the layouts of {}",
        readable.map(layout).collect::<Vec<_>>().join(", ")
    )
}

/// A tensor that would decide a setting and is not there.
pub(super) fn unsized_by(method: &str, tensors: &Tensors) -> Option<&'static str> {
    let decides = |tensor: &&PublishedTensor| tensor.size.is_some() && !tensor.may_lack;
    published(method)
        .iter()
        .filter(decides)
        .find(|tensor| shape(tensors, tensor).is_none())
        .map(|tensor| tensor.ours)
}

/// Settings that the tensors decide by their shapes and their number, whatever the file's own settings say: the file
/// holds that many values.
pub(super) fn sizes(method: &str, tensors: &Tensors) -> Vec<(String, i64)> {
    let size = |tensor: &PublishedTensor| {
        let (key, size) = tensor.size?;
        match shape(tensors, tensor) {
            Some(shape) => Some((key, size(shape)?)),
            None => tensor.may_lack.then_some((key, 0)),
        }
    };
    let count = |tensor: &PublishedTensor| {
        let (key, first) = tensor.count?;
        let blocks = tensors.keys().filter(|name| tensor.their_name(name).is_some()).count();
        Some((key, usize::from(tensors.contains_key(first)) + blocks))
    };
    let sizes = published(method).iter().flat_map(|tensor| [size(tensor), count(tensor)]).flatten();
    sizes.map(|(key, value)| (format!("{method}.{key}"), value as i64)).collect()
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
            (&[("ctx", &[2, 8]), ("proj.weight", &[4, 8])], "maple"),
            (&[(VISION, &[8, 4])], "vpt"),
        ] {
            assert_eq!(method(&mut tensors(shapes), None, None), Ok(expected));
        }
        let refused = |shapes| method(&mut tensors(shapes), None, None).unwrap_err();
        assert!(refused(&[("ctx", &[2, 4, 8])]).contains("CSC"));
        assert!(refused(&[("x", &[1])]).contains("known are"));
        assert!(refused(&[("ctx", &[4, 8]), (DEEP_TEXT, &[4, 8])]).contains("known are"), "it is not CoOp's");
    }

    const VISION: &str = "image_encoder.VPT";
    const DEEP_TEXT: &str = "text_encoder.transformer.resblocks.1.VPT_shallow";

    #[test]
    fn names_that_two_methods_share_need_a_mark_or_a_word() {
        let shapes: &[(&str, &[usize])] = &[("ctx", &[4, 8]), (VISION, &[4, 6]), (DEEP_TEXT, &[4, 8])];
        let of = |marked, wanted| method(&mut tensors(shapes), marked, wanted);
        assert!(of(None, None).unwrap_err().contains("ivlp and promptsrc alike"));
        let names = ["prompt_learner.ZS_image_encoder.conv1.weight".to_owned()];
        assert_eq!(of(marked(&names), None), Ok("promptsrc"));
        assert_eq!(of(None, Some("ivlp")), Ok("ivlp"));
        assert!(of(None, Some("coop")).unwrap_err().contains("trains no tensor"));
        let error = method(&mut tensors(&[("x", &[1])]), None, Some("rpo")).unwrap_err();
        assert!(error.contains("no tensor of RPO"), "{error}");
        assert!(of(None, Some("tip_adapter")).unwrap_err().contains("only a file that says"));
        assert_eq!(their_name("maple", "compound_prompts_text.3"), "prompt_learner.compound_prompts_text.3");
        assert_eq!(our_name("prompt_learner.ctx").as_deref(), Some("ctx"));
    }

    #[test]
    fn blocks_are_counted_and_a_tower_may_have_none() {
        let text_only = tensors(&[("ctx", &[4, 8]), (DEEP_TEXT, &[4, 8])]);
        let key = |name: &str, value| (format!("ivlp.{name}"), value);
        let expected =
            [key("text_ctx", 4), key("text_depth", 2), key("vision_ctx", 0), key("vision_depth", 0)];
        assert_eq!(sizes("ivlp", &text_only), expected);
        assert_eq!(unsized_by("ivlp", &text_only), None);
        assert_eq!(unsized_by("promptsrc", &text_only), Some(VISION));
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
