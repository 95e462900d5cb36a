//! One name for a run, in every command that reads records: `SUITE-PROFILE`, the suite's name alone where only one
//! run has it, or a folder that holds `records/`.

use std::path::{Component, Path};

use super::exit::{Exit, Failure};
use crate::record::{RunRecord, Store, read_record};
use crate::suite::SUITES;

/// A run that was found.
#[derive(Debug)]
pub(super) struct Run {
    /// Its directory.
    pub store: Store,
    /// Name of the directory.
    pub name: String,
    /// Suite its cells belong to.
    pub suite: String,
    /// Profile its cells belong to.
    pub profile: String,
}

/// The run called `name`, under `out` or at a path.
///
/// # Errors
/// A data failure that lists the runs there are; one that lists the candidates where a suite's name is not enough.
pub(super) fn find(out: &Path, name: &str, command: &str) -> Result<Run, Failure> {
    // Whoever ran `suite my.toml` may well ask for `report my.toml`.
    let word = name.strip_suffix(".toml").map_or(name, |stem| stem.rsplit('/').next().unwrap_or(stem));
    let runs = out.join("runs");
    if is_plain(word) {
        let exact = runs.join(word);
        if is_run(&exact) {
            return Run::open(&exact);
        }
        let start = format!("{word}-");
        let known: Vec<String> = known(&runs).into_iter().filter(|run| run.starts_with(&start)).collect();
        match known.as_slice() {
            [] => {}
            [only] => return Run::open(&runs.join(only)),
            several => {
                let message =
                    format!("{command} {name}: which of {}? Give the whole name", several.join(", "));
                return Err(Failure::new(Exit::Usage, message));
            }
        }
    }
    let folder = Path::new(name);
    if folder.join("records").is_dir() {
        return Run::open(folder);
    }
    let known = known(&runs);
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let message = format!(
        "{command} {name}: neither a run under --out (there: {known}) nor a folder that holds records/: {}",
        runs.display()
    );
    Err(Failure::new(Exit::Data, message))
}

/// A run that has no record yet: its suite and profile as `name` has them, `pocket` where it has none.
///
/// # Errors
/// A usage failure for a name that is neither a suite nor starts with one.
pub(super) fn planned(out: &Path, name: &str) -> Result<Run, Failure> {
    let whole = match SUITES.iter().any(|(suite, _)| *suite == name) {
        true => format!("{name}-pocket"),
        false => name.to_owned(),
    };
    let (suite, profile) = by_name(&whole);
    if !is_plain(&whole) || !SUITES.iter().any(|(known, _)| *known == suite) {
        let message = format!("--run {name}: no such run, and no suite's name; expected SUITE-PROFILE");
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(Run { store: Store::new(out, &suite, &profile), name: whole, suite, profile })
}

impl Run {
    /// Opens a run directory. Its records say whose it is; without one, its name does.
    fn open(dir: &Path) -> Result<Self, Failure> {
        let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let store = Store::at(dir);
        let first = store.list("records", "json")?.into_iter().next();
        let record = first.map(|file| read_record(&dir.join("records").join(file))).transpose()?;
        let (suite, profile) = match record {
            Some(RunRecord { cell, .. }) => (cell.suite, cell.profile),
            None => by_name(&name),
        };
        Ok(Self { store, name, suite, profile })
    }
}

/// Suite and profile of a directory without a record: the longest suite of this program that its name starts with.
fn by_name(name: &str) -> (String, String) {
    let known = SUITES.iter().map(|(suite, _)| *suite);
    let (suite, profile) = known
        .filter_map(|suite| Some((suite, name.strip_prefix(suite)?.strip_prefix('-')?)))
        .max_by_key(|(suite, _)| suite.len())
        .or_else(|| name.rsplit_once('-'))
        .unwrap_or((name, "pocket"));
    (suite.to_owned(), profile.to_owned())
}

/// Names of the runs in a folder, sorted.
pub(super) fn known(runs: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let visible = |entry: &std::fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    let found = entries.filter(|entry| visible(entry) && is_run(&entry.path()));
    let mut names: Vec<String> =
        found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A run directory has records, or the plan of a run that has none yet.
fn is_run(dir: &Path) -> bool {
    dir.join("records").is_dir() || dir.join("suite.toml").is_file()
}

/// Whether a name is one word that stays below the folder of runs.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out_with(runs: &[&str]) -> tempfile::TempDir {
        let out = tempfile::tempdir().unwrap();
        for run in runs {
            std::fs::create_dir_all(out.path().join("runs").join(run).join("records")).unwrap();
        }
        out
    }

    #[test]
    fn a_run_has_one_name_in_every_command() {
        let out = out_with(&["smoke-pocket", "few_shot-pocket", "base2new-a", "base2new-b", ".forgotten"]);
        let name =
            |word: &str| find(out.path(), word, "report").map(|run| (run.name, run.suite, run.profile));
        let smoke = ("smoke-pocket".to_owned(), "smoke".to_owned(), "pocket".to_owned());
        assert_eq!(name("smoke-pocket").unwrap(), smoke);
        assert_eq!(name("smoke").unwrap(), smoke);
        assert_eq!(name(out.path().join("runs/smoke-pocket").to_str().unwrap()).unwrap(), smoke);
        assert_eq!(name("few_shot").unwrap().1, "few_shot");
        let several = name("base2new").unwrap_err();
        assert!(several.exit == Exit::Usage && several.message.contains("base2new-a, base2new-b"));
        for word in ["../../x", "..", "", ".forgotten", "smoke-vit", "smok"] {
            let failure = name(word).unwrap_err();
            assert_eq!(failure.exit, Exit::Data, "{word}");
            assert!(failure.message.contains("there: base2new-a"), "{}", failure.message);
        }
    }
}
