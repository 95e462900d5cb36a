//! HuggingFace's `config.json` of a CLIP model, read into [`ClipConfig`] and written from it.
//!
//! Owns the mapping of fields and their bounds. It is a third-party format: unknown fields are ignored, missing
//! ones take the defaults of transformers' `CLIPTextConfig` and `CLIPVisionConfig` (checked against 5.23.0), and
//! a `text_config_dict` (files of 2021-2022) replaces `text_config` as a whole, defaults included.
//! `eos_token_id` is not read: old files say 2, which is wrong; the text feature is taken at the highest id.
//!
//! Long because it is reading and writing of one format, field by field.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::load_error::{LoadError, read_text};
use crate::backbone::config::{Activation, ClipConfig, TowerConfig};

/// Such a file has a few kilobytes. Its JSON tree takes up to thirty times its size in memory.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
const MAX_WIDTH: usize = 1 << 15;
const MAX_LAYERS: usize = 512;
const MAX_POSITIONS: usize = 1 << 13;
const MAX_VOCABULARY: usize = 1 << 21;
const MAX_IMAGE_SIZE: usize = 1 << 12;

/// Reads `config.json`.
///
/// # Errors
/// [`LoadError`] with the file, the field and its value: not a CLIP model, an unknown activation, a size of zero
/// or beyond any real model, heads that do not divide the width, patches that do not divide the image.
pub fn read_config(path: &Path) -> Result<ClipConfig, LoadError> {
    parse_config(&read_text(path, MAX_CONFIG_BYTES)?, path)
}

/// Parses the text of a `config.json`; `path` is for messages only.
///
/// # Errors
/// As [`read_config`].
pub fn parse_config(text: &str, path: &Path) -> Result<ClipConfig, LoadError> {
    let root: Value =
        serde_json::from_str(text).map_err(|source| LoadError::Json { path: path.to_owned(), source })?;
    let Value::Object(root) = root else {
        return Err(not_clip(path, "the file is not a JSON object"));
    };
    check_model_type(&root, path)?;
    let text = section(&root, "text_config", path)?;
    let vision = section(&root, "vision_config", path)?;
    let top = Fields { path, section: "", map: Some(&root) };

    let config = ClipConfig {
        vision: tower(&vision, 768, 12)?,
        text: tower(&text, 512, 8)?,
        image_size: vision.size("image_size", 224, MAX_IMAGE_SIZE)?,
        patch_size: vision.size("patch_size", 32, MAX_IMAGE_SIZE)?,
        vocab_size: text.size("vocab_size", 49408, MAX_VOCABULARY)?,
        context_length: text.size("max_position_embeddings", 77, MAX_POSITIONS)?,
        projection_dim: top.size("projection_dim", 512, MAX_WIDTH)?,
        resnet: None,
    };
    if !config.image_size.is_multiple_of(config.patch_size) {
        let problem = format!("does not divide image_size = {}", config.image_size);
        return Err(vision.error("patch_size", config.patch_size, problem));
    }
    if config.context_length < 3 {
        return Err(text.error("max_position_embeddings", config.context_length, "no room for any word"));
    }
    let channels = vision.size("num_channels", 3, MAX_WIDTH)?;
    if channels != 3 {
        return Err(vision.error("num_channels", channels, "only RGB images (3) are supported"));
    }
    Ok(config)
}

/// The `config.json` of a model, as transformers writes it: `bos` and `eos` are the token ids of the vocabulary.
pub fn config_json(config: &ClipConfig, bos: usize, eos: usize) -> Value {
    json!({
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": config.projection_dim,
        "logit_scale_init_value": 2.6592,
        "initializer_factor": 1.0,
        "torch_dtype": "float32",
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": config.vocab_size,
            "max_position_embeddings": config.context_length,
            "projection_dim": config.projection_dim,
            "hidden_size": config.text.width,
            "intermediate_size": config.text.mlp_width,
            "num_hidden_layers": config.text.layers,
            "num_attention_heads": config.text.heads,
            "hidden_act": activation_name(config.text.activation),
            "layer_norm_eps": config.text.layer_norm_eps,
            "bos_token_id": bos,
            "eos_token_id": eos,
            "pad_token_id": eos,
        },
        "vision_config": {
            "model_type": "clip_vision_model",
            "image_size": config.image_size,
            "patch_size": config.patch_size,
            "num_channels": 3,
            "projection_dim": config.projection_dim,
            "hidden_size": config.vision.width,
            "intermediate_size": config.vision.mlp_width,
            "num_hidden_layers": config.vision.layers,
            "num_attention_heads": config.vision.heads,
            "hidden_act": activation_name(config.vision.activation),
            "layer_norm_eps": config.vision.layer_norm_eps,
        },
    })
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::QuickGelu => "quick_gelu",
        Activation::Gelu => "gelu",
    }
}

