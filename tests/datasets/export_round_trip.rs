//! All fifteen datasets written in their real layout and read back: names, labels, lists, pixels.

use rpo_bench::data::export::{Encoding, ExportError, InMemoryDataset, export};
use rpo_bench::data::verify::{VerifyOptions, verify};
use rpo_bench::data::{Catalog, DataRoot, ImageSource, Split, embedded};
use tempfile::tempdir;

use crate::synthetic::{Noise, catalog, class_names, export_to, split};

#[test]
fn every_dataset_reads_back_as_it_was_written() {
    let root = tempdir().unwrap();
    let reader = Catalog::new(&DataRoot::parse(root.path().to_str().unwrap()).unwrap()).unwrap();
    assert_eq!(reader.ids().len(), 15);
    for id in reader.ids() {
        let written = export_to(root.path(), id);
        let read = reader.open(id).unwrap();
        assert_eq!(read.class_names, class_names(), "{id}");
        assert_eq!(*read.split, written.split, "{id}");
        assert_eq!(read.split_file_sha256.is_some(), read.manifest.split_file.is_some(), "{id}");
    }
}

#[test]
fn an_export_verifies_and_its_pixels_are_the_ones_given() {
    for id in ["dtd", "stanford_cars", "fgvc_aircraft", "imagenet", "imagenetv2", "imagenet_a"] {
        let root = tempdir().unwrap();
        export_to(root.path(), id);
        let reader = catalog(root.path(), id);
        let report = verify(&reader, id, &VerifyOptions::default(), &mut |_, _| ()).unwrap();
        assert_eq!(report.faults, [], "{id}");
        let read = reader.open(id).unwrap();
        let original = split(&read.manifest);
        // Class folders sort the list by label; the first item of label 0 leads either way.
        assert_eq!(
            read.source().image(&read.split.test[0]).unwrap(),
            Noise.image(&original.test[0]).unwrap(),
            "{id}"
        );
    }
}

#[test]
fn paths_of_the_layout_are_kept() {
    for id in ["oxford_pets", "fgvc_aircraft", "imagenet", "imagenet_sketch", "imagenetv2"] {
        let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
        let written = export_to(first.path(), id);
        let manifest = embedded::manifest(id).unwrap();
        let dataset = InMemoryDataset {
            manifest: &manifest,
            class_names: &class_names(),
            split: &written.split,
            images: &Noise,
        };
        let again = export(dataset, second.path(), Encoding::Jpeg { quality: 90 }).unwrap();
        assert_eq!(again.split, written.split, "{id}");
        let read = catalog(second.path(), id).open(id).unwrap();
        assert_eq!(*read.split, written.split, "{id}");
        let bytes = read.source().bytes(&read.split.test[0].path).unwrap();
        assert!(bytes.starts_with(&[0xff, 0xd8, 0xff]), "{id}: not a JPEG");
    }
}

#[test]
fn numbered_folders_are_read_in_number_order() {
    let root = tempdir().unwrap();
    let manifest = embedded::manifest("imagenetv2").unwrap();
    let class_names: Vec<String> = (0..12).map(|label| format!("class {label}")).collect();
    let item = |label| rpo_bench::data::Item { path: format!("memory/{label}"), label };
    let split = Split { test: (0..12).map(item).collect(), ..Split::default() };
    let dataset =
        InMemoryDataset { manifest: &manifest, class_names: &class_names, split: &split, images: &Noise };
    export(dataset, root.path(), Encoding::Png).unwrap();
    let read = catalog(root.path(), "imagenetv2").open("imagenetv2").unwrap();
    assert_eq!(read.class_names, class_names);
    assert_eq!(read.split.test[2].label, 2);
    assert!(read.split.test[2].path.contains("/2/"), "{}", read.split.test[2].path);
    assert!(read.notes[0].contains("label numbers"), "{:?}", read.notes);
}

#[test]
fn an_existing_dataset_is_never_overwritten() {
    let root = tempdir().unwrap();
    export_to(root.path(), "dtd");
    let manifest = embedded::manifest("dtd").unwrap();
    let dataset = InMemoryDataset {
        manifest: &manifest,
        class_names: &class_names(),
        split: &split(&manifest),
        images: &Noise,
    };
    let error = export(dataset, root.path(), Encoding::Png).unwrap_err();
    assert!(matches!(error, ExportError::Exists { .. }), "{error}");
}

#[test]
fn what_a_layout_cannot_hold_is_refused() {
    let root = tempdir().unwrap();
    let try_with = |id: &str, change: fn(&mut Vec<String>, &mut Split)| {
        let manifest = embedded::manifest(id).unwrap();
        let (mut class_names, mut split) = (class_names(), split(&manifest));
        change(&mut class_names, &mut split);
        let dataset =
            InMemoryDataset { manifest: &manifest, class_names: &class_names, split: &split, images: &Noise };
        export(dataset, root.path(), Encoding::Png).unwrap_err().to_string()
    };
    let said = try_with("imagenet", |_, split| split.val = split.test.clone());
    assert!(said.contains("has no val list"), "{said}");
    let said = try_with("dtd", |names, _| names[1] = "two\nlines".into());
    assert!(said.contains("one line of text"), "{said}");
    let said = try_with("dtd", |names, _| names.push("unused".into()));
    assert!(said.contains("no item"), "{said}");
    let said = try_with("dtd", |names, _| names.truncate(4));
    assert!(said.contains("has items but no name"), "{said}");
    let said = try_with("fgvc_aircraft", |names, _| names[1] = names[0].clone());
    assert!(said.contains("two classes are called"), "{said}");
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0, "something was written");
}
