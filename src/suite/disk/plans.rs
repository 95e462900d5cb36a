//! What any command on a run directory asked for, so that a narrower one does not make a wider one's gaps unseen.
//!
//! `plans/HASH.toml` is a resolved suite, one file for each different one. `suite.toml` beside it is the last.

use sha2::{Digest, Sha256};

use crate::record::{SettingValues, Store};
use crate::report::Planned;
use crate::suite::error::SuiteError;
use crate::suite::plan::resolve::Plan;
use crate::suite::spec::file::SuiteFile;
use crate::suite::spec::overrides::Resolved;
use crate::suite::spec::prompt_files;
use crate::util::hex;

/// The folder of plans in a run directory.
pub(in crate::suite) const FOLDER: &str = "plans";
/// Digits of a plan's name.
const DIGITS: usize = 12;

/// Adds a resolved suite to the plans, unless it is among them.
///
/// # Errors
/// [`SuiteError::Store`].
pub(in crate::suite) fn remember(store: &Store, suite: &SuiteFile) -> Result<(), SuiteError> {
    let text =
        toml::to_string(suite).map_err(|error| SuiteError::Usage(format!("keep the plan: {error}")))?;
    let name: String = hex(&Sha256::digest(&text)).chars().take(DIGITS).collect();
    let path = format!("{FOLDER}/{name}.toml");
    if !store.dir().join(&path).is_file() {
        store.write(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Every plan with its path relative to the run directory, in name order; the last command's suite where the
/// directory is of a version that kept no other.
///
/// # Errors
/// [`SuiteError::File`] for a plan this program cannot read.
pub(in crate::suite) fn all(store: &Store, name: &str) -> Result<Vec<(String, SuiteFile)>, SuiteError> {
    let mut found = Vec::new();
    for file in store.list(FOLDER, "toml")? {
        let path = format!("{FOLDER}/{file}");
        let text = String::from_utf8_lossy(&store.read(&path)?).into_owned();
        let whole = store.dir().join(&path).display().to_string();
        found.push((path, SuiteFile::parse_from(name, &text, &whole)?));
    }
    if found.is_empty() {
        found.extend(SuiteFile::stored(store, name)?.map(|suite| ("suite.toml".to_owned(), suite)));
    }
    Ok(found)
}

/// The cells of a plan with the settings they were to have.
///
/// # Errors
/// A setting this program does not know.
pub(in crate::suite) fn cells(suite: &SuiteFile, profile: &str) -> Result<Vec<Planned>, SuiteError> {
    let plan = Plan::new(suite.clone(), &[], None)?;
    // One map a method, however many cells it has.
    let of_method = |method: &Resolved| -> SettingValues {
        method.config.iter().chain(&method.switches).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let settings: Vec<SettingValues> = plan.methods.iter().map(of_method).collect();
    let cells = plan.coordinates(profile).into_iter().map(|cell| {
        let mut variant = cell.variant.clone();
        variant.remove(prompt_files::VARIANT);
        let method = plan.methods.iter().position(|m| m.id == cell.method && m.variant == variant);
        let settings = method.map(|at| settings[at].clone()).unwrap_or_default();
        Planned { cell, settings }
    });
    Ok(cells.collect())
}
