//! One verification, from a catalog and an id to a report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rayon::prelude::*;

use super::contents::{self, Content};
use super::fault::{Fault, VerifyError, VerifyReport};
use super::files::{Stamp, stamp};
use super::lists;
use super::state::State;
use crate::data::{Catalog, Dataset};

/// Files that are read before progress is told and remembered.
const CHUNK_FILES: usize = 512;

/// How thorough a verification is.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Checks lists, presence and sizes only.
    pub quick: bool,
    /// Remembers what was read, so that an interrupted run can go on. Must lie outside the data root,
    /// one file a dataset.
    pub state_file: Option<PathBuf>,
}

/// Verifies one dataset; `progress` gets the files done and the files in all, from this thread.
///
/// # Errors
/// [`VerifyError`] for an unknown id or an unusable state file.
pub fn verify(
    catalog: &Catalog,
    id: &str,
    options: &VerifyOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<VerifyReport, VerifyError> {
    catalog.manifest(id)?;
    let mut report = VerifyReport {
        dataset: id.to_owned(),
        quick: options.quick,
        counts: None,
        split_sha256: None,
        checked_files: 0,
        decoded_images: 0,
        faults: Vec::new(),
        notes: Vec::new(),
    };
    let dataset = match catalog.open(id) {
        Ok(dataset) => dataset,
        Err(error) => {
            report.faults.push(Fault::CannotOpen { reason: error.to_string() });
            return Ok(report);
        }
    };
    report.counts = Some(dataset.counts());
    report.split_sha256 = Some(dataset.split_sha256.clone());
    report.notes.clone_from(&dataset.notes);
    report.faults = lists::check(&dataset);
    let paths = distinct_paths(&dataset);
    if options.quick {
        check_sizes(&dataset, &paths, &mut report);
        progress(paths.len(), paths.len());
    } else {
        let state = State::open(options.state_file.as_deref(), &dataset.root, id)?;
        check_contents(&dataset, &paths, state, &mut report, progress)?;
    }
    Ok(report)
}

/// Listed paths in order, each once.
fn distinct_paths(dataset: &Dataset) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    lists::listed(dataset).map(|(_, item)| item.path.as_str()).filter(|path| seen.insert(*path)).collect()
}

fn check_sizes(dataset: &Dataset, paths: &[&str], report: &mut VerifyReport) {
    let faults: Vec<Fault> = paths.par_iter().filter_map(|path| stamp(&dataset.root, path).err()).collect();
    report.checked_files = paths.len();
    report.faults.extend(faults);
}

fn check_contents(
    dataset: &Dataset,
    paths: &[&str],
    mut state: State,
    report: &mut VerifyReport,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), VerifyError> {
    let mut contents = BTreeMap::new();
    for chunk in paths.chunks(CHUNK_FILES) {
        let seen = examine_chunk(dataset, chunk, &state);
        state.append(&seen.fresh)?;
        report.checked_files += chunk.len();
        report.faults.extend(seen.faults);
        contents.extend(seen.fresh.into_iter().map(|(path, _, content)| (path, content)));
        contents.extend(seen.remembered);
        progress(report.checked_files, paths.len());
    }
    report.decoded_images = contents.values().filter(|content| content.problem.is_none()).count();
    report.faults.extend(contents::duplicates(dataset, &contents));
    Ok(())
}

/// What one chunk of files gave.
#[derive(Default)]
struct Chunk<'a> {
    faults: Vec<Fault>,
    fresh: Vec<(&'a str, Stamp, Content)>,
    remembered: Vec<(&'a str, Content)>,
}

fn examine_chunk<'a>(dataset: &Dataset, paths: &[&'a str], state: &State) -> Chunk<'a> {
    let source = dataset.source();
    let examine = |path: &&'a str| -> Result<(&'a str, Stamp, Content, bool), Fault> {
        let stamp = stamp(&dataset.root, path)?;
        let known = state.known(path, stamp);
        let is_fresh = known.is_none();
        Ok((*path, stamp, known.unwrap_or_else(|| contents::examine(&source, path)), is_fresh))
    };
    let mut chunk = Chunk::default();
    for result in paths.par_iter().map(examine).collect::<Vec<_>>() {
        match result {
            Err(fault) => chunk.faults.push(fault),
            Ok((path, stamp, content, is_fresh)) => {
                let fault = |reason| Fault::UnreadableImage { path: path.to_owned(), reason };
                chunk.faults.extend(content.problem.clone().map(fault));
                if is_fresh {
                    chunk.fresh.push((path, stamp, content));
                } else {
                    chunk.remembered.push((path, content));
                }
            }
        }
    }
    chunk
}
