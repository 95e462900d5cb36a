//! The tensors a CLIP configuration implies, under HuggingFace's names; a ResNet's image tower has OpenAI's.
//!
//! Owns names and shapes, nothing else. `vision_model.pre_layrnorm` is spelled so in every published file, and
//! `logit_scale` is a scalar. Linear weights are `[out, in]`.

use crate::backbone::config::{ClipConfig, TowerConfig};
use crate::backbone::resnet::resnet_tensors;

/// Name and shape of every tensor a model of this configuration has, in name order.
pub fn expected_tensors(config: &ClipConfig) -> Vec<(String, Vec<usize>)> {
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: &[usize]| tensors.push((name, shape.to_vec()));

    add("logit_scale".to_owned(), &[]);
    add("text_projection.weight".to_owned(), &[config.projection_dim, config.text.width]);

    let text = config.text.width;
    add("text_model.embeddings.token_embedding.weight".to_owned(), &[config.vocab_size, text]);
    add("text_model.embeddings.position_embedding.weight".to_owned(), &[config.context_length, text]);
    layer_norm("text_model.final_layer_norm", text, &mut add);
    blocks("text_model", &config.text, &mut add);

    match &config.resnet {
        Some(resnet) => resnet_tensors(config, resnet, &mut add),
        None => vision_transformer(config, &mut add),
    }
    tensors.sort();
    tensors
}

fn vision_transformer(config: &ClipConfig, add: &mut impl FnMut(String, &[usize])) {
    let (vision, patch) = (config.vision.width, config.patch_size);
    add("visual_projection.weight".to_owned(), &[config.projection_dim, vision]);
    add("vision_model.embeddings.class_embedding".to_owned(), &[vision]);
    add("vision_model.embeddings.patch_embedding.weight".to_owned(), &[vision, 3, patch, patch]);
    add("vision_model.embeddings.position_embedding.weight".to_owned(), &[config.image_tokens(), vision]);
    layer_norm("vision_model.pre_layrnorm", vision, add);
    layer_norm("vision_model.post_layernorm", vision, add);
    blocks("vision_model", &config.vision, add);
}

fn blocks(model: &str, tower: &TowerConfig, add: &mut impl FnMut(String, &[usize])) {
    let (width, mlp) = (tower.width, tower.mlp_width);
    for layer in 0..tower.layers {
        let block = format!("{model}.encoder.layers.{layer}");
        layer_norm(&format!("{block}.layer_norm1"), width, add);
        layer_norm(&format!("{block}.layer_norm2"), width, add);
        for projection in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            linear(&format!("{block}.self_attn.{projection}"), width, width, add);
        }
        linear(&format!("{block}.mlp.fc1"), mlp, width, add);
        linear(&format!("{block}.mlp.fc2"), width, mlp, add);
    }
}

fn layer_norm(name: &str, width: usize, add: &mut impl FnMut(String, &[usize])) {
    add(format!("{name}.weight"), &[width]);
    add(format!("{name}.bias"), &[width]);
}

fn linear(name: &str, outputs: usize, inputs: usize, add: &mut impl FnMut(String, &[usize])) {
    add(format!("{name}.weight"), &[outputs, inputs]);
    add(format!("{name}.bias"), &[outputs]);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::backbone::files::hf_config::parse_config;

    /// CLIP ViT-B/32 has 151 277 313 parameters (sum over transformers' `CLIPModel().parameters()`).
    #[test]
    fn the_default_model_has_the_published_number_of_parameters() {
        let config = parse_config(r#"{"model_type":"clip"}"#, Path::new("config.json")).unwrap();
        let tensors = expected_tensors(&config);
        let parameters: usize = tensors.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        assert_eq!(parameters, 151_277_313);
        assert!(tensors.is_sorted());
    }
}
