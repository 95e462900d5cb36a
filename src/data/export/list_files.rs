//! The list and class name files of each layout, as bytes. They are written after the images, so a
//! killed export has none and is not mistaken for a dataset.

use std::collections::BTreeMap;

use super::error::ExportError;
use super::naming::lists;
use super::paths::kept_folders;
use crate::data::manifest::{Layout, MANIFEST_SCHEMA_VERSION, Manifest};
use crate::data::split_write::split_json_bytes;
use crate::data::{Item, Split};

/// `(path relative to the data root, bytes)` of each file; `placed` holds paths of the layout.
pub(super) fn list_files(
    manifest: &Manifest,
    class_names: &[String],
    placed: &Split,
) -> Result<Vec<(String, Vec<u8>)>, ExportError> {
    match &manifest.layout {
        Layout::CoopSplitJson { images_dir, split_file } => {
            let bytes = split_json_bytes(placed, class_names, &manifest.below_root(images_dir))?;
            Ok(vec![(manifest.below_root(split_file), bytes)])
        }
        Layout::FgvcLists { .. } => fgvc_files(manifest, class_names, placed),
        Layout::ImagenetFolders { class_names_file, .. }
        | Layout::ImagenetVariant { class_names_file, .. } => {
            let folders = kept_folders(manifest, class_names.len(), placed).unwrap_or_default();
            let lines =
                folders.iter().zip(class_names).map(|(folder, name)| format!("{} {name}\n", wnid(folder)));
            Ok(vec![(manifest.below_root(class_names_file), lines.collect::<String>().into_bytes())])
        }
        Layout::ImageFolder => {
            let folders = kept_folders(manifest, class_names.len(), placed).unwrap_or_default();
            Ok(vec![("classes.toml".to_owned(), classes_toml(manifest, &folders, class_names)?)])
        }
    }
}

/// The first word of a class name line: the folder, or for numbered folders a name in its form.
fn wnid(folder: &str) -> String {
    match folder.parse::<u32>() {
        Ok(number) => format!("n{number:08}"),
        Err(_not_a_number) => folder.to_owned(),
    }
}

fn fgvc_files(
    manifest: &Manifest,
    class_names: &[String],
    placed: &Split,
) -> Result<Vec<(String, Vec<u8>)>, ExportError> {
    let Layout::FgvcLists {
        images_dir,
        image_ending,
        class_list_file,
        train_list_file,
        val_list_file,
        test_list_file,
    } = &manifest.layout
    else {
        return Ok(Vec::new());
    };
    let mut sorted = class_names.to_vec();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let reason = format!("two classes are called {:?}; its lists tell classes by name", pair[0]);
        return Err(ExportError::ListFile { file: class_list_file.to_string(), reason });
    }
    let prefix = format!("{}/", manifest.below_root(images_dir));
    let line = |item: &Item| {
        let name = item.path.strip_prefix(&prefix).unwrap_or(&item.path);
        let number = name.strip_suffix(image_ending.as_str()).unwrap_or(name);
        format!("{number} {}\n", class_names.get(item.label as usize).map_or("", String::as_str))
    };
    let mut files = Vec::new();
    for (items, file) in lists(placed).into_iter().zip([train_list_file, val_list_file, test_list_file]) {
        files.push((manifest.below_root(file), items.iter().map(line).collect::<String>().into_bytes()));
    }
    let classes: String = class_names.iter().map(|name| format!("{name}\n")).collect();
    files.push((manifest.below_root(class_list_file), classes.into_bytes()));
    Ok(files)
}

fn classes_toml(
    manifest: &Manifest,
    folders: &[String],
    class_names: &[String],
) -> Result<Vec<u8>, ExportError> {
    #[derive(serde::Serialize)]
    struct ClassesFile<'a> {
        schema_version: u32,
        display_name: &'a str,
        template: &'a str,
        class_names: BTreeMap<&'a str, &'a str>,
    }
    let names = folders.iter().map(String::as_str).zip(class_names.iter().map(String::as_str)).collect();
    let file = ClassesFile {
        schema_version: MANIFEST_SCHEMA_VERSION,
        display_name: &manifest.display_name,
        template: manifest.prompt.template.as_str(),
        class_names: names,
    };
    let failed = |reason: String| ExportError::ListFile { file: "classes.toml".to_owned(), reason };
    toml::to_string(&file).map(String::into_bytes).map_err(|e| failed(e.to_string()))
}
