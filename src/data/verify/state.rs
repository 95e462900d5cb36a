//! What an interrupted verification has read so far: a file of JSON lines outside the data root.
//!
//! A line is trusted only while the file it is about has the size and time it had then. A torn last
//! line, as a killed run leaves, is dropped; any other malformed line is an error.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::contents::Content;
use super::fault::VerifyError;
use super::files::Stamp;

const STATE_SCHEMA_VERSION: u32 = 1;

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema_version: u32,
    dataset: String,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    path: String,
    bytes: u64,
    modified_ns: u64,
    sha256: Option<String>,
    problem: Option<String>,
}

/// An open state file, or none.
#[derive(Debug)]
pub(super) struct State {
    known: BTreeMap<String, (Stamp, Content)>,
    file: Option<(PathBuf, File)>,
}

impl State {
    /// Opens or makes the state file of one dataset; without a path nothing is remembered.
    pub(super) fn open(path: Option<&Path>, root: &Path, dataset: &str) -> Result<Self, VerifyError> {
        let Some(path) = path else { return Ok(Self { known: BTreeMap::new(), file: None }) };
        make_folder(path, root)?;
        let failed = |e: std::io::Error| VerifyError::state(path, e.to_string());
        let text = if path.exists() { std::fs::read_to_string(path).map_err(failed)? } else { String::new() };
        let known = parse(&text, path, dataset)?;
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(failed)?;
        if whole == 0 {
            let header = Header { schema_version: STATE_SCHEMA_VERSION, dataset: dataset.to_owned() };
            write_lines(&mut file, path, &[header])?;
        }
        Ok(Self { known, file: Some((path.to_owned(), file)) })
    }

    /// What is known of an unchanged file.
    pub(super) fn known(&self, path: &str, stamp: Stamp) -> Option<Content> {
        self.known.get(path).filter(|(then, _)| *then == stamp).map(|(_, content)| content.clone())
    }

    /// Remembers what has just been read.
    pub(super) fn append(&mut self, read: &[(&str, Stamp, Content)]) -> Result<(), VerifyError> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        let line = |(path, stamp, content): &(&str, Stamp, Content)| Line {
            path: (*path).to_owned(),
            bytes: stamp.bytes,
            modified_ns: stamp.modified_ns,
            sha256: content.sha256.clone(),
            problem: content.problem.clone(),
        };
        write_lines(file, path, &read.iter().map(line).collect::<Vec<_>>())
    }
}

fn write_lines(file: &mut File, path: &Path, lines: &[impl Serialize]) -> Result<(), VerifyError> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|e| VerifyError::state(path, e.to_string()))?;
        text.push(b'\n');
    }
    file.write_all(&text).map_err(|e| VerifyError::state(path, e.to_string()))
}

fn parse(text: &str, path: &Path, dataset: &str) -> Result<BTreeMap<String, (Stamp, Content)>, VerifyError> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.lines().enumerate();
    let malformed =
        |index: usize, e: serde_json::Error| VerifyError::state(path, format!("line {}: {e}", index + 1));
    let Some((_, first)) = lines.next() else { return Ok(BTreeMap::new()) };
    let header: Header = serde_json::from_str(first).map_err(|e| malformed(0, e))?;
    if header != (Header { schema_version: STATE_SCHEMA_VERSION, dataset: dataset.to_owned() }) {
        let reason = format!("it is about dataset {:?}, format {}", header.dataset, header.schema_version);
        return Err(VerifyError::state(path, reason));
    }
    let mut known = BTreeMap::new();
    for (index, line) in lines {
        let line: Line = serde_json::from_str(line).map_err(|e| malformed(index, e))?;
        let stamp = Stamp { bytes: line.bytes, modified_ns: line.modified_ns };
        known.insert(line.path, (stamp, Content { sha256: line.sha256, problem: line.problem }));
    }
    Ok(known)
}

/// Makes the state file's folder, unless it would lie under the data root: nothing is ever written there.
fn make_folder(path: &Path, root: &Path) -> Result<(), VerifyError> {
    let failed = |e: std::io::Error| VerifyError::state(path, e.to_string());
    let folder = path.parent().unwrap_or(Path::new(""));
    let existing = folder.ancestors().find(|part| part.exists()).unwrap_or(Path::new(""));
    let new = folder.strip_prefix(existing).unwrap_or(folder);
    if new.components().any(|part| part == Component::ParentDir) {
        return Err(VerifyError::state(path, "it has .. behind a folder that does not exist".to_owned()));
    }
    let full = |path: &Path| if path == Path::new("") { Path::new(".") } else { path }.canonicalize();
    if full(existing).map_err(failed)?.starts_with(full(root).map_err(failed)?) {
        let reason = "it would lie under the data root, where nothing is written; choose another place";
        return Err(VerifyError::state(path, reason.to_owned()));
    }
    std::fs::create_dir_all(folder).map_err(failed)
}
