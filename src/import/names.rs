//! Names that other programs have for methods and datasets.

use crate::data::embedded;
use crate::method::{BASELINE, REGISTRY};

/// Datasets under the names of Dassl's classes, where lower case alone does not give the id.
const DATASETS: [(&str, &str); 9] = [
    ("OxfordPets", "oxford_pets"),
    ("StanfordCars", "stanford_cars"),
    ("OxfordFlowers", "oxford_flowers"),
    ("FGVCAircraft", "fgvc_aircraft"),
    ("DescribableTextures", "dtd"),
    ("ImageNetV2", "imagenetv2"),
    ("ImageNetSketch", "imagenet_sketch"),
    ("ImageNetA", "imagenet_a"),
    ("ImageNetR", "imagenet_r"),
];

/// Trainers of Dassl's kin that train nothing.
const ZERO_SHOT: [&str; 2] = ["zeroshotclip", "zeroshotclip2"];

/// The id of a dataset, from its id or Dassl's name.
pub fn dataset(name: &str) -> String {
    let known = DATASETS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name));
    known.map_or_else(|| name.to_ascii_lowercase(), |(_, ours)| (*ours).to_owned())
}

/// The id of a method, from its id or a trainer's name; anything that is no letter, digit, `_`, `.`, `+` or `-`
/// becomes `_`.
pub fn method(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '_' };
    let id: String = name.to_ascii_lowercase().chars().map(fit).collect();
    let known = REGISTRY.iter().find(|entry| entry.aliases.contains(&id.as_str()));
    match known {
        _ if ZERO_SHOT.contains(&id.as_str()) => BASELINE.to_owned(),
        Some(entry) => entry.id.to_owned(),
        None => id,
    }
}

/// The word of a path that is the id of a known dataset.
pub fn dataset_in(path: &str) -> Option<String> {
    path.split(['/', '\\']).find(|part| embedded::text(part).is_some()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_programs_become_ids() {
        for (theirs, ours) in [("EuroSAT", "eurosat"), ("DescribableTextures", "dtd"), ("dtd", "dtd")] {
            assert_eq!(dataset(theirs), ours);
            assert!(embedded::text(&dataset(theirs)).is_some());
        }
        assert_eq!(["CoOp", "LP", "My Method"].map(method), ["coop", "linear_probe", "my_method"]);
        assert_eq!(dataset_in("output/base2new/train_base/eurosat/shots_16").as_deref(), Some("eurosat"));
        assert_eq!(dataset_in("output/x"), None);
    }
}
