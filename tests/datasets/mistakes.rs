//! What people have by mistake in place of a dataset: each is named with its cure.

use std::fs;
use std::path::Path;
use std::process::Command;

use rpo_bench::data::verify::count_files;
use rpo_bench::data::{Catalog, DataRoot};
use tempfile::tempdir;

use crate::synthetic::export_to;

fn catalog(root: &Path) -> Catalog {
    Catalog::new(&DataRoot::Coop(root.to_owned())).unwrap()
}

/// What opening a dataset for a run says, after damage to its folder.
fn said(id: &str, damage: impl FnOnce(&Path)) -> String {
    let root = tempdir().unwrap();
    export_to(root.path(), id);
    assert!(catalog(root.path()).open_all(&[id]).is_ok(), "{id} is sound");
    damage(root.path());
    catalog(root.path()).open_all(&[id]).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn files_that_are_something_else_are_named() {
    let split = "eurosat/split_zhou_EuroSAT.json";
    let names = "imagenet/classnames.txt";
    let wide: Vec<u8> = "n01 tench\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, &str, &[u8], &str); 7] = [
        ("eurosat", split, b"<!doctype html><html>", "HTML page"),
        ("eurosat", split, b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        ("eurosat", split, b"", "is empty"),
        ("eurosat", split, b"{\"train\": [[\"a\", 0, \"x\"", "cut off"),
        ("imagenet", names, b"<html>Sign in", "HTML page"),
        ("imagenet", names, &wide, "UTF-16"),
        ("imagenet", names, b"n01 t\xe9nch\n", "not UTF-8"),
    ];
    for (id, file, bytes, part) in cases {
        let said = said(id, |root| fs::write(root.join(file), bytes).unwrap());
        let name = file.rsplit('/').next().unwrap();
        assert!(said.contains(part) && said.contains(name), "{part}: {said}");
    }
}

#[test]
fn a_byte_order_mark_is_read_past() {
    for (id, file) in
        [("eurosat", "eurosat/split_zhou_EuroSAT.json"), ("imagenet", "imagenet/classnames.txt")]
    {
        let said = said(id, |root| {
            let path = root.join(file);
            fs::write(&path, [b"\xef\xbb\xbf", fs::read(&path).unwrap().as_slice()].concat()).unwrap();
        });
        assert_eq!(said, "", "{id}");
    }
}

#[test]
fn misplaced_folders_are_named_with_the_cure() {
    let nest = |dir: &Path, inner: &str| {
        let aside = dir.with_extension("aside");
        fs::rename(dir, &aside).unwrap();
        fs::create_dir(dir).unwrap();
        fs::rename(&aside, dir.join(inner)).unwrap();
    };
    let deep = said("eurosat", |root| nest(&root.join("eurosat/2750"), "2750"));
    assert!(deep.contains("one folder too deep, in eurosat/2750/2750"), "{deep}");
    let twice = said("imagenet", |root| nest(&root.join("imagenet/images/train"), "train"));
    assert!(twice.contains("nothing but the folder \"train\""), "{twice}");
    let flat = said("imagenet", |root| {
        let val = root.join("imagenet/images/val");
        fs::remove_dir_all(&val).unwrap();
        fs::create_dir(&val).unwrap();
        fs::write(val.join("ILSVRC2012_val_00000001.JPEG"), b"x").unwrap();
    });
    assert!(flat.contains("archive is flat") && flat.contains("wnid folders"), "{flat}");
}

#[test]
fn a_renamed_copy_of_sun397_is_told_from_the_publishers() {
    let letters = said("sun397", |root| {
        // Without the letter folders: a/abbey becomes abbey.
        let images = root.join("sun397/SUN397");
        for letter in fs::read_dir(&images).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>() {
            for class in fs::read_dir(&letter).unwrap().map(|entry| entry.unwrap()).collect::<Vec<_>>() {
                fs::rename(class.path(), images.join(class.file_name())).unwrap();
            }
            let _ = fs::remove_dir(letter);
        }
    });
    assert!(
        letters.contains("lacks the first folder") && letters.contains("publisher's archive"),
        "{letters}"
    );
    let renamed = said("sun397", |root| rename_all(&root.join("sun397/SUN397"), &mut 0));
    assert!(renamed.contains("a renamed copy") && renamed.contains("img_"), "{renamed}");
}

fn rename_all(dir: &Path, count: &mut usize) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>() {
        if path.is_dir() {
            rename_all(&path, count);
            continue;
        }
        *count += 1;
        fs::rename(&path, dir.join(format!("img_{count}.jpg"))).unwrap();
    }
}

#[test]
fn doctor_counts_files_before_it_says_ok() {
    let root = tempdir().unwrap();
    let root = root.path();
    export_to(root, "dtd");
    let dataset = catalog(root).open("dtd").unwrap();
    let counts = count_files(&dataset);
    assert!(
        counts.is_sound()
            && counts.listed
                == dataset.split.train.len() + dataset.split.val.len() + dataset.split.test.len()
    );
    let [first, second, third] = [0, 1, 2].map(|at| root.join(&dataset.split.train[at].path));
    fs::remove_file(first).unwrap();
    fs::write(second, b"<html>").unwrap();
    fs::write(third, b"no picture at all").unwrap();
    let counts = count_files(&dataset);
    assert_eq!((counts.missing, counts.unreadable), (1, 2));

    let doctor = || {
        let words = ["doctor", "--data", "."];
        let output =
            Command::new(env!("CARGO_BIN_EXE_rpo-bench")).current_dir(root).args(words).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = doctor();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("FAULT dtd: 1 of") && said.contains("2 unreadable"), "{said}");
    fs::remove_dir_all(root.join("dtd/images")).unwrap();
    fs::create_dir(root.join("dtd/images")).unwrap();
    let (_, said) = doctor();
    assert!(said.contains("FAULT dtd") && !said.contains("ok    dtd"), "{said}");
}
