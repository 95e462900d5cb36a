//! What a user must fetch by hand, from where and with which digest, out of a manifest.
//!
//! Nothing is downloaded here; `fetch` does that, where a file needs no browser, log-in or licence.

use std::path::{Path, PathBuf};

use super::DataError;
use super::checked::BelowPath;
use super::manifest::{Archive, Layout, Manifest};

/// How to get a dataset's images, in one line.
pub(super) fn images(manifest: &Manifest) -> String {
    let pattern = manifest.placement.as_ref().map_or("", |p| p.images.as_str());
    let from = manifest.archives.first().map_or(String::new(), |a| format!("unpack {} so that ", a.file));
    let id = &manifest.id;
    format!(
        "{from}{}/{pattern} exists under the data root (`data list {id}` says where to get it)",
        manifest.folder
    )
}

/// How to get a dataset's split file, in one line.
pub(super) fn split_file(manifest: &Manifest) -> String {
    match &manifest.split_file {
        Some(facts) => format!(
            "fetch it from {} and put it into {}/ under the data root; no split is made up in its place",
            facts.url, manifest.folder
        ),
        None => images(manifest),
    }
}

/// How to get the class name file, in one line.
pub(super) fn class_names(manifest: &Manifest) -> String {
    format!("fetch CoOp's file from {} and put it into {}/", class_names_url(manifest), manifest.folder)
}

/// Where CoOp's class name file can be had; ImageNet's manifest knows.
pub(crate) fn class_names_url(manifest: &Manifest) -> String {
    let own = |m: &Manifest| m.archives.iter().find(|a| a.file == "classnames.txt").map(|a| a.url.clone());
    own(manifest)
        .or_else(|| super::embedded::manifest("imagenet").ok().as_ref().and_then(own))
        .unwrap_or_else(|| "CoOp's DATASETS.md".to_owned())
}

/// The path of something inside the dataset's folder, which must exist.
///
/// # Errors
/// [`DataError::Missing`] with `how(manifest)`.
pub(super) fn require(
    manifest: &Manifest,
    root: &Path,
    inside: &BelowPath,
    how: fn(&Manifest) -> String,
) -> Result<PathBuf, DataError> {
    let what = manifest.below_root(inside);
    let path = root.join(&what);
    if path.exists() {
        return Ok(path);
    }
    let (dataset, how_to_get) = (manifest.id.to_string(), how(manifest));
    Err(DataError::Missing { dataset, what, how_to_get })
}

/// Everything a user needs to place a dataset by hand, as text of several lines.
pub fn describe(manifest: &Manifest) -> String {
    let mut text =
        format!("{} ({}), layout {}\n", manifest.display_name, manifest.id, manifest.layout.kind());
    describe_counts(manifest, &mut text);
    line(&mut text, "prompt", manifest.prompt.template.as_str());
    if let Some(placement) = &manifest.placement {
        line(&mut text, "images", &format!("DATA/{}/{}", manifest.folder, placement.images));
        placement.needs.iter().for_each(|file| line(&mut text, "needs", file));
        placement.note.iter().for_each(|note| line(&mut text, "place", note));
    }
    describe_split(manifest, &mut text);
    manifest.archives.iter().for_each(|archive| describe_archive(archive, &mut text));
    match &manifest.licence {
        Some(licence) => line(&mut text, "terms", &licence.terms),
        None => line(&mut text, "terms", "no statement was found"),
    }
    manifest.quirks.iter().for_each(|quirk| line(&mut text, "note", &quirk.text));
    text
}

fn line(text: &mut String, key: &str, value: &str) {
    text.push_str(&format!("  {key:<8} {value}\n"));
}

fn describe_counts(manifest: &Manifest, text: &mut String) {
    let Some(counts) = &manifest.counts else { return };
    let part = |name: &str, n: Option<usize>| n.map(|n| format!(", {name} {n}")).unwrap_or_default();
    let halves = part("base test", counts.base_test) + &part("new test", counts.new_test);
    let lists = part("train", counts.train) + &part("val", counts.val) + &part("test", Some(counts.test));
    line(text, "holds", &format!("{} classes{lists}{halves}", counts.classes));
}

fn describe_split(manifest: &Manifest, text: &mut String) {
    let (Layout::CoopSplitJson { split_file, .. }, Some(facts)) = (&manifest.layout, &manifest.split_file)
    else {
        return;
    };
    line(text, "split", &format!("DATA/{}/{split_file} from {}", manifest.folder, facts.url));
    let bytes = facts.bytes.map(|b| format!("{b} bytes, ")).unwrap_or_default();
    match &facts.sha256 {
        Some(sha256) => line(text, "", &format!("{bytes}sha256 {sha256} (unpacked)")),
        None => line(text, "", facts.note.as_deref().unwrap_or("no digest was found")),
    }
}

fn describe_archive(archive: &Archive, text: &mut String) {
    line(text, "fetch", &format!("{} from {}", archive.file, archive.url));
    archive.mirror.iter().for_each(|mirror| line(text, "", &format!("or {mirror}")));
    archive.status.iter().for_each(|status| line(text, "", &format!("status: {status}")));
    archive.note.iter().for_each(|note| line(text, "", note));
    archive.unpacks_to.iter().for_each(|to| line(text, "", &format!("unpacks to {to}")));
    for digest in &archive.digests {
        let mut parts = Vec::new();
        parts.extend(digest.bytes.map(|b| format!("{b} bytes")));
        parts.extend(digest.sha256.iter().map(|d| format!("sha256 {d}")));
        parts.extend(digest.md5.iter().map(|d| format!("md5 {d}")));
        line(text, "", &format!("{} (by {})", parts.join(", "), digest.source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::embedded;

    #[test]
    fn a_description_names_address_digest_and_dead_links() {
        let text = describe(&embedded::manifest("stanford_cars").unwrap());
        for part in
            ["1ObCFbaAgVu0I", "40acee7aa65c8e47", "dead (404)", "base test 4002", "no statement was found"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        let text = describe(&embedded::manifest("ucf101").unwrap());
        assert!(text.contains("no size or digest found"), "{text}");
    }

    #[test]
    fn every_variant_knows_where_class_names_are() {
        for id in ["imagenet", "imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r"] {
            assert!(class_names(&embedded::manifest(id).unwrap()).contains("1-61f_ol79pViBFDG"), "{id}");
        }
    }
}
