//! The settings identity of a record: everything that the seeds of one mean must agree in.
//!
//! Left out is what differs between the runs of one mean by design (seed, draw), what belongs to a dataset (its
//! lists, held against each other by the table), and what says where a number was made but cannot change it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::schema::{Provenance, RunRecord};
use crate::util::hex;

/// Digits of an identity in tables.
const DIGITS: usize = 12;

/// Settings of a record by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    parts: BTreeMap<String, String>,
}

impl Identity {
    /// The identity of a record: its resolved configuration and switches, and what of the model, the code and
    /// the device decides its numbers.
    pub fn of(record: &RunRecord) -> Self {
        let mut parts = BTreeMap::clone(&record.switches);
        parts.extend(BTreeMap::clone(&record.config));
        // What the suite sets for this dataset alone counts as what it sets for the others.
        parts.extend(record.set_for_dataset.clone());
        parts.extend(origin(&record.provenance).map(|(name, value)| (name.to_owned(), value)));
        let cell = &record.cell;
        parts.insert("limit".to_owned(), cell.limit.map_or_else(|| "none".to_owned(), |n| n.to_string()));
        if let Some(imported) = record.imported() {
            parts.insert(super::imported::VARIANT.to_owned(), imported.kind.mark().to_owned());
        }
        parts.insert("train_classes".to_owned(), cell.train_classes.to_string());
        Self { parts }
    }

    /// Settings by name.
    pub fn parts(&self) -> &BTreeMap<String, String> {
        &self.parts
    }

    /// `s` and the first 12 hexadecimal digits of the SHA-256 over all parts. Digits alone could read as a number.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in &self.parts {
            hash.update(format!("{name}\t{value}\n"));
        }
        std::iter::once('s').chain(hex(&hash.finalize()).chars().take(DIGITS)).collect()
    }

    /// Names of the settings in which not all of them agree.
    pub fn differing<'a>(all: &[&'a Self]) -> BTreeSet<&'a str> {
        let names: BTreeSet<&str> = all.iter().flat_map(|one| one.parts.keys().map(String::as_str)).collect();
        let differs = |name: &&str| all.iter().any(|one| one.parts.get(*name) != all[0].parts.get(*name));
        names.into_iter().filter(differs).collect()
    }
}

/// What of a record's origin its numbers depend on. A field that is added to [`Provenance`] must be placed here.
fn origin(provenance: &Provenance) -> [(&'static str, String); 7] {
    let Provenance {
        numerics_version,
        device,
        dtype,
        decoder,
        data_kind,
        weights_sha256,
        model_sha256,
        // Parts of the model's.
        config_sha256: _,
        tokenizer_sha256: _,
        // Of one dataset, or of one seed.
        split_sha256: _,
        draw_sha256: _,
        // Where and when, which decides no number.
        model_revision: _,
        version: _,
        commit: _,
        dirty: _,
        features: _,
        lockfile_sha256: _,
        target: _,
        cpu_model: _,
        driver: _,
        device_model: _,
        command: _,
        finished_at: _,
        // Placed by the identity itself, where there is one.
        imported: _,
        slurm: _,
    } = provenance;
    [
        ("numerics_version", numerics_version.to_string()),
        ("device", device.clone()),
        ("dtype", dtype.clone()),
        ("decoder", decoder.clone()),
        ("data", data_kind.clone()),
        ("weights", weights_sha256.clone()),
        ("model", model_sha256.clone()),
    ]
}
