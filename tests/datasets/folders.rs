//! A user's own folder, a made split, and what is said when data is missing.

use std::fs;
use std::path::Path;

use rpo_bench::data::make_split::{ListShares, make_split};
use rpo_bench::data::split_write::save_split_json;
use rpo_bench::data::{Availability, Catalog, DataError, DataRoot, ImageSource, embedded};
use tempfile::{TempDir, tempdir};

use crate::synthetic::export_to;

/// A file that is no image: listing must not open it.
fn touch(root: &Path, path: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, b"x").unwrap();
}

fn birds() -> TempDir {
    let root = tempdir().unwrap();
    for path in [
        "train/wren/2.JPG",
        "train/wren/10.png",
        "train/a_owl/1.jpeg",
        "test/wren/3.jpg",
        "test/a_owl/4.webp",
    ] {
        touch(root.path(), &format!("My Birds/{path}"));
    }
    for path in ["train/wren/.hidden.jpg", "train/wren/notes.txt", "train/.git/x.jpg", "train/readme.md"] {
        touch(root.path(), &format!("My Birds/{path}"));
    }
    root
}

fn open(dir: &Path) -> Result<rpo_bench::data::Dataset, DataError> {
    let catalog = Catalog::new(&DataRoot::parse(&format!("folder:{}", dir.display()))?)?;
    catalog.open(catalog.ids()[0])
}

#[test]
fn a_folder_is_read_sorted_without_hidden_and_foreign_files() {
    let root = birds();
    let dataset = open(&root.path().join("My Birds")).unwrap();
    assert_eq!(dataset.id, "my_birds");
    assert_eq!(dataset.class_names, ["a_owl", "wren"]);
    let paths: Vec<&str> = dataset.split.train.iter().map(|item| item.path.as_str()).collect();
    assert_eq!(paths, ["train/a_owl/1.jpeg", "train/wren/10.png", "train/wren/2.JPG"]);
    assert_eq!(dataset.split.test[1].label, 1);
    assert_eq!((dataset.split.val.len(), dataset.template().as_str()), (0, "a photo of a {}."));
}

#[test]
fn classes_toml_gives_names_and_template() {
    let root = birds();
    let dir = root.path().join("My Birds");
    let file = |text: &str| fs::write(dir.join("classes.toml"), text).unwrap();
    file("schema_version = 1\ntemplate = \"a {} bird\"\n[class_names]\na_owl = \"barn owl\"\n");
    let dataset = open(&dir).unwrap();
    assert_eq!(dataset.class_names, ["barn owl", "wren"]);
    assert_eq!(dataset.template().fill("wren"), "a wren bird");
    for (text, part) in [
        ("schema_version = 2\n", "schema_version is 2"),
        ("schema_version = 1\ntemplate = \"bird\"\n", "exactly once"),
        ("schema_version = 1\ntemplat = \"{}\"\n", "unknown field"),
        ("schema_version = 1\n[class_names]\neagle = \"eagle\"\n", "\"eagle\""),
    ] {
        file(text);
        let said = open(&dir).unwrap_err().to_string();
        assert!(said.contains(part) && said.contains("classes.toml"), "{said}");
    }
}

