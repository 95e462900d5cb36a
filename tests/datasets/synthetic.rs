//! Small in-memory datasets for any manifest, and their copies on disk.

use std::path::Path;

use rpo_bench::data::export::{Encoding, ExportReport, InMemoryDataset, export};
use rpo_bench::data::manifest::Layout;
use rpo_bench::data::{Catalog, ImageSource, Item, Manifest, PixelError, Role, Split, embedded};
use rpo_bench::preprocess::Rgb8;
use rpo_bench::util::rng::Stream;

/// Pixels drawn from the item's path: every item has its own picture.
pub struct Noise;

impl ImageSource for Noise {
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
        let mut stream = Stream::new(&["noise", &item.path]);
        let pixels = (0..9 * 7 * 3).map(|_| stream.below(256) as u8).collect();
        Rgb8::new(9, 7, pixels).ok_or_else(|| PixelError::Unknown { path: item.path.clone() })
    }
}

/// Names that are awkward as paths and as list entries.
pub fn class_names() -> Vec<String> {
    ["F/A-18", "polka-dotted", "2012 Ram C/V", "colt's foot", "missile"].map(str::to_owned).to_vec()
}

/// Lists for a manifest, labels interleaved; test-only datasets and ImageNet lack what they lack.
pub fn split(manifest: &Manifest) -> Split {
    let list = |name: &str, per_class: u32| -> Vec<Item> {
        let item = |n: u32| Item { path: format!("memory/{name}/{n}"), label: n % 5 };
        (0..per_class * 5).map(item).collect()
    };
    let trains = manifest.role == Role::TrainAndTest;
    let has_val = trains && !matches!(manifest.layout, Layout::ImagenetFolders { .. });
    Split {
        train: if trains { list("train", 4) } else { Vec::new() },
        val: if has_val { list("val", 2) } else { Vec::new() },
        test: list("test", 3),
    }
}

/// Exports a synthetic dataset of this id below `root`.
pub fn export_to(root: &Path, id: &str) -> ExportReport {
    let manifest = embedded::manifest(id).unwrap();
    let (class_names, split) = (class_names(), split(&manifest));
    let dataset =
        InMemoryDataset { manifest: &manifest, class_names: &class_names, split: &split, images: &Noise };
    export(dataset, root, Encoding::Png).unwrap()
}

/// The embedded manifests over `root`, with the published figures of `id` replaced by those of the
/// synthetic dataset, so that an undamaged copy verifies.
pub fn catalog(root: &Path, id: &str) -> Catalog {
    let mut manifest = embedded::manifest(id).unwrap();
    let lists = split(&manifest);
    if let Some(counts) = &mut manifest.counts {
        counts.classes = 5;
        counts.train = counts.train.map(|_| lists.train.len());
        counts.val = counts.val.map(|_| lists.val.len());
        counts.test = lists.test.len();
        counts.base_classes = counts.base_classes.map(|_| 3);
        counts.new_classes = counts.new_classes.map(|_| 2);
        counts.base_test = counts.base_test.map(|_| 9);
        counts.new_test = counts.new_test.map(|_| 6);
    }
    if let Some(facts) = &mut manifest.split_file {
        facts.sha256 = None;
    }
    Catalog::with_manifests(root.to_owned(), vec![manifest])
}
