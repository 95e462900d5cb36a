//! What the classes of an evaluation are called, as far as the run says.

use std::collections::BTreeMap;

use super::context::Context;
use super::image_scores::ImageScores;
use crate::record::Evaluation;

/// Names by label: those stored with the run, else the folders of the images where every class has one of its own, else
/// `class 7`.
pub fn class_names(context: &Context<'_>, evaluation: &Evaluation, images: &ImageScores) -> Vec<String> {
    (context.material.class_names)(evaluation)
        .or_else(|| from_folders(evaluation.class_count, images.labelled()))
        .unwrap_or_else(|| numbered(evaluation.class_count))
}

/// Names that say nothing but the label.
pub fn numbered(class_count: u64) -> Vec<String> {
    (0..class_count).map(|label| format!("class {label}")).collect()
}

/// Folder names, where images of a class share one and classes do not.
pub fn from_folders<'p>(
    class_count: u64,
    images: impl Iterator<Item = (u32, &'p str)>,
) -> Option<Vec<String>> {
    let mut folders: BTreeMap<u32, &str> = BTreeMap::new();
    let mut owners: BTreeMap<&str, u32> = BTreeMap::new();
    for (label, path) in images {
        let (folder, _) = path.rsplit_once('/')?;
        if *folders.entry(label).or_insert(folder) != folder
            || *owners.entry(folder).or_insert(label) != label
        {
            return None;
        }
    }
    let name = |label: u64| {
        let folder = u32::try_from(label).ok().and_then(|label| folders.get(&label));
        folder.map_or_else(
            || format!("class {label}"),
            |folder| folder.rsplit('/').next().unwrap_or(folder).replace('_', " "),
        )
    };
    Some((0..class_count).map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_classes_only_where_they_are_theirs() {
        let names = |images: &[(u32, &str)]| from_folders(3, images.iter().copied());
        let told = names(&[(0, "x/red_car/1"), (0, "x/red_car/2"), (1, "x/bus/1")]).unwrap();
        assert_eq!(told, ["red car", "bus", "class 2"]);
        assert_eq!(names(&[(0, "images/1"), (1, "images/2")]), None, "one folder for all");
        assert_eq!(names(&[(0, "a/1"), (0, "b/1")]), None, "two folders of a class");
        assert_eq!(names(&[(0, "1")]), None, "no folder");
    }
}