fn not_clip(path: &Path, found: impl Into<String>) -> LoadError {
    LoadError::NotClip { path: path.to_owned(), found: found.into() }
}

fn check_model_type(root: &Map<String, Value>, path: &Path) -> Result<(), LoadError> {
    match root.get("model_type") {
        Some(Value::String(model_type)) if model_type == "clip" => Ok(()),
        Some(Value::String(model_type)) if model_type.starts_with("clip_") => {
            let half = if model_type.contains("vision") { "vision" } else { "text" };
            Err(LoadError::Half { path: path.to_owned(), half, model_type: model_type.clone() })
        }
        Some(other) if !other.is_null() => Err(not_clip(path, format!("\"model_type\" is {other}"))),
        _ if root.contains_key("text_config") && root.contains_key("vision_config") => Ok(()),
        _ => Err(not_clip(path, "\"model_type\" is missing, and text_config or vision_config too")),
    }
}

/// `NAME_dict` where it is present and not null, else `NAME`, else nothing (all defaults).
fn section<'a>(
    root: &'a Map<String, Value>,
    name: &'static str,
    path: &'a Path,
) -> Result<Fields<'a>, LoadError> {
    let present = |key: &str| root.get(key).filter(|value| !value.is_null());
    match present(&format!("{name}_dict")).or_else(|| present(name)) {
        None => Ok(Fields { path, section: name, map: None }),
        Some(Value::Object(map)) => Ok(Fields { path, section: name, map: Some(map) }),
        Some(other) => Err(LoadError::Field {
            path: path.to_owned(),
            field: name.to_owned(),
            value: shortened(other),
            problem: "expected an object".to_owned(),
        }),
    }
}

/// One tower with transformers' defaults for its width and heads; both MLPs default to four times that width.
fn tower(fields: &Fields<'_>, width: usize, heads: usize) -> Result<TowerConfig, LoadError> {
    let tower = TowerConfig {
        width: fields.size("hidden_size", width, MAX_WIDTH)?,
        layers: fields.size("num_hidden_layers", 12, MAX_LAYERS)?,
        heads: fields.size("num_attention_heads", heads, MAX_WIDTH)?,
        mlp_width: fields.size("intermediate_size", 4 * width, 8 * MAX_WIDTH)?,
        activation: fields.activation()?,
        layer_norm_eps: fields.epsilon()?,
    };
    if !tower.width.is_multiple_of(tower.heads) {
        let problem = format!("does not divide hidden_size = {}", tower.width);
        return Err(fields.error("num_attention_heads", tower.heads, problem));
    }
    Ok(tower)
}

/// The fields of one section, with the names that messages need.
struct Fields<'a> {
    path: &'a Path,
    section: &'static str,
    map: Option<&'a Map<String, Value>>,
}

impl Fields<'_> {
    /// The value of a field; null counts as missing.
    fn get(&self, key: &str) -> Option<&Value> {
        self.map.and_then(|map| map.get(key)).filter(|value| !value.is_null())
    }

    fn size(&self, key: &str, default: usize, max: usize) -> Result<usize, LoadError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=max).contains(size))
            .ok_or_else(|| self.error(key, shortened(value), format!("expected an integer from 1 to {max}")))
    }

    fn activation(&self) -> Result<Activation, LoadError> {
        match self.get("hidden_act") {
            None => Ok(Activation::QuickGelu),
            Some(Value::String(name)) if name == "quick_gelu" => Ok(Activation::QuickGelu),
            Some(Value::String(name)) if name == "gelu" => Ok(Activation::Gelu),
            Some(other) => {
                Err(self.error("hidden_act", shortened(other), "supported are \"quick_gelu\" and \"gelu\""))
            }
        }
    }

    fn epsilon(&self) -> Result<f64, LoadError> {
        let Some(value) = self.get("layer_norm_eps") else { return Ok(1e-5) };
        value.as_f64().filter(|eps| *eps > 0.0 && *eps < 1.0).ok_or_else(|| {
            self.error("layer_norm_eps", shortened(value), "expected a number between 0 and 1")
        })
    }

    fn error(&self, key: &str, value: impl ToString, problem: impl Into<String>) -> LoadError {
        let separator = if self.section.is_empty() { "" } else { "." };
        LoadError::Field {
            path: self.path.to_owned(),
            field: format!("{}{separator}{key}", self.section),
            value: value.to_string(),
            problem: problem.into(),
        }
    }
}

