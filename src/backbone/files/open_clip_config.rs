//! open_clip's `open_clip_config.json`, read into [`ClipConfig`].
//!
//! Owns the mapping of fields and which of them are understood. A field that changes what is computed and that this
//! program does not compute is refused by its name; so is a field it does not know, unless it is null, false or
//! empty. The activation is quick-GELU where `quick_gelu` is true and the exact GELU where it is false or absent.

use std::path::Path;

use serde_json::{Map, Value};

use super::load_error::{LoadError, read_text};
use crate::backbone::config::{Activation, ClipConfig, RESNET_STRIDE, ResNetConfig, TowerConfig};

const MAX_CONFIG_BYTES: u64 = 1 << 20;
const MAX_SIZE: usize = 1 << 21;
const MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
const STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// Reads an `open_clip_config.json`.
///
/// # Errors
/// [`LoadError::Field`] with the field and its value, [`LoadError::Json`].
pub(super) fn read_open_clip_config(path: &Path) -> Result<ClipConfig, LoadError> {
    let root: Value = serde_json::from_str(&read_text(path, MAX_CONFIG_BYTES)?)
        .map_err(|source| LoadError::Json { path: path.to_owned(), source })?;
    let root = Section { path, name: String::new(), map: root.as_object() };
    let model = root.section("model_cfg")?;
    model.understood(
        &["embed_dim", "vision_cfg", "text_cfg", "quick_gelu", "custom_text"],
        &["init_logit_scale", "cast_dtype", "output_dict", "nonscalar_logit_scale"],
    )?;
    let (vision, text) = (model.section("vision_cfg")?, model.section("text_cfg")?);
    let activation = match model.get("quick_gelu") {
        None | Some(Value::Bool(false)) => Activation::Gelu,
        Some(Value::Bool(true)) => Activation::QuickGelu,
        Some(other) => return Err(model.error("quick_gelu", other, "expected true or false")),
    };
    vision.fixed("pool_type", "tok")?;
    vision.fixed("pos_embed_type", "learnable")?;
    vision.understood(
        &["layers", "width", "head_width", "mlp_ratio", "patch_size", "image_size", "norm_kwargs"],
        &[
            "patch_dropout",
            "output_tokens",
            "pool_type",
            "pos_embed_type",
            "attn_pooler_queries",
            "attn_pooler_heads",
        ],
    )?;
    text.fixed("pool_type", "argmax")?;
    text.fixed("proj_type", "linear")?;
    text.understood(
        &["context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "norm_kwargs"],
        &["hf_tokenizer_name", "output_tokens", "pool_type", "proj_type", "pad_id"],
    )?;
    check_preprocessing(&root.section("preprocess_cfg")?, &vision)?;

    let text_tower =
        tower(&text, text.size("width", 512)?, text.size("heads", 8)?, text.size("layers", 12)?, activation)?;
    let (image_size, head_width) = (vision.size("image_size", 224)?, vision.size("head_width", 64)?);
    let resnet = stages(&vision)?;
    let width = vision.size("width", if resnet.is_some() { 64 } else { 768 })?;
    let (vision_tower, patch_size) = match resnet {
        Some(_) => {
            let embed = 32 * width;
            let pool = tower(&vision, embed, embed / head_width, 1, activation)?;
            (TowerConfig { mlp_width: 0, ..pool }, RESNET_STRIDE)
        }
        None => {
            let tower = tower(&vision, width, width / head_width, vision.size("layers", 12)?, activation)?;
            (tower, vision.size("patch_size", 16)?)
        }
    };
    if !image_size.is_multiple_of(patch_size) {
        let problem = format!("does not divide image_size = {image_size}");
        return Err(vision.error("patch_size", &Value::from(patch_size), &problem));
    }
    Ok(ClipConfig {
        vision: vision_tower,
        text: text_tower,
        image_size,
        patch_size,
        vocab_size: text.size("vocab_size", 49408)?,
        context_length: text.size("context_length", 77)?,
        projection_dim: model.required("embed_dim")?,
        resnet: resnet.map(|layers| ResNetConfig { width, layers }),
    })
}

fn tower(
    fields: &Section<'_>,
    width: usize,
    heads: usize,
    layers: usize,
    activation: Activation,
) -> Result<TowerConfig, LoadError> {
    if heads == 0 || !width.is_multiple_of(heads) {
        let problem = format!("{heads} heads do not divide it");
        return Err(fields.error("width", &Value::from(width), &problem));
    }
    let ratio = match fields.get("mlp_ratio") {
        None => 4.0,
        Some(value) => value
            .as_f64()
            .filter(|ratio| *ratio > 0.0 && *ratio <= 64.0)
            .ok_or_else(|| fields.error("mlp_ratio", value, "expected a number from 0 to 64"))?,
    };
    Ok(TowerConfig {
        width,
        layers,
        heads,
        // Python's int(width * mlp_ratio).
        mlp_width: (width as f64 * ratio) as usize,
        activation,
        layer_norm_eps: epsilon(fields)?,
    })
}

fn epsilon(fields: &Section<'_>) -> Result<f64, LoadError> {
    let Some(value) = fields.get("norm_kwargs") else { return Ok(1e-5) };
    let map = value.as_object().filter(|map| map.keys().all(|key| key == "eps"));
    match map.map(|map| map.get("eps")) {
        Some(None) => Ok(1e-5),
        Some(Some(eps)) => eps
            .as_f64()
            .filter(|eps| *eps > 0.0 && *eps < 1.0)
            .ok_or_else(|| fields.error("norm_kwargs", value, "expected eps between 0 and 1")),
        None => Err(fields.error("norm_kwargs", value, "only eps is understood")),
    }
}

/// The blocks of a ResNet's stages, where `layers` is a list.
fn stages(vision: &Section<'_>) -> Result<Option<[usize; 4]>, LoadError> {
    let Some(Value::Array(list)) = vision.get("layers") else { return Ok(None) };
    let counts = list.iter().map(|count| count.as_u64().filter(|count| (1..=512).contains(count)));
    let counts: Option<Vec<usize>> = counts.map(|count| Some(count? as usize)).collect();
    match counts.and_then(|counts| <[usize; 4]>::try_from(counts).ok()) {
        Some(counts) => Ok(Some(counts)),
        None => Err(vision.error("layers", &Value::Array(list.clone()), "expected four numbers of blocks")),
    }
}

/// The pictures must be prepared as CLIP's: anything else would be computed wrongly and in silence.
fn check_preprocessing(fields: &Section<'_>, vision: &Section<'_>) -> Result<(), LoadError> {
    fields.fixed("interpolation", "bicubic")?;
    fields.fixed("resize_mode", "shortest")?;
    fields.fixed("mode", "RGB")?;
    for (key, expected) in [("mean", MEAN), ("std", STD)] {
        let Some(value) = fields.get(key) else { continue };
        let numbers: Option<Vec<f64>> =
            value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
        let same = |found: &Vec<f64>| {
            found.len() == 3 && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6)
        };
        if !numbers.as_ref().is_some_and(same) {
            return Err(fields.error(
                key,
                value,
                &format!("pictures are prepared with CLIP's {expected:?} only"),
            ));
        }
    }
    if let Some(size) = fields.get("size") {
        let side = vision.size("image_size", 224)? as u64;
        let sides: Vec<Option<u64>> = match size {
            Value::Array(list) => list.iter().map(Value::as_u64).collect(),
            one => vec![one.as_u64()],
        };
        if sides.iter().any(|found| *found != Some(side)) {
            return Err(fields.error("size", size, &format!("the model's image_size is {side}")));
        }
    }
    fields.understood(&["mean", "std", "size"], &["interpolation", "resize_mode", "mode", "fill_color"])
}

