//! A user's own folder: `train/CLASS/*`, `test/CLASS/*`, optionally `val/CLASS/*`, `classes.toml` and names in
//! `classes.txt` or `classes.csv` ([`super::own_names`]).
//!
//! Classes are the sorted folders of `train`; a class in another list must be among them. The data
//! root is the folder itself, so item paths start with `train/` or `test/`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::lists::Lists;
use super::own_names::{self, NAMES_FILE};
use super::tree;
use crate::data::checked::{BelowPath, DatasetId, Template};
use crate::data::manifest::{Layout, MANIFEST_SCHEMA_VERSION, Manifest, ManifestError, Prompt, Role};
use crate::data::{DataError, Item, Split};

const CLASSES_FILE: &str = "classes.toml";
const DEFAULT_TEMPLATE: &str = "a photo of a {}.";

/// The optional `classes.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassesFile {
    schema_version: u32,
    display_name: Option<String>,
    template: Option<Template>,
    #[serde(default)]
    class_names: BTreeMap<String, String>,
}

/// The manifest of a user's folder; its id is the folder's name, made valid.
pub(in crate::data) fn folder_manifest(dir: &Path) -> Result<Manifest, DataError> {
    let full = dir.canonicalize().map_err(|e| DataError::read(dir, &e))?;
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let id = DatasetId::sanitised(&name)
        .ok_or_else(|| DataError::folder(dir, "its name has no letter or digit to make a dataset id from"))?;
    let classes = classes_file(dir)?;
    let invalid = |reason: String| DataError::folder(dir, reason);
    let template = match classes.template {
        Some(template) => template,
        None => Template::try_from(DEFAULT_TEMPLATE.to_owned()).map_err(invalid)?,
    };
    Ok(Manifest {
        schema_version: MANIFEST_SCHEMA_VERSION,
        id,
        display_name: classes.display_name.unwrap_or(name),
        folder: BelowPath::try_from(".".to_owned()).map_err(invalid)?,
        role: Role::TrainAndTest,
        read_on: None,
        layout: Layout::ImageFolder,
        placement: None,
        class_names: None,
        prompt: Prompt { template, source: format!("{CLASSES_FILE}, or the common template") },
        counts: None,
        split_file: None,
        archives: Vec::new(),
        licence: None,
        quirks: Vec::new(),
    })
}

/// Lists the folder's trees.
pub(super) fn read(dir: &Path) -> Result<Lists, DataError> {
    let train_dir = dir.join("train");
    for needed in [&train_dir, &dir.join("test")] {
        if !needed.is_dir() {
            let reason = format!(
                "it has no {:?}; expected train/CLASS/* and test/CLASS/*, or a split file: `rpo-bench data split NAME \
                 --folder {} --split 0.8 --seed 1 --save SPLIT.json`, then `--split-file SPLIT.json`",
                needed.file_name().unwrap_or_default(),
                dir.display()
            );
            return Err(DataError::folder(dir, reason));
        }
    }
    let folders = tree::class_folders(&train_dir)?;
    let mut notes = Vec::new();
    let mut list = |name: &str, folders: &[String]| -> Result<Vec<Item>, DataError> {
        let (items, skipped) = tree::items_and_skipped(dir, name, folders)?;
        notes.extend(skipped.note(name));
        Ok(items)
    };
    let train = list("train", &folders)?;
    let mut other = |name: &str| {
        let path = dir.join(name);
        tree::same_classes(&train_dir, &folders, &path, &tree::class_folders(&path)?)?;
        list(name, &folders)
    };
    let val = if dir.join("val").is_dir() { other("val")? } else { Vec::new() };
    let split = Split { train, val, test: other("test")? };
    let class_names = display_names(dir, &folders)?;
    refuse_same_prompts(dir, &class_names)?;
    let mut lists = Lists::new(class_names, split);
    lists.notes = notes;
    Ok(lists)
}

/// Refuses two classes whose prompts would be the same words: neither could ever be told from the other.
///
/// # Errors
/// [`DataError::Folder`] with both names.
pub(super) fn refuse_same_prompts(dir: &Path, class_names: &[String]) -> Result<(), DataError> {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for name in class_names {
        // As prompts write them: underscores become spaces, the tokenizer joins spaces and drops capitals.
        let words = name.replace('_', " ").split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if let Some(earlier) = seen.insert(words, name) {
            let reason = format!(
                "classes {earlier:?} and {name:?} have the same prompt; give one another name in {CLASSES_FILE} \
                 ([class_names]) or {NAMES_FILE}"
            );
            return Err(DataError::folder(dir, reason));
        }
    }
    Ok(())
}

/// Class names by folder: from classes.toml, classes.txt or classes.csv, else the folders' own.
fn display_names(dir: &Path, folders: &[String]) -> Result<Vec<String>, DataError> {
    let names = classes_file(dir)?.class_names;
    if let Some(stray) = names.keys().find(|folder| folders.binary_search(folder).is_err()) {
        let reason = format!("class_names has {stray:?}, which is no class folder of train");
        return Err(DataError::folder(&dir.join(CLASSES_FILE), reason));
    }
    let listed = own_names::read(dir, folders)?;
    if !names.is_empty() && !listed.is_empty() {
        let reason = format!("class names stand in {CLASSES_FILE} and in another file; keep one of them");
        return Err(DataError::folder(dir, reason));
    }
    let name = |folder: &String| names.get(folder).or_else(|| listed.get(folder)).unwrap_or(folder).clone();
    Ok(folders.iter().map(name).collect())
}

fn classes_file(dir: &Path) -> Result<ClassesFile, DataError> {
    let path = dir.join(CLASSES_FILE);
    if !path.exists() {
        let (display_name, template) = (None, None);
        let schema_version = MANIFEST_SCHEMA_VERSION;
        return Ok(ClassesFile { schema_version, display_name, template, class_names: BTreeMap::new() });
    }
    let text = DataError::read_text(&path)?;
    let parse_error = |reason: String| ManifestError::Parse { file: path.display().to_string(), reason };
    let file: ClassesFile =
        toml::from_str(&text).map_err(|e| parse_error(e.to_string().trim_end().to_owned()))?;
    if file.schema_version != MANIFEST_SCHEMA_VERSION {
        let reason =
            format!("schema_version is {}, this build reads {MANIFEST_SCHEMA_VERSION}", file.schema_version);
        return Err(parse_error(reason).into());
    }
    Ok(file)
}
