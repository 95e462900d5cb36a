//! A manifest is read here, with the checks between its fields, which its types alone cannot make.
//!
//! Single values are checked by their types while parsing; what is here compares two fields.

use super::manifest::{Counts, Layout, MANIFEST_SCHEMA_VERSION, Manifest, ManifestError, Role};

/// A field, its value and what it should agree with; becomes [`ManifestError::Inconsistent`].
type Complaint = (&'static str, String, String);

impl Manifest {
    /// Parses and checks a manifest; `file` is its name in errors.
    ///
    /// # Errors
    /// [`ManifestError::Parse`] and [`ManifestError::Inconsistent`].
    pub fn parse(text: &str, file: &str) -> Result<Self, ManifestError> {
        let manifest: Manifest = toml::from_str(text).map_err(|e| ManifestError::Parse {
            file: file.to_owned(),
            reason: e.to_string().trim_end().to_owned(),
        })?;
        check(&manifest, file)?;
        Ok(manifest)
    }
}

fn check(manifest: &Manifest, file: &str) -> Result<(), ManifestError> {
    let checks = [check_version, check_layout, check_pattern, check_counts, check_anchors, check_sources];
    checks.iter().try_for_each(|check| check(manifest)).map_err(|(field, value, reason)| {
        ManifestError::Inconsistent { file: file.to_owned(), field, value, reason }
    })
}

fn check_version(manifest: &Manifest) -> Result<(), Complaint> {
    let found = manifest.schema_version;
    if found == MANIFEST_SCHEMA_VERSION {
        return Ok(());
    }
    Err(("schema_version", found.to_string(), format!("this build reads {MANIFEST_SCHEMA_VERSION}")))
}

fn check_layout(manifest: &Manifest) -> Result<(), Complaint> {
    let kind = manifest.layout.kind();
    let has_split_file = matches!(manifest.layout, Layout::CoopSplitJson { .. });
    if manifest.split_file.is_some() != has_split_file {
        let value = if has_split_file { "absent" } else { "present" };
        return Err(("split_file", value.to_owned(), format!("which layout {kind} does not go with")));
    }
    let is_variant = matches!(manifest.layout, Layout::ImagenetVariant { .. });
    if is_variant != (manifest.role == Role::TestOnly) {
        return Err((
            "role",
            format!("{:?}", manifest.role),
            format!("which layout {kind} does not go with"),
        ));
    }
    if let Layout::FgvcLists { image_ending, .. } = &manifest.layout
        && !(image_ending.starts_with('.') && super::checked::stays_below(image_ending))
    {
        return Err(("layout.image_ending", format!("{image_ending:?}"), "it must be like .jpg".into()));
    }
    Ok(())
}

fn check_pattern(manifest: &Manifest) -> Result<(), Complaint> {
    let Some(pattern) = manifest.placement.as_ref().and_then(|place| place.file_pattern.as_deref()) else {
        return Ok(());
    };
    super::export::check_pattern(pattern)
        .map_err(|reason| ("placement.file_pattern", format!("{pattern:?}"), format!("which {reason}")))
}

fn check_counts(manifest: &Manifest) -> Result<(), Complaint> {
    let Some(counts) = &manifest.counts else { return Ok(()) };
    let trains = manifest.role == Role::TrainAndTest;
    if counts.train.is_some() != trains {
        let value = format!("{:?}", counts.train);
        return Err(("counts.train", value, format!("but the role is {:?}", manifest.role)));
    }
    if counts.classes == 0 || counts.test == 0 {
        return Err(("counts", "0".into(), "classes and test must be at least 1".into()));
    }
    check_halves(counts)
}

/// The base half has ⌈n/2⌉ classes, and the halves add up.
fn check_halves(counts: &Counts) -> Result<(), Complaint> {
    let base = counts.classes.div_ceil(2);
    if let Some(found) = counts.base_classes.filter(|found| *found != base) {
        return Err(("counts.base_classes", found.to_string(), format!("half of the classes is {base}")));
    }
    if let Some(found) = counts.new_classes.filter(|found| *found != counts.classes - base) {
        let expected = counts.classes - base;
        return Err(("counts.new_classes", found.to_string(), format!("the other half is {expected}")));
    }
    if let (Some(base_test), Some(new_test)) = (counts.base_test, counts.new_test)
        && base_test.checked_add(new_test) != Some(counts.test)
    {
        let reason =
            format!("with counts.new_test = {new_test} it should make counts.test = {}", counts.test);
        return Err(("counts.base_test", base_test.to_string(), reason));
    }
    Ok(())
}

fn check_anchors(manifest: &Manifest) -> Result<(), Complaint> {
    let anchors = manifest.class_names.iter().flat_map(|names| &names.anchors);
    for anchor in anchors {
        if anchor.folder.is_some() == anchor.line.is_some() {
            let value = format!("{:?}", anchor.name);
            return Err(("class_names.anchors", value, "which needs one of folder and line".into()));
        }
    }
    Ok(())
}

/// Every table of facts names where they are from.
fn check_sources(manifest: &Manifest) -> Result<(), Complaint> {
    let sources = manifest
        .placement
        .iter()
        .map(|p| &p.source)
        .chain(manifest.class_names.iter().map(|c| &c.source))
        .chain(manifest.counts.iter().map(|c| &c.source))
        .chain(manifest.split_file.iter().map(|s| &s.source))
        .chain(manifest.archives.iter().map(|a| &a.source))
        .chain(manifest.archives.iter().flat_map(|a| &a.digests).map(|d| &d.source))
        .chain(manifest.licence.iter().map(|l| &l.source))
        .chain(manifest.quirks.iter().map(|q| &q.source))
        .chain([&manifest.prompt.source]);
    if sources.into_iter().any(|source| source.trim().is_empty()) {
        return Err(("source", "empty".into(), "every fact needs one".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::embedded;

    fn dtd_with(from: &str, to: &str) -> String {
        let text = embedded::text("dtd").unwrap();
        assert!(text.contains(from), "{from}");
        Manifest::parse(&text.replacen(from, to, 1), "dtd.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_contradiction_names_file_field_and_value() {
        for (from, to, field) in [
            ("schema_version = 1", "schema_version = 2", "schema_version is 2"),
            ("base_test = 864", "base_test = 863", "counts.base_test is 863"),
            ("base_classes = 24", "base_classes = 23", "counts.base_classes is 23"),
            ("train = 2820\n", "", "counts.train is None"),
            ("\"train_and_test\"", "\"test_only\"", "role is TestOnly"),
            ("source = \"KaiyangZhou/CoOp trainers/zsclip.py\"", "source = \" \"", "source is empty"),
        ] {
            let said = dtd_with(from, to);
            assert!(said.contains(field) && said.contains("dtd.toml"), "{said}");
        }
    }

    #[test]
    fn a_bad_value_or_key_is_a_parse_error() {
        for (from, to, part) in [
            ("id = \"dtd\"", "id = \"D T D\"", "is not an id"),
            ("{} texture.", "texture.", "exactly once"),
            ("images_dir = \"images\"", "images_dir = \"../images\"", "`..` parts"),
            ("f26ebecc", "F26ebecc", "hex digits"),
            ("coop_split_json", "tar_of_tars", "unknown variant"),
            ("display_name", "display_nam", "unknown field"),
        ] {
            let said = dtd_with(from, to);
            assert!(said.contains(part), "{said}");
        }
    }
}
