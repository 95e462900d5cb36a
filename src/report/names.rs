//! How methods and datasets are called on a page, and in which order they appear.
//!
//! A method is called as its file says; ids that nobody knows keep their name.

use crate::method::{REGISTRY, look_up};

const DATASETS: [(&str, &str); 15] = [
    ("imagenet", "ImageNet"),
    ("caltech101", "Caltech101"),
    ("oxford_pets", "OxfordPets"),
    ("stanford_cars", "StanfordCars"),
    ("oxford_flowers", "Flowers102"),
    ("food101", "Food101"),
    ("fgvc_aircraft", "FGVCAircraft"),
    ("sun397", "SUN397"),
    ("dtd", "DTD"),
    ("eurosat", "EuroSAT"),
    ("ucf101", "UCF101"),
    ("imagenetv2", "ImageNetV2"),
    ("imagenet_sketch", "ImageNet-Sketch"),
    ("imagenet_a", "ImageNet-A"),
    ("imagenet_r", "ImageNet-R"),
];

/// Name of a method in tables and pictures.
pub fn method_name(id: &str) -> &str {
    look_up(id).map_or(id, |entry| entry.name)
}

/// Name of a dataset in tables and pictures.
pub fn dataset_name(id: &str) -> &str {
    display(&DATASETS, id)
}

/// Sorting key of a method: the registry's order. Methods that are not in it come before its last one, which is what the
/// others are compared with.
pub fn method_order(id: &str) -> (usize, String) {
    let last = REGISTRY.len().saturating_sub(1);
    let place = REGISTRY.iter().position(|entry| entry.id == id);
    let place = place.map_or(2 * last.saturating_sub(1) + 1, |place| 2 * place);
    (place, id.to_owned())
}

/// Sorting key of a dataset: the published order.
pub fn dataset_order(id: &str) -> (usize, String) {
    (DATASETS.iter().position(|(known, _)| *known == id).unwrap_or(DATASETS.len()), id.to_owned())
}

fn display<'a>(names: &[(&str, &'a str)], id: &'a str) -> &'a str {
    names.iter().find(|(known, _)| *known == id).map_or(id, |(_, name)| name)
}