/// The fields of one object, with the names that messages need.
struct Section<'a> {
    path: &'a Path,
    name: String,
    map: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    /// The value of a field; null counts as absent.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.and_then(|map| map.get(key)).filter(|value| !value.is_null())
    }

    fn section(&self, key: &str) -> Result<Section<'a>, LoadError> {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        match self.get(key) {
            Some(Value::Object(map)) => Ok(Section { path: self.path, name, map: Some(map) }),
            None if key == "preprocess_cfg" => Ok(Section { path: self.path, name, map: None }),
            other => Err(self.error(key, other.unwrap_or(&Value::Null), "expected an object")),
        }
    }

    fn size(&self, key: &str, default: usize) -> Result<usize, LoadError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=MAX_SIZE).contains(size))
            .ok_or_else(|| self.error(key, value, &format!("expected an integer from 1 to {MAX_SIZE}")))
    }

    fn required(&self, key: &str) -> Result<usize, LoadError> {
        match self.get(key) {
            Some(_) => self.size(key, 0),
            None => Err(self.error(key, &Value::Null, "it must be there")),
        }
    }

    /// A field that may only have the value this program computes.
    fn fixed(&self, key: &str, only: &str) -> Result<(), LoadError> {
        match self.get(key) {
            Some(value) if value.as_str() != Some(only) => {
                Err(self.error(key, value, &format!("only {only:?} is supported")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses any field that is neither read nor harmless, unless it switches something off.
    fn understood(&self, read: &[&str], harmless: &[&str]) -> Result<(), LoadError> {
        let Some(map) = self.map else { return Ok(()) };
        for (key, value) in map {
            let off = match value {
                Value::Null | Value::Bool(false) => true,
                Value::Object(map) => map.is_empty(),
                _ => false,
            };
            if !off && !read.contains(&key.as_str()) && !harmless.contains(&key.as_str()) {
                return Err(self.error(key, value, "a model with it computes something else; not supported"));
            }
        }
        Ok(())
    }

    fn error(&self, key: &str, value: &Value, problem: &str) -> LoadError {
        let dot = if self.name.is_empty() { "" } else { "." };
        LoadError::Field {
            path: self.path.to_owned(),
            field: format!("{}{dot}{key}", self.name),
            value: value.to_string().chars().take(60).collect(),
            problem: problem.to_owned(),
        }
    }
}
