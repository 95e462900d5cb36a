//! Whether a dataset's files are there and look like pictures, without decoding them: for `doctor`.
//!
//! Reads the head of every listed file. What is missing is looked for where people have it by mistake: one folder
//! further down or up, or under other names.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::fault::Fault;
use super::files::stamp;
use super::lists::listed;
use crate::data::Dataset;
use crate::util::mistaken::Mistake;

/// Listed files looked at before a copy is called renamed or misplaced.
const SAMPLE: usize = 20;
/// Enough for every picture format's signature and every mistake's.
const HEAD_BYTES: u64 = 256;

/// How many of a dataset's listed files are usable as far as their heads show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// Distinct listed files.
    pub listed: usize,
    /// Those that are not there.
    pub missing: usize,
    /// Those that cannot be opened, are empty, or hold something else than a picture.
    pub unreadable: usize,
    /// The first bad file and what is wrong with it.
    pub first: Option<String>,
    /// Where the missing ones seem to be, and the cure.
    pub hint: Option<String>,
}

impl FileCounts {
    /// True if every listed file is there and looks like a picture.
    pub fn is_sound(&self) -> bool {
        self.missing == 0 && self.unreadable == 0
    }
}

impl std::fmt::Display for FileCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { listed, missing, unreadable, .. } = self;
        write!(f, "{missing} of {listed} images are missing, {unreadable} unreadable")?;
        for part in self.first.iter().chain(&self.hint) {
            write!(f, "; {part}")?;
        }
        Ok(())
    }
}

/// Looks at the head of every listed file.
pub fn count_files(dataset: &Dataset) -> FileCounts {
    let paths: BTreeSet<&str> = listed(dataset).map(|(_, item)| item.path.as_str()).collect();
    let paths: Vec<&str> = paths.into_iter().collect();
    let faults: Vec<Fault> = paths.par_iter().filter_map(|path| head_fault(&dataset.root, path)).collect();
    let missing = faults.iter().filter(|fault| matches!(fault, Fault::MissingFile { .. })).count();
    FileCounts {
        listed: paths.len(),
        missing,
        unreadable: faults.len() - missing,
        first: faults.first().map(ToString::to_string),
        hint: if missing > 0 { misplaced(dataset) } else { None },
    }
}

fn head_fault(root: &Path, path: &str) -> Option<Fault> {
    let unreadable = |reason: String| Some(Fault::UnreadableImage { path: path.to_owned(), reason });
    if let Err(fault) = stamp(root, path) {
        return Some(fault);
    }
    let mut head = Vec::new();
    match File::open(root.join(path)).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head)) {
        Err(error) => unreadable(error.to_string()),
        Ok(_) => match Mistake::of(&head) {
            Some(mistake) => unreadable(mistake.to_string()),
            None if image::guess_format(&head).is_err() => {
                unreadable("no picture format begins so".to_owned())
            }
            None => None,
        },
    }
}

/// Where the images of a dataset lie by mistake, if none of the first listed is in its place.
pub(in crate::data) fn misplaced(dataset: &Dataset) -> Option<String> {
    let base = dataset.manifest.split_images_dir().unwrap_or_else(|| dataset.manifest.folder.to_string());
    let sample: Vec<&str> = listed(dataset).take(SAMPLE).map(|(_, item)| item.path.as_str()).collect();
    if sample.is_empty() || sample.iter().any(|path| dataset.root.join(path).exists()) {
        return None;
    }
    let first = *sample.first()?;
    let inside = first.strip_prefix(base.as_str()).map_or(first, |rest| rest.trim_start_matches('/'));
    let folder = dataset.root.join(&base);
    let name = Path::new(&base).file_name()?.to_string_lossy().into_owned();
    if folder.join(&name).join(inside).exists() {
        return Some(format!("they lie one folder too deep, in {base}/{name}: move them up"));
    }
    if let Some(above) = folder.parent().filter(|above| above.join(inside).exists()) {
        return Some(format!("they lie in {}: move them into {base}", above.display()));
    }
    if let Some((_, short)) = inside.split_once('/').filter(|(_, short)| folder.join(short).exists()) {
        return Some(format!(
            "this copy lacks the first folder of {inside}: it has {base}/{short}, so it was rearranged; unpack the \
             publisher's archive"
        ));
    }
    let parent = dataset.root.join(first).parent()?.to_owned();
    match std::fs::read_dir(&parent).ok().and_then(|mut entries| entries.next()?.ok()) {
        Some(other) => Some(format!(
            "{} holds files of other names, for example {}: a renamed copy, which no split file fits; unpack the \
             publisher's archive",
            parent.display(),
            other.file_name().to_string_lossy()
        )),
        None => elsewhere(&folder, inside, &base),
    }
}

/// Images below the folder under other folder names: a renamed copy.
fn elsewhere(folder: &Path, inside: &str, base: &str) -> Option<String> {
    let found = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).next()?;
    Some(format!(
        "{base} holds other names than the lists ({} where {inside} is expected): a renamed or partial copy; unpack \
         the publisher's archive there",
        found.file_name().to_string_lossy()
    ))
}
