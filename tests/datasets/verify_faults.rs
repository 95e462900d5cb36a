//! Twenty-one planted faults, each found and named; a resumed verification; nothing written under DATA.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rpo_bench::data::verify::{Fault, Severity, VerifyOptions, VerifyReport, verify, verify_table};
use tempfile::tempdir;

use crate::synthetic::{catalog, export_to};

fn verified(root: &Path, id: &str) -> VerifyReport {
    verify(&catalog(root, id), id, &VerifyOptions::default(), &mut |_, _| ()).unwrap()
}

/// Damages a fresh copy, and expects a fault whose text holds `part`.
fn plant(id: &str, damage: impl Fn(&Path), part: &str) {
    let root = tempdir().unwrap();
    export_to(root.path(), id);
    damage(root.path());
    let report = verified(root.path(), id);
    let said: Vec<String> = report.faults.iter().map(Fault::to_string).collect();
    assert!(said.iter().any(|fault| fault.contains(part)), "{id}: expected {part:?} among {said:#?}");
    assert!(!report.passed() || said.iter().all(|fault| fault.starts_with("same bytes")), "{id}");
}

fn edit(root: &Path, file: &str, from: &str, to: &str) {
    let path = root.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} holds no {from:?}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

const DTD_SPLIT: &str = "dtd/split_zhou_DescribableTextures.json";
const DTD_TRAIN: &str = "dtd/images/F_A-18/F_A-18_0001.jpg";
const DTD_TEST: &str = "dtd/images/F_A-18/F_A-18_0007.jpg";

#[test]
fn damaged_files_are_found() {
    plant("dtd", |root| fs::remove_file(root.join(DTD_TEST)).unwrap(), "missing file: dtd/images/F_A-18");
    plant("dtd", |root| fs::write(root.join(DTD_TEST), b"").unwrap(), "empty file: dtd/images/F_A-18");
    plant("dtd", |root| fs::write(root.join(DTD_TEST), b"<html>404</html>").unwrap(), "unreadable image");
    let truncate = |root: &Path| {
        let bytes = fs::read(root.join(DTD_TEST)).unwrap();
        fs::write(root.join(DTD_TEST), &bytes[..bytes.len() / 2]).unwrap();
    };
    plant("dtd", truncate, "unreadable image");
    let folder = |root: &Path| {
        fs::remove_file(root.join(DTD_TEST)).unwrap();
        fs::create_dir(root.join(DTD_TEST)).unwrap();
    };
    plant("dtd", folder, "not a file: dtd/images/F_A-18");
    let copy = |root: &Path| assert!(fs::copy(root.join(DTD_TRAIN), root.join(DTD_TEST)).unwrap() > 0);
    plant("dtd", copy, "same bytes in test and train: dtd/images/F_A-18/F_A-18_0007.jpg");
}

#[test]
fn damaged_lists_are_found() {
    let entry =
        "[\n            \"F_A-18/F_A-18_0007.jpg\",\n            0,\n            \"F/A-18\"\n        ],";
    let edit_split = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        move |root: &Path| edit(root, DTD_SPLIT, &from, &to)
    };
    plant("dtd", edit_split(entry, ""), "test: published 15, found 14");
    plant("dtd", edit_split(entry, ""), "base_test: published 9, found 8");
    plant("dtd", edit_split("F_A-18_0007", "F_A-18_0001"), "listed twice, in train and test");
    plant("dtd", edit_split("F_A-18/F_A-18_0007", "../F_A-18/F_A-18_0007"), "cannot be opened");
    plant("dtd", edit_split("F/A-18", "F/A-19"), "F/A-19");
    plant("dtd", edit_split("\"test\"", "\"tset\""), "unknown field `tset`");
    plant(
        "dtd",
        |root| fs::remove_file(root.join(DTD_SPLIT)).unwrap(),
        "fetch it from https://drive.google.com",
    );
    plant(
        "dtd",
        |root| fs::rename(root.join("dtd/images"), root.join("dtd/imgs")).unwrap(),
        "dtd/images is missing",
    );
    plant(
        "fgvc_aircraft",
        |root| edit(root, "fgvc_aircraft/images_variant_val.txt", "polka-dotted", "Spitfire"),
        "images_variant_val.txt: line 2",
    );
    plant(
        "fgvc_aircraft",
        |root| edit(root, "fgvc_aircraft/variants.txt", "polka-dotted", "F/A-18"),
        "line 1 says already",
    );
}

