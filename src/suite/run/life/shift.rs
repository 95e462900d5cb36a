//! How far a cell's trained prompts move the tokens' own features, per tower and layer.
//!
//! Two references: `initial`, the same sequences with the prompts' initial values, and `no_prompts`, the words
//! and images alone (where prompts take the place of words, these words). A method's claim to leave a tower
//! untouched is held against both: against the first, whose sequences have one shape, the distance must be
//! exactly zero; against the second, whose sequences are shorter, last bits may differ.

use super::lane::Lane;
use crate::data::Classes;
use crate::method::{ImageBatch, Named, Needs, Shift, TokenRows};
use crate::record::Measurement;
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::world::BenchDataset;
use crate::train::readable;
use crate::train::{frozen_pass, test_pixels};

/// Test images looked at, one a class.
const IMAGES: usize = 8;
/// Largest relative distance that another sequence length may cause in f32.
const OTHER_LENGTH: f64 = 1e-4;

/// Measures one cell; `parameters` are its trained ones.
pub(in crate::suite) fn measure(
    lane: &Lane<'_>,
    dataset: &BenchDataset,
    cell: &CellPlan,
    parameters: Option<&Named>,
) -> Result<Vec<Measurement>, SuiteError> {
    let resolved = lane.method(cell);
    let initial = match (parameters, cell.cell.seed) {
        // What reads shots lies behind the towers, so any values will do.
        (Some(trained), Some(_)) if resolved.method.reads_shots() => Some(trained.clone()),
        (Some(_), Some(seed)) => Some(lane.initial(dataset, resolved, seed, None)?.values()?),
        _ => None,
    };
    let mut taken = Vec::new();
    for classes in &lane.plan.suite.evaluate {
        let texts = lane.texts(dataset, resolved, *classes)?;
        let images = images(lane, dataset, *classes)?;
        let rows =
            |values: Option<&Named>| resolved.method.token_rows(&lane.world.clip, &texts, values, &images);
        let trained = rows(parameters)?;
        for (reference, rows) in [("initial", rows(initial.as_ref())?), ("no_prompts", rows(None)?)] {
            let place = [("reference", reference.to_owned()), ("classes", classes.to_string())];
            let limit = if reference == "initial" { 0.0 } else { OTHER_LENGTH };
            taken.extend(compare(lane, cell, &trained, &rows, &place, limit)?);
        }
    }
    Ok(taken)
}

/// One test image of each of the first classes of a half.
fn images(lane: &Lane<'_>, dataset: &BenchDataset, classes: Classes) -> Result<ImageBatch, SuiteError> {
    let listed = dataset.of_half(&dataset.split.test, classes, Some(1));
    let policy = lane.plan.settings.globals.broken_images;
    let (mut items, _) = readable(policy, dataset.source.as_ref(), listed, &|| (lane.stop)())?;
    items.truncate(IMAGES);
    let clip = &lane.world.clip;
    let pixels = test_pixels(dataset.source.as_ref(), &items, clip.config.image_size, clip.device())?;
    Ok(frozen_pass(clip, pixels, Needs::POOLED.or(Needs::PIXELS))?)
}

fn compare(
    lane: &Lane<'_>,
    cell: &CellPlan,
    trained: &TokenRows,
    reference: &TokenRows,
    place: &[(&str, String)],
    limit: f64,
) -> Result<Vec<Measurement>, SuiteError> {
    let resolved = lane.method(cell);
    let claim = resolved.method.untouched();
    let mut taken = Vec::new();
    for (tower, claimed, rows, old) in [
        ("text", claim.text, &trained.text, &reference.text),
        ("vision", claim.vision, &trained.vision, &reference.vision),
    ] {
        for (layer, (rows, old)) in rows.iter().zip(old).enumerate() {
            let shift = Shift::between(rows, old)?;
            if claimed && shift.relative_l2_max > limit {
                let (method, value) = (resolved.id.to_owned(), shift.relative_l2_max);
                return Err(SuiteError::Touched { method, tower, value, limit });
            }
            let here = [place, &[("tower", tower.to_owned()), ("layer", (layer + 1).to_string())]].concat();
            taken.extend([
                Measurement::new("one_minus_cosine_mean", &here, shift.one_minus_cosine_mean),
                Measurement::new("one_minus_cosine_max", &here, shift.one_minus_cosine_max),
                Measurement::new("relative_l2_mean", &here, shift.relative_l2_mean),
                Measurement::new("relative_l2_max", &here, shift.relative_l2_max),
            ]);
        }
    }
    Ok(taken)
}
