//! One file of weights under OpenAI's names, which open_clip uses too: its shape and its tensors.
//!
//! Owns what follows from names and shapes alone. The file says neither the number of heads (64 wide in every
//! released model) nor the activation (quick-GELU in OpenAI's): who has a configuration uses it instead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use candle_core::{Device, Tensor};

use super::load_error::LoadError;
use super::openai_names::{Part, source_of};
use super::safetensors_file::SafetensorsFile;
use super::tensor_file::{TensorFile, is_zip};
use super::tensor_names::expected_tensors;
use super::torch_file::open_torch;
use super::weights::Weights;
use super::weights_files::{refuse_non_finite, refuse_too_few_bytes};
use crate::backbone::config::{Activation, ClipConfig, RESNET_STRIDE, ResNetConfig, TowerConfig};

/// A tensor of both kinds of image tower; what stands before it stands before every name.
const ANCHOR: &str = "visual.conv1.weight";
/// A tensor only a ModifiedResNet has.
const RESNET: &str = "visual.layer1.0.conv1.weight";
const TOKENS: &str = "token_embedding.weight";
/// Width of a head in every model OpenAI released.
const HEAD_WIDTH: usize = 64;
const LAYER_NORM_EPS: f64 = 1e-5;

/// An open file of a CLIP under OpenAI's names.
pub(super) struct OpenAiFile {
    file: Box<dyn TensorFile>,
    prefix: String,
    /// Before the text tower's names: open_clip's `custom_text` models say `text.`.
    text_prefix: &'static str,
}

impl OpenAiFile {
    /// Opens a torch file of any format, or a safetensors file, told by its first bytes.
    ///
    /// # Errors
    /// [`LoadError::NotOpenAi`] where the names are others; what is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let is_torch = is_zip(path)? || path.extension().is_none_or(|ending| ending != "safetensors");
        let file: Box<dyn TensorFile> =
            if is_torch { open_torch(path)? } else { Box::new(SafetensorsFile::open(path)?) };
        let names = file.names();
        let prefixes = names.iter().filter_map(|name| name.strip_suffix(ANCHOR));
        let prefix = prefixes
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .min_by_key(|prefix| prefix.len())
            .ok_or_else(|| not_openai(path, &names))?
            .to_owned();
        let custom = format!("{prefix}text.{TOKENS}");
        let text_prefix = if file.shape(&custom).is_some() { "text." } else { "" };
        Ok(Self { file, prefix, text_prefix })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    fn full(&self, name: &str) -> String {
        let text = if name.starts_with("visual.") || name == "logit_scale" { "" } else { self.text_prefix };
        format!("{}{text}{name}", self.prefix)
    }

    fn dims(&self, name: &str, rank: usize) -> Result<Vec<usize>, LoadError> {
        let full = self.full(name);
        match self.file.shape(&full) {
            Some(shape) if shape.len() == rank && shape.iter().all(|size| *size > 0) => Ok(shape.to_vec()),
            Some(shape) => {
                let problem = format!("shape {shape:?}; expected {rank} sizes, none of them 0");
                Err(LoadError::tensor(self.path(), &full, problem))
            }
            None => Err(self.missing(&full)),
        }
    }

    fn missing(&self, full: &str) -> LoadError {
        LoadError::TensorMissing {
            path: self.path().to_owned(),
            tensor: full.to_owned(),
            hint: "is this a whole CLIP model?".to_owned(),
        }
    }

    /// Number of distinct N in names such as `transformer.resblocks.N.…`.
    fn count(&self, before: &str) -> usize {
        let before = self.full(before);
        let names = self.file.names();
        let rest = names.iter().filter_map(|name| name.strip_prefix(&before)?.split_once('.'));
        rest.filter_map(|(number, _)| number.parse::<usize>().ok()).collect::<BTreeSet<_>>().len()
    }

    /// The shape, out of the tensors: OpenAI's format, which holds no configuration.
    ///
    /// # Errors
    /// [`LoadError::Heads`] for a width 64 does not divide; a tensor that is missing or of an odd shape; sizes the
    /// file states as numbers and that its tensors contradict.
    pub fn config(&mut self) -> Result<ClipConfig, LoadError> {
        let text_width = self.dims("ln_final.weight", 1)?[0];
        let text = self.tower(text_width, self.count("transformer.resblocks."))?;
        let (vocab_size, context_length) =
            (self.dims(TOKENS, 2)?[0], self.dims("positional_embedding", 2)?[0]);
        let joint = self.dims("text_projection", 2)?[1];
        let is_resnet = self.file.shape(&self.full(RESNET)).is_some();
        let config = if is_resnet {
            let (resnet, cells) = (self.resnet()?, self.dims("visual.attnpool.positional_embedding", 2)?[0]);
            let vision = TowerConfig { layers: 1, mlp_width: 0, ..self.tower(32 * resnet.width, 1)? };
            let image_size = RESNET_STRIDE * self.side("visual.attnpool.positional_embedding", cells)?;
            ClipConfig {
                vision,
                text,
                image_size,
                patch_size: RESNET_STRIDE,
                vocab_size,
                context_length,
                projection_dim: joint,
                resnet: Some(resnet),
            }
        } else {
            let patch = self.dims(ANCHOR, 4)?;
            let vision = self.tower(patch[0], self.count("visual.transformer.resblocks."))?;
            let rows = self.dims("visual.positional_embedding", 2)?[0];
            let image_size = patch[3] * self.side("visual.positional_embedding", rows)?;
            ClipConfig {
                vision,
                text,
                image_size,
                patch_size: patch[3],
                vocab_size,
                context_length,
                projection_dim: joint,
                resnet: None,
            }
        };
        self.check_numbers(&config)?;
        Ok(config)
    }

