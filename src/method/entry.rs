//! How a method presents itself.

use super::contract::Method;
use super::error::MethodError;
use super::published::Publication;
use super::settings::{SettingsTable, setting};

/// What kind of method it is: tables are grouped by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Nothing is trained.
    TrainingFree,
    /// A small model behind frozen features.
    FeatureAdapter,
    /// Prompts of one or both towers.
    Prompts,
    /// The towers' own weights.
    Weights,
}

impl Family {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 4] = [Self::TrainingFree, Self::FeatureAdapter, Self::Prompts, Self::Weights];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrainingFree => "training-free",
            Self::FeatureAdapter => "feature adapters",
            Self::Prompts => "prompts",
            Self::Weights => "weights",
        }
    }
}

/// A choice between the published code's behaviour and ours. The default is the value in the method's TOML.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Key among the method's settings.
    pub key: &'static str,
    /// Value that gives the published code's behaviour, as TOML.
    pub published: &'static str,
    /// What it decides, and why the default is what it is.
    pub why: &'static str,
    /// The test of both settings in `tests/protocol_switches`.
    pub test: &'static str,
}

/// One method the program knows, as its file describes it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name in files and on the command line.
    pub id: &'static str,
    /// Short ids that are accepted in keys.
    pub aliases: &'static [&'static str],
    /// The name in tables and pictures.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The group it is shown in.
    pub family: Family,
    /// Its colour in every picture: red, green, blue.
    pub color: (u8, u8, u8),
    /// Where it departs from published code, or can.
    pub switches: &'static [Switch],
    /// What is known of its published files and figures.
    pub published: Publication,
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

impl Entry {
    /// The method with its default hyper-parameters.
    ///
    /// # Errors
    /// [`MethodError::Setting`] when its file is not what it reads.
    pub fn with_defaults(&self) -> Result<Box<dyn Method>, MethodError> {
        (self.build)(SettingsTable::split(self.default_table()?).own)
    }

    /// Whether the method, with its defaults, can meet classes it was not trained on.
    pub fn transfers(&self) -> bool {
        self.with_defaults().map_or(true, |method| method.transfers())
    }
}
