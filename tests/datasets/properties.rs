//! Mutated split files, list files, class name files and manifests: an error or a dataset, never a panic.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rpo_bench::data::layout::ClassNameFile;
use rpo_bench::data::{Manifest, embedded, lists_sha256, split_json::parse_split_json, split_write};
use tempfile::tempdir;

use crate::synthetic::{catalog, export_to};

/// A byte to overwrite, to insert, or a cut, at a place given as a share of the length.
fn mutations() -> impl Strategy<Value = Vec<(u8, u16, u8)>> {
    prop::collection::vec((0u8..4, any::<u16>(), any::<u8>()), 1..6)
}

fn mutate(bytes: &[u8], mutations: &[(u8, u16, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (kind, place, value) in mutations {
        let at = bytes.len() * usize::from(*place) / 65_536;
        match kind {
            0 if !bytes.is_empty() => bytes[at] = *value,
            1 => bytes.insert(at, *value),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            3 if value % 8 == 0 => bytes.truncate(at),
            _ => (),
        }
    }
    bytes
}

/// Whatever a reader accepts keeps to the rules that others rely on.
fn assert_sound(dataset: &rpo_bench::data::Dataset) {
    let items = [&dataset.split.train, &dataset.split.val, &dataset.split.test].into_iter().flatten();
    for item in items {
        assert!((item.label as usize) < dataset.class_names.len(), "{item:?}");
        assert!(!Path::new(&item.path).is_absolute() && !item.path.split('/').any(|p| p == ".."), "{item:?}");
    }
    assert_eq!(lists_sha256(&dataset.split), dataset.split_sha256);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24)) })]

    #[test]
    fn list_files_of_every_layout_never_panic(
        which in prop::sample::select(vec![
            ("dtd", "dtd/split_zhou_DescribableTextures.json"),
            ("fgvc_aircraft", "fgvc_aircraft/variants.txt"),
            ("fgvc_aircraft", "fgvc_aircraft/images_variant_train.txt"),
            ("imagenet", "imagenet/classnames.txt"),
            ("imagenetv2", "imagenetv2/classnames.txt"),
        ]),
        mutations in mutations(),
    ) {
        let root = tempdir().unwrap();
        let (id, file) = which;
        export_to(root.path(), id);
        let path = root.path().join(file);
        fs::write(&path, mutate(&fs::read(&path).unwrap(), &mutations)).unwrap();
        match catalog(root.path(), id).open(id) {
            Ok(dataset) => assert_sound(&dataset),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn manifests_never_panic(
        id in prop::sample::select(vec!["imagenet", "dtd", "fgvc_aircraft", "imagenetv2", "food101"]),
        mutations in mutations(),
    ) {
        let bytes = mutate(embedded::text(id).unwrap().as_bytes(), &mutations);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(manifest) = Manifest::parse(&text, "mutated.toml") {
            let again = toml::to_string(&manifest).unwrap();
            prop_assert_eq!(Manifest::parse(&again, "again.toml").unwrap(), manifest);
        }
    }

    #[test]
    fn class_name_files_never_panic(text in "(n[0-9]{1,3} [a-z ]{0,6}\n|\\PC{0,12}\n){0,8}") {
        if let Ok(file) = ClassNameFile::parse(&text, Path::new("classnames.txt")) {
            prop_assert!(!file.is_empty() && file.name_at(file.len()).is_none());
        }
    }

    #[test]
    fn split_files_that_parse_can_be_written_and_parsed_again(mutations in mutations()) {
        let text = br#"{"train":[["a/1.jpg",0,"a b"],["c/1.jpg",1,"c"]],"val":[],"test":[["a/2.jpg",0,"a b"]]}"#;
        if let Ok(file) = parse_split_json(&mutate(text, &mutations), "split.json") {
            let bytes = split_write::split_json_bytes(&file.split, &file.class_names, ".").unwrap();
            let again = parse_split_json(&bytes, "again.json").unwrap();
            prop_assert_eq!((again.split, again.class_names), (file.split, file.class_names));
        }
    }
}
