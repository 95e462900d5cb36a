//! People's own folders: what is skipped, names in files, equal prompts, classes with few images, one list.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rpo_bench::data::make_split::{ListShares, make_split};
use rpo_bench::data::{Catalog, DataError, DataRoot, Dataset, fewshot};
use tempfile::{TempDir, tempdir};

fn program(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpo-bench")).current_dir(root).args(args).output().unwrap()
}

fn touch(root: &Path, path: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, b"x").unwrap();
}

fn pets() -> TempDir {
    let root = tempdir().unwrap();
    for class in ["red_fox", "wolf"] {
        for list in ["train", "test"] {
            (0..3).for_each(|n| touch(root.path(), &format!("pets/{list}/{class}/{n}.jpg")));
        }
    }
    root
}

fn open(dir: &Path) -> Result<Dataset, DataError> {
    let catalog = Catalog::new(&DataRoot::parse(&format!("folder:{}", dir.display()))?)?;
    catalog.open(catalog.ids()[0])
}

#[test]
fn what_is_skipped_is_told_with_the_reason() {
    let root = pets();
    let dir = root.path().join("pets");
    assert!(open(&dir).unwrap().notes.is_empty());
    for path in
        ["train/wolf/no_ending", "train/wolf/more/5.jpg", "test/wolf/.DS_Store", "train/wolf/notes.txt"]
    {
        touch(&dir, path);
    }
    let notes = open(&dir).unwrap().notes.join("\n");
    for part in [
        "skipped in train: 2 without the ending of an image, for example train/wolf/no_ending",
        "1 folders below a class, for example train/wolf/more",
        "skipped in test: 1 hidden, for example test/wolf/.DS_Store",
    ] {
        assert!(notes.contains(part), "{notes} lacks {part}");
    }
}

