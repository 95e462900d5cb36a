//! OpenAI's name for each tensor that HuggingFace's format has, and how the one lies in the other.
//!
//! Projections are used as x·P there and as x·Wᵀ here; the three attention projections are one matrix there.

/// What of a source tensor is the tensor wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// All of it, transposed.
    Transposed,
    /// Rows from this one on.
    Rows(usize),
}

/// Where a tensor comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// OpenAI's name.
    pub name: String,
    /// Shape under that name.
    pub shape: Vec<usize>,
    /// What of it.
    pub part: Part,
}

/// The source of the tensor HuggingFace calls `name`, of `shape` there.
pub(super) fn source_of(name: &str, shape: &[usize]) -> Source {
    let whole = |name: String| Source { name, shape: shape.to_vec(), part: Part::Whole };
    let transposed = |name: &str| Source {
        name: name.to_owned(),
        shape: shape.iter().rev().copied().collect(),
        part: Part::Transposed,
    };
    match name {
        "text_projection.weight" => return transposed("text_projection"),
        "visual_projection.weight" => return transposed("visual.proj"),
        _ => {}
    }
    for (tower, theirs) in [("text_model.", ""), ("vision_model.", "visual.")] {
        let Some(rest) = name.strip_prefix(tower) else { continue };
        return match rest.strip_prefix("encoder.layers.").and_then(|rest| rest.split_once('.')) {
            Some((layer, rest)) => in_block(&format!("{theirs}transformer.resblocks.{layer}"), rest, shape),
            None => whole(format!("{theirs}{}", outside(rest))),
        };
    }
    // The logit scale, and a ResNet's image tower, which has no other name.
    whole(name.to_owned())
}

fn outside(rest: &str) -> String {
    for (ours, theirs) in [
        ("embeddings.token_embedding.", "token_embedding."),
        ("embeddings.position_embedding.weight", "positional_embedding"),
        ("embeddings.class_embedding", "class_embedding"),
        ("embeddings.patch_embedding.", "conv1."),
        ("final_layer_norm.", "ln_final."),
        ("pre_layrnorm.", "ln_pre."),
        ("post_layernorm.", "ln_post."),
    ] {
        if let Some(end) = rest.strip_prefix(ours) {
            return format!("{theirs}{end}");
        }
    }
    rest.to_owned()
}

fn in_block(block: &str, rest: &str, shape: &[usize]) -> Source {
    for (at, ours) in ["self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."].into_iter().enumerate()
    {
        let Some(end) = rest.strip_prefix(ours) else { continue };
        let mut stacked = shape.to_vec();
        stacked[0] *= 3;
        let name = format!("{block}.attn.in_proj_{end}");
        return Source { name, shape: stacked, part: Part::Rows(at * shape[0]) };
    }
    let named = [
        ("self_attn.out_proj.", "attn.out_proj."),
        ("layer_norm1.", "ln_1."),
        ("layer_norm2.", "ln_2."),
        ("mlp.fc1.", "mlp.c_fc."),
        ("mlp.fc2.", "mlp.c_proj."),
    ];
    let end =
        named.into_iter().find_map(|(ours, theirs)| Some(format!("{theirs}{}", rest.strip_prefix(ours)?)));
    let name = format!("{block}.{}", end.unwrap_or_else(|| rest.to_owned()));
    Source { name, shape: shape.to_vec(), part: Part::Whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parts_are_openais() {
        for (ours, shape, name, theirs, part) in [
            ("visual_projection.weight", &[32, 64][..], "visual.proj", &[64, 32][..], Part::Transposed),
            (
                "vision_model.encoder.layers.11.self_attn.v_proj.weight",
                &[64, 64],
                "visual.transformer.resblocks.11.attn.in_proj_weight",
                &[192, 64],
                Part::Rows(128),
            ),
            (
                "text_model.encoder.layers.0.mlp.fc1.bias",
                &[256],
                "transformer.resblocks.0.mlp.c_fc.bias",
                &[256],
                Part::Whole,
            ),
            ("vision_model.pre_layrnorm.bias", &[64], "visual.ln_pre.bias", &[64], Part::Whole),
            ("logit_scale", &[], "logit_scale", &[], Part::Whole),
        ] {
            let expected = Source { name: name.to_owned(), shape: theirs.to_vec(), part };
            assert_eq!(source_of(ours, shape), expected);
        }
    }
}
