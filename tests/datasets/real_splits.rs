//! The seven split files that CoOp published, against the manifests' figures.

use std::path::{Path, PathBuf};

use rpo_bench::data::verify::{Fault, VerifyOptions, verify};
use rpo_bench::data::{Catalog, DataRoot};
use tempfile::tempdir;

/// Dataset, split file, image folder.
const PUBLISHED: [(&str, &str, &str); 7] = [
    ("caltech101", "split_zhou_Caltech101.json", "caltech-101/101_ObjectCategories"),
    ("dtd", "split_zhou_DescribableTextures.json", "dtd/images"),
    ("eurosat", "split_zhou_EuroSAT.json", "eurosat/2750"),
    ("oxford_flowers", "split_zhou_OxfordFlowers.json", "oxford_flowers/jpg"),
    ("oxford_pets", "split_zhou_OxfordPets.json", "oxford_pets/images"),
    ("stanford_cars", "split_zhou_StanfordCars.json", "stanford_cars"),
    ("ucf101", "split_zhou_UCF101.json", "ucf101/UCF-101-midframes"),
];

fn shared_splits() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/splits");
    if !dir.is_dir() {
        eprintln!("skipped: ../shared/splits is absent");
        return None;
    }
    Some(dir)
}

#[test]
fn published_lists_have_the_published_sizes_and_digests() {
    let Some(shared) = shared_splits() else { return };
    let root = tempdir().unwrap();
    for (_, file, images) in PUBLISHED {
        let folder = root.path().join(images.split('/').next().unwrap());
        std::fs::create_dir_all(root.path().join(images)).unwrap();
        std::fs::copy(shared.join(format!("{file}.gz")), folder.join(format!("{file}.gz"))).unwrap();
    }
    let catalog = Catalog::new(&DataRoot::Coop(root.path().to_owned())).unwrap();
    for (id, _, images) in PUBLISHED {
        let report = verify(&catalog, id, &VerifyOptions { quick: true, state_file: None }, &mut |_, _| ());
        let report = report.unwrap();
        let listed = report.counts.map(|c| c.train + c.val + c.test).unwrap();
        let missing = report.faults.iter().filter(|fault| matches!(fault, Fault::MissingFile { .. })).count();
        assert_eq!(missing, listed, "{id}: only the images are missing: {:?}", report.faults.first());
        assert_eq!(report.faults.len(), listed, "{id}: {:?}", report.faults.first());
        let dataset = catalog.open(id).unwrap();
        let below = format!("{images}/");
        assert!(dataset.split.test.iter().all(|item| item.path.starts_with(&below)), "{id}");
    }
}

#[test]
fn another_published_file_is_noticed() {
    let Some(shared) = shared_splits() else { return };
    let root = tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("dtd/images")).unwrap();
    let wrong = shared.join("split_zhou_EuroSAT.json.gz");
    let catalog =
        Catalog::new(&DataRoot::Coop(root.path().to_owned())).unwrap().with_split_file("dtd", wrong);
    let report = verify(&catalog, "dtd", &VerifyOptions { quick: true, state_file: None }, &mut |_, _| ());
    let faults = report.unwrap().faults;
    assert!(faults.iter().any(|fault| matches!(fault, Fault::WrongSplitHash { .. })));
    let counts = faults.iter().filter(|fault| matches!(fault, Fault::WrongCount { .. })).count();
    assert_eq!(counts, 8, "classes, three lists, classes and test images of both halves");
}