#[test]
fn what_is_wrong_with_a_folder_is_named() {
    type Damage = fn(&Path);
    let cases: [(Damage, &str); 5] = [
        (|dir| fs::remove_dir_all(dir.join("test")).unwrap(), "has no \"test\""),
        (|dir| fs::remove_file(dir.join("test/wren/3.jpg")).unwrap(), "test/wren: this class has no image"),
        (|dir| touch(dir, "test/eagle/1.jpg"), "class \"eagle\""),
        (|dir| fs::remove_dir_all(dir.join("test/wren")).unwrap(), "class \"wren\""),
        (|dir| touch(dir, "train/wren/a:b.jpg"), "rename it"),
    ];
    for (damage, part) in cases {
        let root = birds();
        let dir = root.path().join("My Birds");
        damage(&dir);
        let said = open(&dir).unwrap_err().to_string();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_made_split_repeats_and_opens() {
    let root = tempdir().unwrap();
    for n in 0..20 {
        touch(root.path(), &format!("photos/cat/{n}.jpg"));
        touch(root.path(), &format!("photos/dog/{n}.jpg"));
    }
    let dir = root.path().join("photos");
    let made = make_split(&dir, 1, ListShares::CoOp).unwrap();
    assert_eq!(made, make_split(&dir, 1, ListShares::CoOp).unwrap());
    assert_ne!(made.split, make_split(&dir, 2, ListShares::CoOp).unwrap().split);
    let file = root.path().join("split.json");
    save_split_json(&file, &made.to_json_bytes().unwrap()).unwrap();
    assert!(save_split_json(&file, b"").is_err(), "a split file was overwritten");
    let catalog = Catalog::new(&DataRoot::Folder(dir.clone())).unwrap().with_split_file("photos", file);
    let dataset = catalog.open("photos").unwrap();
    assert_eq!(*dataset.split, made.split);
    let counts = dataset.counts();
    assert_eq!((counts.train, counts.val, counts.test, counts.classes), (20, 8, 12, 2));
    fs::remove_dir_all(dir.join("dog")).unwrap();
    touch(&dir, "dog/1.jpg");
    assert!(make_split(&dir, 1, ListShares::CoOp).unwrap_err().to_string().contains("has 1 images"));
}

#[test]
fn missing_data_is_listed_with_what_would_run() {
    let root = tempdir().unwrap();
    export_to(root.path(), "dtd");
    export_to(root.path(), "eurosat");
    export_to(root.path(), "imagenet");
    fs::remove_file(root.path().join("eurosat/split_zhou_EuroSAT.json")).unwrap();
    let catalog = Catalog::new(&DataRoot::Coop(root.path().to_owned())).unwrap();
    let wanted = ["imagenet", "dtd", "eurosat", "food101"];
    let states = catalog.availability(&wanted).unwrap();
    assert!(
        matches!(&states[1], Availability::Ready { id, counts, .. } if id == "dtd" && counts.train == 20)
    );
    let Availability::Missing { what, how_to_get, .. } = &states[2] else { panic!("{:?}", states[2]) };
    assert_eq!(what, "eurosat/split_zhou_EuroSAT.json");
    assert!(how_to_get.contains("1Ip7yaCWFi0eaOFUGga0lUdVi_DDQth1o"), "{how_to_get}");
    let said = catalog.open_all(&wanted).unwrap_err().to_string();
    assert!(said.contains("--datasets imagenet,dtd"), "{said}");
    assert!(said.contains("food-101/images is missing"), "{said}");
    assert_eq!(catalog.open_all(&["dtd"]).unwrap()[0].id, "dtd");
    let said = catalog.open_all(&["dtt"]).unwrap_err().to_string();
    assert!(said.contains("did you mean dtd"), "{said}");
}

#[test]
fn the_data_option_names_a_folder_that_exists() {
    for (value, part) in
        [("", "expected DIR"), ("folder:", "expected DIR"), ("/no/such/place", "no such folder")]
    {
        let said = DataRoot::parse(value).unwrap_err().to_string();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_gzipped_split_file_is_found() {
    use std::io::Write;
    let root = tempdir().unwrap();
    export_to(root.path(), "dtd");
    let plain = root.path().join("dtd/split_zhou_DescribableTextures.json");
    let packed = fs::File::create(root.path().join("dtd/split_zhou_DescribableTextures.json.gz")).unwrap();
    let mut writer = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    writer.write_all(&fs::read(&plain).unwrap()).unwrap();
    writer.finish().unwrap();
    let catalog = Catalog::new(&DataRoot::Coop(root.path().to_owned())).unwrap();
    let before = catalog.open("dtd").unwrap();
    fs::remove_file(plain).unwrap();
    let after = catalog.open("dtd").unwrap();
    assert_eq!(before.split_file_sha256, after.split_file_sha256);
    assert_eq!(before.split_sha256, after.split_sha256);
}

#[test]
fn real_photographs_of_a_folder_decode() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real-images/cifar10");
    if !dir.is_dir() {
        eprintln!("skipped: ../shared/real-images/cifar10 is absent");
        return;
    }
    let dataset = open(&dir).unwrap();
    let counts = dataset.counts();
    assert_eq!((counts.classes, counts.train, counts.test), (10, 600, 400));
    let source = dataset.source();
    for item in dataset.split.test.iter().step_by(40) {
        let image = source.image(item).unwrap();
        assert_eq!((image.width(), image.height()), (32, 32));
    }
    assert!(embedded::manifest(&dataset.id).is_err());
}