    fn tower(&self, width: usize, layers: usize) -> Result<TowerConfig, LoadError> {
        if !width.is_multiple_of(HEAD_WIDTH) {
            return Err(LoadError::Heads { path: self.path().to_owned(), width });
        }
        Ok(TowerConfig {
            width,
            layers,
            heads: width / HEAD_WIDTH,
            mlp_width: 4 * width,
            activation: Activation::QuickGelu,
            layer_norm_eps: LAYER_NORM_EPS,
        })
    }

    fn resnet(&self) -> Result<ResNetConfig, LoadError> {
        let layers = [1, 2, 3, 4].map(|stage| self.count(&format!("visual.layer{stage}.")));
        Ok(ResNetConfig { width: self.dims(RESNET, 4)?[0], layers })
    }

    /// √(rows − 1): cells on a side, of a table with one row for the whole image.
    fn side(&self, table: &str, rows: usize) -> Result<usize, LoadError> {
        let side = (rows - 1).isqrt();
        if side > 0 && side * side == rows - 1 {
            return Ok(side);
        }
        let problem = format!("{rows} rows are not one more than a square");
        Err(LoadError::tensor(self.path(), &self.full(table), problem))
    }

    /// OpenAI's archives state three sizes as numbers.
    fn check_numbers(&mut self, config: &ClipConfig) -> Result<(), LoadError> {
        for (name, implied) in [
            ("input_resolution", config.image_size),
            ("context_length", config.context_length),
            ("vocab_size", config.vocab_size),
        ] {
            let full = format!("{}{name}", self.prefix);
            if let Some(stated) = self.file.integer(&full)?
                && stated != implied as i64
            {
                let problem = format!("it says {stated}, but the other tensors imply {implied}");
                return Err(LoadError::tensor(self.path(), &full, problem));
            }
        }
        Ok(())
    }

    /// Every tensor the configuration implies, in f32 on the CPU, under HuggingFace's names; a ResNet's image tower
    /// keeps its own.
    ///
    /// # Errors
    /// A tensor that is missing, of another shape or not of a floating-point type.
    pub fn load(&mut self, config: &ClipConfig) -> Result<Weights, LoadError> {
        let expected = expected_tensors(config);
        for (name, shape) in &expected {
            self.check(name, shape)?;
        }
        refuse_too_few_bytes(self.path(), &[self.path().to_owned()], &expected)?;
        let mut tensors = BTreeMap::new();
        for (name, shape) in expected {
            let tensor = self.tensor(&name, &shape)?;
            tensors.insert(name, tensor);
        }
        Ok(Weights::new(self.path().display().to_string(), tensors))
    }

    fn check(&self, name: &str, shape: &[usize]) -> Result<(), LoadError> {
        let source = source_of(name, shape);
        let full = self.full(&source.name);
        let found = self.file.shape(&full).ok_or_else(|| self.missing(&full))?;
        // One element is a scalar, whatever its rank.
        if found == source.shape || (shape.is_empty() && found == [1]) {
            return Ok(());
        }
        Err(LoadError::TensorShape {
            path: self.path().to_owned(),
            tensor: full,
            found: found.to_vec(),
            expected: source.shape,
        })
    }

    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let source = source_of(name, shape);
        let full = self.full(&source.name);
        let stored = self.file.read(&full)?;
        let values = stored.to_f32();
        let path = self.file.path().to_owned();
        refuse_non_finite(&path, &full, &stored, &values)?;
        let built = || -> candle_core::Result<Tensor> {
            let whole = Tensor::from_vec(values, source.shape.as_slice(), &Device::Cpu)?;
            match source.part {
                Part::Whole => Ok(whole),
                Part::Transposed => whole.t()?.contiguous(),
                Part::Rows(start) => whole.narrow(0, start, shape[0])?.force_contiguous(),
            }
        };
        built().map_err(|source| LoadError::Candle { path, source })
    }
}

fn not_openai(path: &Path, names: &[String]) -> LoadError {
    let found = match names.first() {
        None => "it holds no tensors".to_owned(),
        Some(_) if names.iter().any(|name| name.contains("vision_model.")) => {
            "its names are HuggingFace's: give the folder with its config.json".to_owned()
        }
        Some(first) => format!("{} tensors are there, the first is {first:?}", names.len()),
    };
    LoadError::NotOpenAi { path: path.to_owned(), found }
}
