//! Records that lie in the run directory already and must not meet this run's: another model's, or those of other
//! lists under the same name. Found before hours are spent, not when the page is made.

use std::sync::Arc;

use crate::record::{Outcome, Provenance, RunRecord, Store};
use crate::suite::error::SuiteError;
use crate::suite::world::{BenchDataset, World};

/// Digits of a hash in messages.
const SHOWN: usize = 12;
/// Digits of the weights' hash in a profile's name.
const DIGITS: usize = 8;

/// The profile to run under: the world's own, with the first digits of the weights' hash where the records of
/// another model hold that name under `out`.
///
/// # Errors
/// [`SuiteError::Store`] for a record that cannot be read.
pub fn free_profile(world: &World, out: &std::path::Path, suite: &str) -> Result<String, SuiteError> {
    let other = Store::new(out, suite, &world.profile)
        .all()?
        .into_iter()
        .find(|record| is_ours(record) && !is_same_model(&record.provenance, world));
    Ok(match other {
        // The same weights under another configuration or tokenizer are another model, too.
        Some(other) if other.provenance.weights_sha256 == world.identity.weights_sha256 => {
            format!("{}-{}", world.profile, first(&world.identity.sha256(), DIGITS))
        }
        Some(_) => format!("{}-{}", world.profile, first(&world.identity.weights_sha256, DIGITS)),
        None => world.profile.clone(),
    })
}

/// Whether a record is complete and was made by this program, which alone knows its model.
fn is_ours(record: &RunRecord) -> bool {
    record.outcome == Outcome::Complete && record.imported().is_none()
}

/// Whether a record was made with this world's model, as far as it says.
fn is_same_model(origin: &Provenance, world: &World) -> bool {
    let same_weights = origin.weights_sha256 == world.identity.weights_sha256;
    same_weights && (origin.model_sha256.is_empty() || origin.model_sha256 == world.identity.sha256())
}

/// Holds the model and the lists of `datasets` against the complete records of the run directory.
///
/// # Errors
/// [`SuiteError::Usage`] naming what differs and what to do.
pub(in crate::suite) fn check(
    store: &Store,
    world: &World,
    datasets: &[Arc<BenchDataset>],
) -> Result<(), SuiteError> {
    for record in store.all()?.iter().filter(|record| is_ours(record)) {
        let origin = &record.provenance;
        let refuse = |what: String, key: &str, theirs: &str, ours: &str| {
            let (theirs, ours) = (first(theirs, SHOWN), first(ours, SHOWN));
            let run = store.dir().file_name().unwrap_or_default().to_string_lossy();
            Err(SuiteError::Usage(format!(
                "run under the name {run}: {what} differs: {ours} here, {theirs} in the records that lie there; give \
                 another --out, or remove them with `rpo-bench runs forget {run} --where {key}={theirs}`"
            )))
        };
        if !is_same_model(origin, world) {
            let ours = if origin.model_sha256.is_empty() {
                world.identity.weights_sha256.clone()
            } else {
                world.identity.sha256()
            };
            return refuse("the model".into(), "model", origin.model(), &ours);
        }
        let same = |dataset: &&Arc<BenchDataset>| dataset.id == record.cell.dataset;
        let Some(dataset) = datasets.iter().find(same) else { continue };
        if origin.data_kind == world.data_kind() && origin.split_sha256 != dataset.split_sha256 {
            let what = format!("the lists of {} (another data folder?)", dataset.id);
            return refuse(what, "split", &origin.split_sha256, &dataset.split_sha256);
        }
    }
    Ok(())
}

fn first(hash: &str, digits: usize) -> String {
    hash.chars().take(digits).collect()
}