/// A JSON value for a message, cut where a hostile file would flood the terminal.
fn shortened(value: &Value) -> String {
    const MAX_CHARS: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<ClipConfig, LoadError> {
        parse_config(text, Path::new("m/config.json"))
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn missing_fields_take_transformers_defaults() {
        let config = parse(r#"{"model_type":"clip","text_config":null,"unknown":[1]}"#).unwrap();
        assert_eq!((config.vision.width, config.vision.heads, config.vision.mlp_width), (768, 12, 3072));
        assert_eq!((config.text.width, config.text.heads, config.text.mlp_width), (512, 8, 2048));
        assert_eq!((config.vision.layers, config.text.layers), (12, 12));
        assert_eq!((config.image_size, config.patch_size), (224, 32));
        assert_eq!((config.vocab_size, config.context_length, config.projection_dim), (49408, 77, 512));
        assert_eq!(config.text.activation, Activation::QuickGelu);
        assert_eq!(config.text.layer_norm_eps.to_bits(), 1e-5f64.to_bits());
    }

    #[test]
    fn an_old_dict_section_replaces_the_new_one_with_its_defaults() {
        let config = parse(
            r#"{"projection_dim":768,"vision_config":{"patch_size":14},"vision_config_dict":null,
                "text_config":{"hidden_size":768,"num_attention_heads":12,"num_hidden_layers":3,"eos_token_id":2},
                "text_config_dict":{"hidden_size":1024,"num_attention_heads":16}}"#,
        )
        .unwrap();
        assert_eq!((config.text.width, config.text.heads, config.text.layers), (1024, 16, 12));
        assert_eq!((config.patch_size, config.projection_dim), (14, 768));
    }

    #[test]
    fn bad_values_are_named_with_file_field_and_value() {
        for (text, parts) in [
            (r#"{"model_type":"bert"}"#, vec!["m/config.json", "\"bert\""]),
            (r#"{"hidden_size":768}"#, vec!["model_type", "missing"]),
            (r#"[]"#, vec!["m/config.json", "not a JSON object"]),
            (
                r#"{"model_type":"clip","vision_config":{"num_attention_heads":7}}"#,
                vec!["vision_config.num_attention_heads = 7", "hidden_size = 768"],
            ),
            (
                r#"{"model_type":"clip","vision_config":{"patch_size":15}}"#,
                vec!["vision_config.patch_size = 15", "image_size = 224"],
            ),
            (
                r#"{"model_type":"clip","text_config":{"hidden_act":"silu"}}"#,
                vec!["\"silu\"", "quick_gelu", "\"gelu\""],
            ),
            (r#"{"model_type":"clip","projection_dim":0}"#, vec!["use projection_dim = 0"]),
            (
                r#"{"model_type":"clip","text_config":{"num_hidden_layers":1e12}}"#,
                vec!["num_hidden_layers", "512"],
            ),
            (r#"{"model_type":"clip","text_config":{"layer_norm_eps":"x"}}"#, vec!["layer_norm_eps = \"x\""]),
            (r#"{"model_type":"clip","text_config":3}"#, vec!["text_config = 3"]),
            (r#"{"model_type":"clip","vision_config":{"num_channels":1}}"#, vec!["num_channels = 1"]),
        ] {
            let message = message(text);
            for part in parts {
                assert!(message.contains(part), "{text}: {message:?} lacks {part:?}");
            }
        }
    }

    #[test]
    fn what_is_written_reads_back_equal() {
        let mut config = parse(r#"{"model_type":"clip"}"#).unwrap();
        config.text.activation = Activation::Gelu;
        config.image_size = 32;
        config.patch_size = 8;
        assert_eq!(parse(&config_json(&config, 510, 511).to_string()).unwrap(), config);
    }

    proptest! {
        #[test]
        fn a_damaged_file_never_panics_and_the_error_names_it(at in 0usize..2000, byte in any::<u8>(), cut in 0usize..2000) {
            let config = parse(r#"{"model_type":"clip"}"#).unwrap();
            let mut bytes = config_json(&config, 1, 2).to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(bytes.len().saturating_sub(cut % 40));
            if let Err(error) = parse(&String::from_utf8_lossy(&bytes)) {
                prop_assert!(error.to_string().contains("m/config.json"));
            }
        }
    }
}