#[test]
fn damaged_class_folders_are_found() {
    let train = "imagenet/images/train";
    let rename =
        |root: &Path| fs::rename(root.join(train).join("n00000001"), root.join(train).join("n1")).unwrap();
    plant("imagenet", rename, "class \"n00000001\"");
    let empty = |root: &Path| {
        let class = root.join("imagenet/images/val/n00000002");
        fs::remove_dir_all(&class).unwrap();
        fs::create_dir(&class).unwrap();
    };
    plant("imagenet", empty, "images/val/n00000002: this class has no image");
    let nameless = |root: &Path| edit(root, "imagenet/classnames.txt", "n00000003 colt's foot\n", "");
    plant("imagenet", nameless, "no line for class folder \"n00000003\"");
    let lookalike =
        |root: &Path| edit(root, "imagenet/classnames.txt", "n00000000", "n01514668 cock\nn00000000");
    plant("imagenet", lookalike, "CoOp's file says \"rooster\"");
    let images = "imagenetv2/imagenetv2-matched-frequency-format-val";
    let gap = |root: &Path| fs::rename(root.join(images).join("3"), root.join(images).join("7")).unwrap();
    plant("imagenetv2", gap, "no \"3\"");
}

#[test]
fn the_published_digest_is_compared() {
    let root = tempdir().unwrap();
    export_to(root.path(), "dtd");
    let real = rpo_bench::data::Catalog::new(&rpo_bench::data::DataRoot::Coop(root.path().into())).unwrap();
    let options = VerifyOptions { quick: true, state_file: None };
    let report = verify(&real, "dtd", &options, &mut |_, _| ()).unwrap();
    assert!(report.faults.iter().any(|fault| matches!(fault, Fault::WrongSplitHash { .. })));
    let table = verify_table(std::slice::from_ref(&report));
    assert!(table.contains("FAULTY") && table.contains("classes: published 47, found 5"), "{table}");
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<VerifyReport>(&json).unwrap(), report);
    assert_eq!(report.count(Severity::Warning), 0);
}

#[test]
fn a_resumed_run_reads_only_what_changed_and_says_the_same() {
    let (root, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    export_to(root.path(), "dtd");
    fs::write(root.path().join(DTD_TEST), b"not an image").unwrap();
    let state_file = elsewhere.path().join("dtd.jsonl");
    let options = VerifyOptions { quick: false, state_file: Some(state_file.clone()) };
    let run = || verify(&catalog(root.path(), "dtd"), "dtd", &options, &mut |_, _| ()).unwrap();
    let first = run();
    let lines = || fs::read_to_string(&state_file).unwrap().lines().count();
    assert_eq!(lines(), 1 + 45);
    // A killed run leaves a torn last line.
    let text = fs::read_to_string(&state_file).unwrap();
    fs::write(&state_file, &text[..text.len() - 20]).unwrap();
    assert_eq!(run(), first);
    assert_eq!(lines(), 1 + 45, "the torn entry alone is read again");
    fs::write(root.path().join(DTD_TEST), fs::read(root.path().join(DTD_TRAIN)).unwrap()).unwrap();
    let third = run();
    assert_eq!(lines(), 1 + 46, "the changed file alone is read again");
    assert!(third.passed() && third.count(Severity::Warning) == 1, "{:?}", third.faults);
}

#[test]
fn an_unusable_state_file_is_refused_and_data_stays_untouched() {
    let (root, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    export_to(root.path(), "dtd");
    let before = listing(root.path());
    let with = |state_file: PathBuf| {
        let options = VerifyOptions { quick: false, state_file: Some(state_file) };
        verify(&catalog(root.path(), "dtd"), "dtd", &options, &mut |_, _| ())
    };
    let said = with(root.path().join("dtd/state.jsonl")).unwrap_err().to_string();
    assert!(said.contains("under the data root"), "{said}");
    let other = elsewhere.path().join("other.jsonl");
    fs::write(&other, "{\"schema_version\":1,\"dataset\":\"eurosat\"}\n").unwrap();
    let said = with(other.clone()).unwrap_err().to_string();
    assert!(said.contains("dataset \"eurosat\""), "{said}");
    fs::write(&other, "{\"schema_version\":1,\"dataset\":\"dtd\"}\nnonsense\n").unwrap();
    let said = with(other).unwrap_err().to_string();
    assert!(said.contains("line 2"), "{said}");
    assert!(with(elsewhere.path().join("dtd.jsonl")).unwrap().passed());
    assert_eq!(listing(root.path()), before);
}

/// Every file below `dir` with its length.
fn listing(dir: &Path) -> BTreeMap<PathBuf, u64> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(listing(&path));
        } else {
            files.insert(path.clone(), fs::metadata(&path).unwrap().len());
        }
    }
    files
}
