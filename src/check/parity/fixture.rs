//! The tensors of a folder of golden numbers.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::check::ParityError;

/// A fixture's tensors, all f32 or integers as stored.
pub(super) struct Fixture {
    pub inputs: BTreeMap<String, Tensor>,
    pub expected: BTreeMap<String, Tensor>,
    /// Token ids BOS … EOS of every class.
    pub prompts: Vec<Vec<u32>>,
    /// Other wordings, of every class.
    pub wordings: Vec<Vec<Vec<u32>>>,
}

impl Fixture {
    /// The tensors of a folder, and those inputs of the model's folder that it does not have itself.
    pub fn read(dir: &Path, model: &Path, device: &Device) -> Result<Self, ParityError> {
        let path = dir.join("inputs.safetensors");
        let mut inputs = read_tensors(&model.join("inputs.safetensors"), device)?;
        if dir != model && path.is_file() {
            inputs.extend(read_tensors(&path, device)?);
        }
        let ids = inputs.get("token_ids").ok_or_else(|| ParityError::read(&path, "no tensor token_ids"))?;
        let wordings = match inputs.get("template_token_ids") {
            Some(all) => (0..all.dim(0)?).map(|i| prompts(&all.get(i)?, &path)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let expected = read_tensors(&dir.join("expected.safetensors"), device)?;
        Ok(Self { prompts: prompts(ids, &path)?, wordings, inputs, expected })
    }

    /// Names with logits, in name order.
    pub fn cases(&self) -> Vec<String> {
        self.expected.keys().filter_map(|name| name.strip_suffix(".logits")).map(str::to_owned).collect()
    }

    /// An input tensor.
    pub fn input(&self, name: &str) -> Result<&Tensor, ParityError> {
        let path = Path::new("inputs.safetensors");
        self.inputs.get(name).ok_or_else(|| ParityError::read(path, format!("no tensor {name}")))
    }
}

/// A file of tensors, by name.
pub(super) fn read_tensors(path: &Path, device: &Device) -> Result<BTreeMap<String, Tensor>, ParityError> {
    let tensors =
        candle_core::safetensors::load(path, device).map_err(|error| ParityError::read(path, error))?;
    Ok(tensors.into_iter().collect())
}

fn prompts(token_ids: &Tensor, path: &Path) -> Result<Vec<Vec<u32>>, ParityError> {
    let rows = token_ids.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    rows.into_iter()
        .map(|row| {
            // EOS is the highest id of a row; everything behind it is padding.
            let end = row.iter().enumerate().max_by_key(|(i, id)| (**id, usize::MAX - i)).map(|(i, _)| i);
            let end = end.ok_or_else(|| ParityError::read(path, "token_ids has an empty row"))?;
            Ok(row[..=end].to_vec())
        })
        .collect()
}
