//! `auto`: batch sizes chosen by the memory that is free when a run first starts; afterwards the run directory holds them.
//!
//! The number found takes the word's place before anything is planned. It is a power of two, so that the same card
//! gives the same number on another day; keys and records hold the number, never the word.

use toml::Value;

use crate::backbone::{Clip, ClipConfig, DEFAULT_GRID, DEFAULT_MAX_ROWS, TowerConfig};
use crate::suite::error::SuiteError;
use crate::suite::plan::sizes::Sizes;
use crate::suite::spec::globals::{GRID, MAX_ROWS};
use crate::util::machine::available_memory_bytes;

const F32_BYTES: u64 = 4;
/// Numbers of a row in one block, in widths, that a step with gradients holds: inputs and outputs of every operation,
/// the MLP's four times as wide, and as many gradients.
const TRAINED_WIDTHS: u64 = 40;
/// The same without gradients: the operations of one block.
const FROZEN_WIDTHS: u64 = 20;
/// Times the width of the stem: the map, its successor, and nine copies of the half as wide one before.
const RESNET_WIDTHS: u64 = 8;
/// More images or rows at a time gain nothing on any card.
const MOST: [u64; 2] = [512, 1 << 16];

/// Puts numbers in the place of `auto`: those of `sizes`, where it has any.
///
/// # Errors
/// [`SuiteError::Override`] where free memory cannot be found out.
pub fn settle<'s>(
    settings: impl IntoIterator<Item = (&'s String, &'s mut Value)>,
    clip: &Clip,
    sizes: &mut Sizes,
) -> Result<(), SuiteError> {
    for (key, value) in settings {
        if value.as_str() != Some("auto") || ![MAX_ROWS, GRID].contains(&key.as_str()) {
            continue;
        }
        let number = sizes.get_or(key, || {
            let free = free_bytes(clip).ok_or_else(|| SuiteError::Override {
                key: key.clone(),
                value: "auto".to_owned(),
                reason: "free memory is not known here; give a number".to_owned(),
            })?;
            let number = if key == MAX_ROWS { rows(&clip.config, free) } else { images(&clip.config, free) };
            Ok(u32::try_from(number).unwrap_or(u32::MAX))
        })?;
        *value = Value::Integer(number.into());
    }
    Ok(())
}

fn free_bytes(clip: &Clip) -> Option<u64> {
    #[cfg(feature = "cuda")]
    if let candle_core::Device::Cuda(device) = clip.device() {
        return device.cuda_stream().context().mem_get_info().ok().map(|(free, _)| free as u64);
    }
    clip.device().is_cpu().then(available_memory_bytes).flatten()
}

/// Prompt or context rows of a step that fit in half of `free` bytes; from the default down only where they do not.
fn rows(config: &ClipConfig, free: u64) -> u64 {
    let row = |tower: &TowerConfig| tower.layers as u64 * tower.width as u64 * TRAINED_WIDTHS * F32_BYTES;
    let fits = free / 2 / row(&config.text).max(row(&config.vision)).max(1);
    match fits {
        fits if fits >= 2 * DEFAULT_MAX_ROWS as u64 => power_of_two(fits).min(MOST[1]),
        fits if fits >= DEFAULT_MAX_ROWS as u64 => DEFAULT_MAX_ROWS as u64,
        fits => power_of_two(fits),
    }
}

/// Images of a frozen pass that fit in a quarter of `free` bytes, with the keys and values they leave behind.
fn images(config: &ClipConfig, free: u64) -> u64 {
    let (tower, tokens) = (&config.vision, config.image_tokens() as u64);
    let scores = tower.heads as u64 * tokens * tokens * 2;
    let rows = tokens * tower.width as u64 * (FROZEN_WIDTHS + 2 * tower.layers as u64);
    // A ResNet's largest map is the stem's, at half the side, copied nine times for a convolution.
    let map = config
        .resnet
        .as_ref()
        .map_or(0, |resnet| (config.image_size as u64 / 2).pow(2) * resnet.width as u64 * RESNET_WIDTHS);
    let fits = free / 4 / ((scores + rows + map) * F32_BYTES).max(1);
    if fits < DEFAULT_GRID as u64 { power_of_two(fits) } else { power_of_two(fits).min(MOST[0]) }
}

/// The largest power of two up to `number`, at least 1.
fn power_of_two(number: u64) -> u64 {
    1 << number.max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn sizes_grow_with_memory_and_stay_within_it() {
        let config = crate::check::bench::ModelShape::find("vit-b-16").unwrap().config();
        let [small, desk, card] =
            [2 * GIB, 8 * GIB, 78 * GIB].map(|free| (rows(&config, free), images(&config, free)));
        assert!(small.0 < desk.0 && desk.0 < card.0 && small.1 < desk.1 && desk.1 < card.1);
        assert_eq!(card, (16384, 512));
        // Three seeds of RPO's 24 prompts for 50 classes are one piece there.
        assert!(card.0 >= 3 * 24 * 50);
        assert_eq!((rows(&config, 1), images(&config, 1)), (1, 1));
        for free in [GIB / 2, GIB, 5 * GIB, 23 * GIB] {
            assert!(images(&config, free).is_power_of_two() && images(&config, free) * 30_000_000 < free);
        }
    }

    #[test]
    fn only_the_word_and_only_where_it_is_known_is_replaced() {
        let world = crate::suite::World::open(None, None, &candle_core::Device::Cpu).unwrap();
        let word = || Value::String("auto".to_owned());
        let mut set = [
            (MAX_ROWS.to_owned(), word()),
            (GRID.to_owned(), Value::Integer(7)),
            ("views".to_owned(), word()),
        ];
        let mut sizes = Sizes::default();
        match settle(set.iter_mut().map(|(key, value)| (&*key, value)), &world.clip, &mut sizes) {
            Ok(()) => assert!(set[0].1.as_integer().unwrap() > 0),
            Err(error) => {
                assert!(available_memory_bytes().is_none() && error.to_string().contains("give a number"))
            }
        }
        assert_eq!((set[1].1.as_integer(), set[2].1.as_str()), (Some(7), Some("auto")));
    }
}
