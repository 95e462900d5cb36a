//! All methods. A new one is a file beside this one, a TOML in `suites/methods` and a line here.

use super::contract::Method;
use super::error::MethodError;
use super::settings::setting;
use super::{cocoop, coop, linear_probe, rpo, zero_shot};
use crate::util::nearest;

/// One method the program knows.
pub struct Entry {
    /// The name in files and on the command line.
    pub id: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The file of its default hyper-parameters: prompt style, training recipe, own keys.
    pub defaults: &'static str,
    /// Builds it from its own keys.
    pub build: fn(toml::Table) -> Result<Box<dyn Method>, MethodError>,
}

impl Entry {
    /// The default hyper-parameters as a table.
    ///
    /// # Errors
    /// [`MethodError::Setting`] when the file is not TOML.
    pub fn default_table(&self) -> Result<toml::Table, MethodError> {
        self.defaults.parse().map_err(|error: toml::de::Error| setting(self.id, error.to_string()))
    }
}

macro_rules! entry {
    ($id:literal, $summary:literal, $build:path) => {
        Entry {
            id: $id,
            summary: $summary,
            defaults: include_str!(concat!("../../suites/methods/", $id, ".toml")),
            build: $build,
        }
    };
}

/// Every method, in the order of tables and legends.
pub const REGISTRY: &[Entry] = &[
    entry!("zero_shot", "CLIP with hand-written prompts, nothing trained", zero_shot::build),
    entry!("linear_probe", "a linear layer on the image feature, text features fixed", linear_probe::build),
    entry!("coop", "trained context vectors in front of every class name", coop::build),
    entry!("cocoop", "CoOp's context shifted by a small network of the image feature", cocoop::build),
    entry!("rpo", "read-only prompts: K readers a tower over frozen tokens", rpo::build),
];

/// The ids of [`REGISTRY`], in order.
pub fn ids() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|entry| entry.id)
}

/// The method `name`.
///
/// # Errors
/// [`MethodError::Unknown`] with the nearest name.
pub fn find(name: &str) -> Result<&'static Entry, MethodError> {
    REGISTRY.iter().find(|entry| entry.id == name).ok_or_else(|| MethodError::Unknown {
        name: name.to_owned(),
        nearest: nearest(name, ids()).unwrap_or_default().to_owned(),
        known: ids().collect::<Vec<_>>().join(", "),
    })
}
