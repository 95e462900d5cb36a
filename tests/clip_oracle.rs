//! candle-transformers' CLIP as an independent forward pass, on random weights.
//!
//! Only features are compared: the other crate's LayerNorm drops gradients, so it says nothing about
//! ours. It knows quick-GELU alone and reads the text feature at the highest id of a padded row.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod common;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::clip::{ClipConfig as OtherConfig, ClipModel, text_model, vision_model};
use rpo_bench::backbone::{Activation, Clip, ClipConfig, TextLayout, TowerConfig, Weights};
use rpo_bench::util::rng::Stream;

use common::{assert_close, class_prompts, normals, random_weights, tiny_config};

fn other_config(config: &ClipConfig) -> OtherConfig {
    let (vision, text) = (&config.vision, &config.text);
    OtherConfig {
        text_config: text_model::ClipTextConfig {
            vocab_size: config.vocab_size,
            embed_dim: text.width,
            activation: text_model::Activation::QuickGelu,
            intermediate_size: text.mlp_width,
            max_position_embeddings: config.context_length,
            pad_with: None,
            num_hidden_layers: text.layers,
            num_attention_heads: text.heads,
            projection_dim: config.projection_dim,
        },
        vision_config: vision_model::ClipVisionConfig {
            embed_dim: vision.width,
            activation: text_model::Activation::QuickGelu,
            intermediate_size: vision.mlp_width,
            num_hidden_layers: vision.layers,
            num_attention_heads: vision.heads,
            projection_dim: config.projection_dim,
            num_channels: 3,
            image_size: config.image_size,
            patch_size: config.patch_size,
        },
        logit_scale_init_value: 2.6592,
        image_size: config.image_size,
    }
}

fn other_model(config: &ClipConfig, weights: &Weights) -> ClipModel {
    let tensors = weights.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    let builder = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    ClipModel::new(builder, &other_config(config)).unwrap()
}

/// Prompts padded with id 0 to the model's positions.
fn padded(prompts: &[Vec<u32>], length: usize) -> Tensor {
    let rows = prompts.iter().flat_map(|p| p.iter().copied().chain(std::iter::repeat(0)).take(length));
    Tensor::from_iter(rows, &Device::Cpu).unwrap().reshape((prompts.len(), length)).unwrap()
}

/// Image and text features and the zero-shot logits of both programs, within 1e-5 of their scale.
fn compare(config: ClipConfig, images: usize, classes: usize, stream: &mut Stream) {
    let weights = random_weights(&config, DType::F32, stream);
    let prompts = class_prompts(&config, classes, stream);
    let side = config.image_size;
    let pixels = normals(&[images, 3, side, side], 1.0, DType::F32, stream);
    let other = other_model(&config, &weights);
    let ids = padded(&prompts, config.context_length);
    let clip = Arc::new(Clip::new(config, &weights).unwrap());

    let image = clip.vision.encode(&pixels, false).unwrap().features;
    assert_close("image features", &image, &other.get_image_features(&pixels).unwrap(), 1e-5);
    let layout = TextLayout::shared(&prompts, clip.config.context_length).unwrap();
    let text = clip.text.encode(&layout).unwrap().features;
    assert_close("text features", &text, &other.get_text_features(&ids).unwrap(), 1e-5);

    let method = (rpo_bench::method::find("zero_shot").unwrap().build)(toml::Table::new()).unwrap();
    let head = method.bind(&clip, &rpo_bench::method::ClassTexts::of(&prompts)).unwrap();
    let frozen = clip.vision.encode(&pixels, false).unwrap();
    let images = rpo_bench::method::ImageBatch { frozen: Some(frozen), entering: None, pixels: None };
    let logits = head.classifier(&Default::default()).unwrap().logits(&images).unwrap();
    assert_close("logits", &logits, &other.forward(&pixels, &ids).unwrap().1, 1e-5);
}

#[test]
fn random_shapes_agree() {
    for seed in 0..20 {
        let mut stream = Stream::new(&["clip_oracle", &seed.to_string()]);
        let mut config = tiny_config(&mut stream);
        config.vision.activation = Activation::QuickGelu;
        config.text.activation = Activation::QuickGelu;
        compare(config, 2, 3, &mut stream);
    }
}

/// Real widths, heads, patches, positions and vocabulary; one layer a tower, to stay quick.
fn released(patch_size: usize, vision: (usize, usize), text: (usize, usize), joint: usize) -> ClipConfig {
    let tower = |(width, heads)| TowerConfig {
        width,
        layers: 1,
        heads,
        mlp_width: 4 * width,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
    };
    ClipConfig {
        vision: tower(vision),
        text: tower(text),
        image_size: 224,
        patch_size,
        vocab_size: 49_408,
        context_length: 77,
        projection_dim: joint,
        resnet: None,
    }
}

#[test]
fn vit_b_32_agrees() {
    compare(released(32, (768, 12), (512, 8), 512), 1, 2, &mut Stream::new(&["vit_b_32"]));
}

#[test]
fn vit_b_16_agrees() {
    compare(released(16, (768, 12), (512, 8), 512), 1, 2, &mut Stream::new(&["vit_b_16"]));
}

#[test]
fn vit_l_14_agrees() {
    compare(released(14, (1024, 16), (768, 12), 768), 1, 2, &mut Stream::new(&["vit_l_14"]));
}
