//! `model`: shape, export, features, conversion.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};

use super::exit::{Exit, Failure};
use crate::backbone::files::prompt_checkpoint::PromptCheckpoint;
use crate::backbone::{Clip, ClipSource, LoadedClip, TextLayout, export_folder};
use crate::preprocess::{decode, normalize, read_file, test_transform};
use crate::suite::{SavedPrompts, about, is_embedded, load_pocket, method_id, pocket_vocabulary};
use crate::util::atomic_file;
use crate::util::mistaken::Mistake;

fn load(clip: Option<&Path>) -> Result<LoadedClip, Failure> {
    Ok(match clip {
        Some(dir) if !is_embedded(dir) => ClipSource::open(dir)?.load()?,
        _ => load_pocket()?,
    })
}

pub(super) fn info(clip: Option<&Path>, json: bool) -> Result<Exit, Failure> {
    let model = load(clip)?;
    let config = &model.config;
    let weights: usize = model.weights.iter().map(|(_, tensor)| tensor.elem_count()).sum();
    if json {
        let document = serde_json::json!({
            "name": model.name,
            "kind": model.kind.id(),
            "image_tower": if config.resnet.is_some() { "resnet" } else { "transformer" },
            "image_size": config.image_size,
            "patch_size": config.resnet.is_none().then_some(config.patch_size),
            "vision_width": config.vision.width,
            "text_width": config.text.width,
            "joint_width": config.projection_dim,
            "config": config,
            "parameters": weights,
            "weights_sha256": model.weights_sha256,
            "revision": model.revision,
            "assumed": model.assumed,
            "tokenizer": model.tokenizer.is_some(),
        });
        println!("{document}");
        return Ok(Exit::Ok);
    }
    println!("name         {}", model.name);
    println!("kind         {}", model.kind.id());
    model.revision.iter().for_each(|revision| println!("revision     {revision}"));
    match &config.resnet {
        None => {
            println!("image        {} px, patch {}", config.image_size, config.patch_size);
            println!(
                "vision       width {} × {} layers, {} heads",
                config.vision.width, config.vision.layers, config.vision.heads
            );
        }
        Some(resnet) => {
            println!("image        {} px", config.image_size);
            println!("vision       ResNet, width {}, blocks {:?}", resnet.width, resnet.layers);
        }
    }
    println!(
        "text         width {} × {} layers, {} heads",
        config.text.width, config.text.layers, config.text.heads
    );
    println!("vocabulary   {} tokens, {} positions", config.vocab_size, config.context_length);
    println!("joint space  {}", config.projection_dim);
    println!("weights      {weights}");
    println!("sha256       {}", model.weights_sha256);
    model.assumed.iter().for_each(|assumed| println!("note         {assumed}"));
    Ok(Exit::Ok)
}

pub(super) fn export(dir: &Path) -> Result<Exit, Failure> {
    let model = load_pocket()?;
    export_folder(dir, &model.config, &model.weights, &pocket_vocabulary()?)?;
    println!("{}", dir.display());
    Ok(Exit::Ok)
}

fn pixels(path: &Path, side: usize) -> Result<Vec<f32>, Failure> {
    let fail = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Data, format!("read image {}: {error}", path.display()))
    };
    let bytes = read_file(path).map_err(|error| fail(&error))?;
    let image = decode(&bytes).map_err(|error| match Mistake::of(&bytes) {
        Some(mistake) => fail(&mistake),
        None => fail(&error),
    })?;
    Ok(normalize(&test_transform(&image, side)))
}

fn image_features(clip: &Clip, images: &[PathBuf]) -> Result<Vec<Vec<f32>>, Failure> {
    let side = clip.config.image_size;
    images
        .iter()
        .map(|path| {
            let pixels = Tensor::from_vec(pixels(path, side)?, (1, 3, side, side), &Device::Cpu)?;
            Ok(clip.vision.encode(&pixels, false)?.features.get(0)?.to_vec1::<f32>()?)
        })
        .collect()
}

pub(super) fn features(dir: Option<&Path>, images: &[PathBuf], texts: &[String]) -> Result<Exit, Failure> {
    let model = load(dir)?;
    let clip = Clip::new(model.config.clone(), &model.weights.to(&Device::Cpu, DType::F32)?)?;
    let mut token_ids = Vec::new();
    let mut text_features = Vec::new();
    for text in texts {
        let ids = model.tokenizer()?.encode(text)?;
        let layout = TextLayout::shared(std::slice::from_ref(&ids), clip.config.context_length)
            .map_err(|error| Failure::new(Exit::Data, error))?;
        text_features.push(clip.text.encode(&layout)?.features.get(0)?.to_vec1::<f32>()?);
        token_ids.push(ids);
    }
    let image_features = image_features(&clip, images)?;
    let document = serde_json::json!({
        "token_ids": token_ids, "image_features": image_features, "text_features": text_features,
    });
    println!("{document}");
    Ok(Exit::Ok)
}

pub(super) fn convert(input: &Path, output: &Path, method: Option<&str>) -> Result<Exit, Failure> {
    let method = method.map(method_id);
    let saved = SavedPrompts::read(input, method);
    let (saved, bytes) = match torch_epoch(output) {
        Some(epoch) => {
            let saved = saved?;
            let bytes = saved.torch_bytes(epoch)?;
            (saved, bytes)
        }
        None => {
            let ours = saved.as_ref().is_ok_and(|saved| saved.metadata.contains_key(about::CONFIG));
            // Published pairs of prompts keep the names that they have there.
            match PromptCheckpoint::read(input) {
                Ok(prompts) if !ours && method.is_none() => {
                    prompts.write(output)?;
                    println!("{}: {} prompts a tower", output.display(), prompts.prompts());
                    return Ok(Exit::Ok);
                }
                _ => {}
            }
            let saved = saved?;
            let bytes = saved.safetensors_bytes();
            (saved, bytes)
        }
    };
    atomic_file::write(output, &bytes)
        .map_err(|error| Failure::new(Exit::RunFailed, format!("write {}: {error}", output.display())))?;
    println!("{}: parameters of {}", output.display(), saved.method);
    Ok(Exit::Ok)
}

/// Whether a file's name is one of torch's, and the epoch at its end (`model.pth.tar-50`).
fn torch_epoch(path: &Path) -> Option<Option<u32>> {
    let name = path.file_name()?.to_string_lossy();
    let plain = [".pt", ".pth", ".pth.tar"].iter().any(|end| name.ends_with(end));
    let epoch = name.rsplit_once(".pth.tar-").and_then(|(_, epoch)| epoch.parse().ok());
    (plain || epoch.is_some()).then_some(epoch)
}
