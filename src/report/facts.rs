//! What can be said of a record's origin, by name and group: read by the provenance of a page and by the
//! comparison of two runs, so that what one prints the other compares.

use crate::record::RunRecord;

/// One fact about a record.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// `code`, `machine`, `model` or `data`.
    pub group: &'static str,
    /// Name in tables.
    pub name: &'static str,
    /// Its value, shortened where it is a hash.
    pub value: fn(&RunRecord) -> String,
}

/// Every fact, in the order of a page.
pub const FACTS: [Fact; 13] = [
    Fact { group: "code", name: "version", value: |r| r.provenance.version.clone() },
    Fact { group: "code", name: "commit", value: commit },
    Fact { group: "code", name: "numerics version", value: |r| r.provenance.numerics_version.to_string() },
    Fact { group: "code", name: "cargo features", value: features },
    Fact { group: "code", name: "Cargo.lock", value: |r| short(&r.provenance.lockfile_sha256) },
    Fact { group: "machine", name: "device", value: |r| r.provenance.device.clone() },
    Fact { group: "machine", name: "device model", value: |r| r.provenance.device_model.clone() },
    Fact { group: "model", name: "profile", value: |r| r.cell.profile.clone() },
    Fact { group: "model", name: "model weights", value: |r| short(&r.provenance.weights_sha256) },
    Fact { group: "model", name: "dtype of frozen weights", value: |r| r.provenance.dtype.clone() },
    Fact { group: "data", name: "pictures", value: |r| r.provenance.data_kind.clone() },
    Fact { group: "data", name: "decoder", value: |r| r.provenance.decoder.clone() },
    Fact { group: "data", name: "test images a class", value: limit },
];

/// The first 12 digits of a hash.
pub fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn commit(record: &RunRecord) -> String {
    let id = record.provenance.commit.as_deref().map_or_else(|| "unknown".to_owned(), short);
    if record.provenance.dirty == Some(true) { format!("{id} with uncommitted changes") } else { id }
}

fn features(record: &RunRecord) -> String {
    let features = &record.provenance.features;
    if features.is_empty() { "none".to_owned() } else { features.join(" ") }
}

fn limit(record: &RunRecord) -> String {
    record.cell.limit.map_or_else(|| "all".to_owned(), |n| format!("at most {n}"))
}
