//! The embedded pocket CLIP, read through the code that reads every other model.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use crate::backbone::files::hf_config;
use crate::backbone::{
    BpeVocabulary, ClipTokenizer, LoadError, LoadedClip, ModelKind, TokenizerError, Weights,
};
use crate::suite::error::SuiteError;
use crate::util::hex;

const CONFIG: &str = include_str!("../../../assets/pocket/config.json");
const WEIGHTS: &[u8] = include_bytes!("../../../assets/pocket/model.safetensors");
const VOCABULARY: &str = include_str!("../../../assets/pocket/vocab.json");
const MERGES: &str = include_str!("../../../assets/pocket/merges.txt");

/// The pocket vocabulary.
///
/// # Errors
/// Never for the embedded files.
pub fn pocket_vocabulary() -> Result<BpeVocabulary, SuiteError> {
    let origin = Path::new("assets/pocket/vocab.json");
    let broken = |problem: String| TokenizerError::Vocabulary { path: origin.to_owned(), problem };
    let ids: BTreeMap<String, u32> =
        serde_json::from_str(VOCABULARY).map_err(|error| broken(error.to_string()))?;
    let merges = MERGES
        .lines()
        .filter(|line| !line.starts_with("#version"))
        .filter_map(|line| line.split_once(' '))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect();
    Ok(BpeVocabulary::new(ids, merges, origin)?)
}

/// The word that stands for the pocket CLIP in a model's place.
const WORD: &str = "pocket";

/// Whether `--clip` names the embedded model: its word, where no file or folder has that name.
pub fn is_embedded(clip: &Path) -> bool {
    clip == Path::new(WORD) && !clip.exists()
}

/// Whether a model is the pocket CLIP, whichever folder it was read from: its shape and all its weights.
///
/// # Errors
/// Never for the embedded files; what candle reports otherwise.
pub(super) fn is_pocket(model: &LoadedClip) -> Result<bool, SuiteError> {
    let pocket = load_pocket()?;
    if model.config != pocket.config {
        return Ok(false);
    }
    let values = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>();
    for (name, ours) in pocket.weights.iter() {
        let Ok(theirs) = model.weights.get(name, ours.dims()) else { return Ok(false) };
        if values(ours)? != values(&theirs)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The pocket CLIP: f16-rounded weights as f32, on the CPU.
///
/// # Errors
/// Never for the embedded files.
pub fn load_pocket() -> Result<LoadedClip, SuiteError> {
    let config = hf_config::parse_config(CONFIG, Path::new("assets/pocket/config.json"))?;
    let tensors = candle_core::safetensors::load_buffer(WEIGHTS, &Device::Cpu)
        .map_err(|source| LoadError::Candle { path: "assets/pocket/model.safetensors".into(), source })?;
    let weights =
        Weights::new("the pocket model", tensors.into_iter().collect()).to(&Device::Cpu, DType::F32)?;
    let tokenizer =
        ClipTokenizer::new(pocket_vocabulary()?, config.context_length, Path::new("assets/pocket"))?;
    Ok(LoadedClip {
        config,
        weights,
        tokenizer: Some(tokenizer),
        weights_sha256: hex(&<sha2::Sha256 as sha2::Digest>::digest(WEIGHTS)),
        weights_files: vec!["model.safetensors".to_owned()],
        name: "pocket".to_owned(),
        folder: "assets/pocket".into(),
        kind: ModelKind::Pocket,
        revision: None,
        assumed: None,
    })
}
