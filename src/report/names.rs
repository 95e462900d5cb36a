//! How methods and datasets are called on a page, and in which order they appear.
//!
//! Ids that are not listed keep their name and follow the listed ones in alphabetical order.

const METHODS: [(&str, &str); 6] = [
    ("zero_shot", "CLIP"),
    ("linear_probe", "LP"),
    ("coop", "CoOp"),
    ("cocoop", "CoCoOp"),
    ("maple", "MaPLe"),
    ("rpo", "RPO"),
];

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
    display(&METHODS, id)
}

/// Name of a dataset in tables and pictures.
pub fn dataset_name(id: &str) -> &str {
    display(&DATASETS, id)
}

/// Sorting key of a method. RPO comes last, so that what it is compared with is read first.
pub fn method_order(id: &str) -> (usize, String) {
    let place = METHODS.iter().position(|(known, _)| *known == id).unwrap_or(METHODS.len() - 1);
    (if id == "rpo" { METHODS.len() } else { place }, id.to_owned())
}

/// Sorting key of a dataset: the published order.
pub fn dataset_order(id: &str) -> (usize, String) {
    (DATASETS.iter().position(|(known, _)| *known == id).unwrap_or(DATASETS.len()), id.to_owned())
}

fn display<'a>(names: &[(&str, &'a str)], id: &'a str) -> &'a str {
    names.iter().find(|(known, _)| *known == id).map_or(id, |(_, name)| name)
}
