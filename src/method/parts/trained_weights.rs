//! What is trained of the towers' own weights, as changes of the towers.

use candle_core::Tensor;

use super::layer_norms::{Modality, Norms};
use super::low_rank::Lora;
use crate::backbone::changes::{BlockChanges, Dropout, TextChanges, VisionChanges};
use crate::backbone::{Clip, TowerConfig};
use crate::method::error::MethodError;
use crate::method::parameters::Named;
use crate::util::rng::Stream;

/// What is trained of the towers.
#[derive(Clone, Copy, Debug)]
pub enum TrainedWeights {
    Lora(Lora),
    Norms(Norms),
}

/// Changes of both towers; absent where a tower stays frozen.
pub type Changes = (Option<VisionChanges>, Option<TextChanges>);

/// The towers' names in weights files, with blocks.
const VISION: &str = "vision_model";
const TEXT: &str = "text_model";

impl TrainedWeights {
    /// Whether the vision tower trains, and the text tower.
    pub fn towers(&self) -> [bool; 2] {
        match self {
            Self::Lora(_) => [true; 2],
            Self::Norms(norms) => [norms.modality != Modality::Text, norms.modality != Modality::Vision],
        }
    }

    /// Initial values, in the order of their draws: the vision tower's first.
    pub fn initial(&self, clip: &Clip, stream: &mut Stream) -> Result<Vec<(String, Tensor)>, MethodError> {
        let [of_vision, of_text] = self.towers();
        let (vision, text) = ((VISION, &clip.config.vision), (TEXT, &clip.config.text));
        let mut all = Vec::new();
        match self {
            Self::Lora(lora) => {
                all.extend(lora.initial(clip, vision, stream)?);
                all.extend(lora.initial(clip, text, stream)?);
            }
            Self::Norms(norms) => {
                if of_vision {
                    all.extend(norms.initial_vision(clip, vision)?);
                }
                if of_text {
                    all.extend(norms.initial_text(clip, text));
                }
            }
        }
        Ok(all)
    }

    /// The towers' changes with these values.
    pub fn changes(&self, clip: &Clip, parameters: &Named) -> Result<Changes, MethodError> {
        let [of_vision, of_text] = self.towers();
        let (vision, text) = (&clip.config.vision, &clip.config.text);
        let [vision_start, text_start] = match self {
            Self::Lora(_) => [0; 2],
            Self::Norms(norms) => [norms.vision_start, norms.text_start],
        };
        let vision = of_vision.then(|| -> Result<_, MethodError> {
            let [first_norm, last_norm] = match self {
                Self::Lora(_) => [None, None],
                Self::Norms(norms) => norms.outer_vision(parameters, vision.width)?,
            };
            let blocks = self.blocks(parameters, (VISION, vision), vision_start)?;
            Ok(VisionChanges { blocks, first_norm, last_norm, ..VisionChanges::default() })
        });
        let text = of_text.then(|| -> Result<_, MethodError> {
            let last_norm = match self {
                Self::Lora(_) => None,
                Self::Norms(norms) => norms.outer_text(parameters, text.width)?,
            };
            let blocks = self.blocks(parameters, (TEXT, text), text_start)?;
            Ok(TextChanges { blocks, last_norm, ..TextChanges::default() })
        });
        Ok((vision.transpose()?, text.transpose()?))
    }

    fn blocks(
        &self,
        parameters: &Named,
        tower: (&str, &TowerConfig),
        start: usize,
    ) -> Result<BlockChanges, MethodError> {
        let mut changes = BlockChanges::default();
        for block in start..tower.1.layers {
            match self {
                Self::Lora(lora) => changes.low_rank.extend(lora.additions(parameters, tower, block)?),
                Self::Norms(_) => changes.norms.extend(Norms::changed(parameters, tower, block)?),
            }
        }
        Ok(changes)
    }

    /// Has a training step leave out some of the additions' input, by random numbers of this name.
    pub fn drop_out(&self, (vision, text): &mut Changes, noise: &str) {
        let Self::Lora(Lora { dropout, .. }) = self else { return };
        if *dropout <= 0.0 {
            return;
        }
        let of_vision = vision.iter_mut().map(|changes| ("vision", &mut changes.blocks));
        let of_text = text.iter_mut().map(|changes| ("text", &mut changes.blocks));
        for (tower, blocks) in of_vision.chain(of_text) {
            for low in &mut blocks.low_rank {
                low.dropout = Some(Dropout::new(*dropout, &format!("{noise} {tower}")));
            }
        }
    }
}
