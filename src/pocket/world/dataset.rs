//! The packs as datasets: class names, item lists, and pixels rendered on demand.
//!
//! Owns the item paths, `pocket/ID/SPLIT/CLASS/NUMBER`. The path alone says what is drawn: the label
//! of an item handed back for its pixels is not looked at.

use super::packs::{PACKS, Pack};
use super::scene::Scene;
use super::subject::Subject;
use crate::data::{ImageSource, Item, PixelError, Split};
use crate::preprocess::Rgb8;
use crate::util::rng::Stream;

/// Items of each class in each list: (list, count).
const LISTS: [(&str, usize); 3] = [("train", 64), ("val", 16), ("test", 40)];

/// A pocket dataset: what an adaptation run needs to know, without pixels.
#[derive(Clone, Debug)]
pub struct PocketDataset {
    /// The id, that of the dataset it stands in for.
    pub id: &'static str,
    /// The name for titles.
    pub display_name: &'static str,
    /// Class names in label order: the first half is base, the second new.
    pub class_names: Vec<String>,
    /// Items, class by class: 64 for training, 16 for validation, 40 for testing of each class. The
    /// four shifted test sets of ImageNet have test items alone.
    pub split: Split,
}

/// The ids of the pocket datasets, in the order tables list them.
pub fn datasets() -> Vec<&'static str> {
    PACKS.iter().map(|pack| pack.id).collect()
}

/// The dataset of this id, or `None` for an id outside [`datasets`].
pub fn dataset(id: &str) -> Option<PocketDataset> {
    let pack = pack(id)?;
    let list = |name: &str, count: usize| {
        if pack.test_only && name != "test" { Vec::new() } else { items(pack, name, count) }
    };
    let [train, val, test] = LISTS.map(|(name, count)| list(name, count));
    Some(PocketDataset {
        id: pack.id,
        display_name: pack.display_name,
        class_names: pack.classes.iter().map(Subject::name).collect(),
        split: Split { train, val, test },
    })
}

/// The pixels of every pocket item, 48 × 48, drawn anew at each call.
#[derive(Clone, Copy, Debug, Default)]
pub struct PocketImages;

impl ImageSource for PocketImages {
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
        let unknown = || PixelError::Unknown { path: item.path.clone() };
        let (pack, subject, words) = locate(&item.path).ok_or_else(unknown)?;
        let mut stream = Stream::new(&words);
        Ok(Scene::compose(subject, &pack.style, &mut stream).render(&mut stream))
    }
}

fn pack(id: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.id == id)
}

fn items(pack: &Pack, list: &str, count: usize) -> Vec<Item> {
    let labelled = (0u32..).zip(pack.classes);
    let paths = labelled.flat_map(|(label, subject)| {
        let folder = format!("pocket/{}/{list}/{}", pack.id, slug(subject));
        (0..count).map(move |k| Item { path: format!("{folder}/{k:04}"), label })
    });
    paths.collect()
}

fn slug(subject: &Subject) -> String {
    subject.name().replace(' ', "_")
}

/// The pack and class a path names, and the path's words, which seed the picture.
fn locate(path: &str) -> Option<(&'static Pack, Subject, Vec<&str>)> {
    let words: Vec<&str> = path.split('/').collect();
    let ["pocket", id, list, class, number] = words[..] else { return None };
    let pack = pack(id)?;
    let (_, count) = LISTS.into_iter().find(|(name, _)| *name == list)?;
    let known = number.len() == 4
        && number.bytes().all(|b| b.is_ascii_digit())
        && number.parse::<usize>().is_ok_and(|k| k < count);
    let subject = pack.classes.iter().find(|subject| slug(subject) == class)?;
    (known && (list == "test" || !pack.test_only)).then_some((pack, *subject, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_their_lengths_and_labels() {
        for id in datasets() {
            let set = dataset(id).expect("a listed id");
            let classes = match id {
                "eurosat" => 10,
                "imagenet_a" => 12,
                _ if id.starts_with("imagenet") => 24,
                _ => 16,
            };
            let few_shot = if id.starts_with("imagenet") && id != "imagenet" { 0 } else { classes };
            assert_eq!(set.class_names.len(), classes, "{id}");
            assert_eq!(set.split.train.len(), 64 * few_shot, "{id}");
            assert_eq!(set.split.val.len(), 16 * few_shot, "{id}");
            assert_eq!(set.split.test.len(), 40 * classes, "{id}");
            assert!((0..classes).all(|label| set.split.test[label * 40].label as usize == label));
        }
        assert!(dataset("mnist").is_none());
    }

    #[test]
    fn unknown_paths_are_refused_by_name() {
        for path in [
            "pocket/dtd/train/red_striped/0064",
            "pocket/dtd/train/red_striped/7",
            "pocket/dtd/train/red_striped/+007",
            "pocket/dtd/other/red_striped/0007",
            "pocket/dtd/train/plaid/0007",
            "pocket/imagenet_r/train/red_kite/0000",
            "dtd/images/x.jpg",
            "",
        ] {
            let error = PocketImages.image(&Item { path: path.into(), label: 0 }).unwrap_err();
            assert!(matches!(&error, PixelError::Unknown { path: p } if p == path), "{path}");
        }
        let good = Item { path: "pocket/dtd/train/red_striped/0007".into(), label: 0 };
        assert_eq!(PocketImages.image(&good).unwrap().width(), 48);
    }
}