#[test]
fn two_classes_with_one_prompt_are_refused() {
    let root = pets();
    let dir = root.path().join("pets");
    for list in ["train", "test"] {
        touch(&dir, &format!("{list}/Red fox/1.jpg"));
    }
    let said = open(&dir).unwrap_err().to_string();
    for part in ["\"Red fox\"", "\"red_fox\"", "same prompt", "classes.txt"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    fs::write(dir.join("classes.txt"), "Red fox vixen\n").unwrap();
    assert_eq!(open(&dir).unwrap().class_names, ["vixen", "red_fox", "wolf"]);
}

#[test]
fn names_come_from_one_file() {
    let root = pets();
    let dir = root.path().join("pets");
    fs::write(dir.join("classes.txt"), "\u{feff}fox\ngrey wolf\n").unwrap();
    assert_eq!(open(&dir).unwrap().class_names, ["fox", "grey wolf"]);
    fs::write(dir.join("classes.csv"), "folder,name\nwolf,cub\n").unwrap();
    assert!(open(&dir).unwrap_err().to_string().contains("keep one of them"));
    fs::remove_file(dir.join("classes.txt")).unwrap();
    assert_eq!(open(&dir).unwrap().class_names, ["red_fox", "cub"]);
    fs::write(dir.join("classes.toml"), "schema_version = 1\n[class_names]\nwolf = \"x\"\n").unwrap();
    assert!(open(&dir).unwrap_err().to_string().contains("keep one of them"));
}

#[test]
fn one_list_is_split_by_share_and_seed() {
    let root = tempdir().unwrap();
    for n in 0..10 {
        touch(root.path(), &format!("photos/train/cat/{n}.jpg"));
        touch(root.path(), &format!("photos/train/dog/{n}.jpg"));
    }
    let dir = root.path().join("photos");
    let said = open(&dir).unwrap_err().to_string();
    assert!(said.contains("--split 0.8") && said.contains("--split-file"), "{said}");
    let made = make_split(&dir, 1, ListShares::Train(0.8)).unwrap();
    assert_eq!((made.split.train.len(), made.split.val.len(), made.split.test.len()), (16, 0, 4));
    assert_ne!(made.split, make_split(&dir, 2, ListShares::Train(0.8)).unwrap().split);

    let words = [
        "data", "split", "photos", "--folder", "photos", "--split", "0.8", "--seed", "1", "--save", "s.json",
    ];
    let output = program(root.path(), &words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let catalog =
        Catalog::new(&DataRoot::Folder(dir)).unwrap().with_split_file("photos", root.path().join("s.json"));
    assert_eq!(*catalog.open("photos").unwrap().split, made.split);
    let bad = program(
        root.path(),
        &["data", "split", "p", "--folder", "photos", "--split", "1.5", "--seed", "1", "--save", "t"],
    );
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn a_class_with_fewer_images_than_shots_is_told_in_log_and_page() {
    let root = tempdir().unwrap();
    let root = root.path();
    assert!(program(root, &["model", "export", "clip"]).status.success());
    let classes = ["annual crop", "forest", "highway", "river"];
    let made = program(root, &["data", "export", "--pocket", "data", "--datasets", "eurosat"]);
    assert!(made.status.success());
    // Four classes of two images to train on, and of one in one of them.
    let folders: Vec<_> =
        fs::read_dir(root.join("data/eurosat/2750")).unwrap().map(|e| e.unwrap().path()).collect();
    for (class, folder) in classes.iter().zip(&folders) {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for (list, range) in [("train", 0..2), ("test", 2..4)] {
            for file in &files[range] {
                let to = root.join(format!("own/{list}/{class}"));
                fs::create_dir_all(&to).unwrap();
                fs::copy(file, to.join(file.file_name().unwrap())).unwrap();
            }
        }
    }
    let first = fs::read_dir(root.join("own/train/forest")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(first).unwrap();
    let dataset = open(&root.join("own")).unwrap();
    assert_eq!(fewshot::short_classes(&dataset.split.train, 2), 1);
    let words = [
        "suite",
        "base2new",
        "--data",
        "folder:own",
        "--clip",
        "clip",
        "--methods",
        "linear_probe",
        "--seeds",
        "1",
    ];
    let run = |shots: &str, out: &str| {
        let output = program(root, &[&words[..], &["--shots", shots, "--out", out]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let reports = fs::read_dir(root.join(out).join("reports")).unwrap();
        let page =
            reports.map(|dir| dir.unwrap().path().join("README.md")).find(|page| page.exists()).unwrap();
        (said, fs::read_to_string(page).unwrap())
    };
    let (said, page) = run("2", "few");
    assert!(
        said.contains("own: 1 of 4 classes have fewer than 2 training images (the smallest 1)"),
        "{said}"
    );
    assert!(page.contains("images drawn") && page.contains("|            3 |               4 |"), "{page}");
    let (said, page) = run("1", "enough");
    assert!(!said.contains("fewer than") && !page.contains("images drawn"), "{said}");
}

#[test]
fn any_dataset_can_be_drawn_from_without_a_split_file() {
    let root = tempdir().unwrap();
    let root = root.path();
    for id in ["eurosat", "fgvc_aircraft", "imagenet"] {
        crate::synthetic::export_to(root, id);
        let words = ["data", "split", id, "--data", ".", "--seed", "1", "--shots", "2", "--json"];
        let output = program(root, &words);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let drawn: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let split = Catalog::new(&DataRoot::Coop(root.to_owned())).unwrap().open(id).unwrap().split;
        assert_eq!(drawn["train"], serde_json::json!(fewshot::draw(&split, 2, 1).train), "{id}");
    }
    let pocket = program(root, &["data", "split", "eurosat", "--seed", "1", "--shots", "1"]);
    assert!(pocket.status.success());
    let none = program(root, &["data", "split", "nothing", "--seed", "1", "--shots", "1"]);
    assert_eq!(none.status.code(), Some(2));
}
