//! File names of exported images, from a manifest's pattern: flat, by class, by list, as the published files are.
//!
//! Pattern words: `{class}` the class name fit for a path, `{initial}` its first character, `{list}` `train` or
//! `test` (validation images lie with the training images), `{in_class}`, `{in_list}` and `{in_all}` running
//! numbers from 1 within the class, that list and the dataset.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{Item, Split};

/// Used where a manifest has no pattern.
const DEFAULT: &str = "{class}/{class}_{in_class}.jpg";

/// The pattern words; anything else in braces is refused when a manifest is read.
const WORDS: [&str; 6] = ["{class}", "{initial}", "{list}", "{in_class}", "{in_list}", "{in_all}"];

/// What is wrong with a pattern: unknown words, or no number that tells images apart.
pub(in crate::data) fn check(pattern: &str) -> Result<(), &'static str> {
    let bare = WORDS.iter().fold(pattern.to_owned(), |text, word| text.replace(word, ""));
    if bare.contains(['{', '}']) {
        return Err("knows {class}, {initial}, {list}, {in_class}, {in_list} and {in_all} only");
    }
    let alone = pattern.contains("{in_all}");
    let by_list = pattern.contains("{in_list}") && pattern.contains("{list}");
    let by_class = pattern.contains("{in_class}") && pattern.contains("{class}");
    if alone || by_list || by_class { Ok(()) } else { Err("would name two images alike") }
}

/// The split with new paths below `base`.
pub(super) fn named(pattern: Option<&str>, base: &str, class_names: &[String], split: &Split) -> Split {
    let pattern = pattern.unwrap_or(DEFAULT);
    let words = class_words(class_names);
    let mut in_class: BTreeMap<u32, usize> = BTreeMap::new();
    let (mut in_list, mut in_all) = ([0, 0], 0);
    let mut place = |list: usize, items: &[Item]| -> Vec<Item> {
        let half = usize::from(list == 2);
        let mut path = |label: u32| {
            let class = in_class.entry(label).or_default();
            (*class, in_list[half], in_all) = (*class + 1, in_list[half] + 1, in_all + 1);
            let word = words.get(label as usize).map_or("", String::as_str);
            let name = pattern
                .replace("{class}", word)
                .replace("{initial}", word.get(..1).unwrap_or("x"))
                .replace("{list}", ["train", "test"][half])
                .replace("{in_class}", &format!("{class:04}"))
                .replace("{in_list}", &format!("{:05}", in_list[half]))
                .replace("{in_all}", &format!("{in_all:05}"));
            if base == "." { name } else { format!("{base}/{name}") }
        };
        items.iter().map(|item| Item { path: path(item.label), label: item.label }).collect()
    };
    let [train, val, test] = lists(split);
    Split { train: place(0, train), val: place(1, val), test: place(2, test) }
}

/// Class names with `_` for whatever does not belong into a path; a name that another class has already gets
/// its label behind it.
fn class_words(class_names: &[String]) -> Vec<String> {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let mut taken = BTreeSet::new();
    let mut word = |(label, name): (usize, &String)| {
        let word: String = name.chars().map(fit).collect();
        let free = taken.insert(word.to_lowercase());
        if free { word } else { format!("{word}_{label}") }
    };
    class_names.iter().enumerate().map(&mut word).collect()
}

/// A split's lists, in the order train, val, test.
pub(super) fn lists(split: &Split) -> [&Vec<Item>; 3] {
    [&split.train, &split.val, &split.test]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(pattern: &str) -> Vec<String> {
        let names = ["F/A-18".to_owned(), "f_a-18".to_owned()];
        let item = |label| Item { path: String::new(), label };
        let split = Split { train: vec![item(0), item(1)], val: vec![item(0)], test: vec![item(0)] };
        let placed = named(Some(pattern), "d/images", &names, &split);
        let all = [placed.train, placed.val, placed.test].concat();
        all.into_iter().map(|item| item.path).collect()
    }

    #[test]
    fn names_number_by_class_list_and_dataset() {
        assert_eq!(
            paths("{class}/{class}_{in_class}.jpg"),
            [
                "d/images/F_A-18/F_A-18_0001.jpg",
                "d/images/f_a-18_1/f_a-18_1_0001.jpg",
                "d/images/F_A-18/F_A-18_0002.jpg",
                "d/images/F_A-18/F_A-18_0003.jpg",
            ]
        );
        assert_eq!(
            paths("cars_{list}/{in_list}.jpg")[2..],
            ["d/images/cars_train/00003.jpg", "d/images/cars_test/00001.jpg"]
        );
        assert_eq!(paths("{initial}/i_{in_all}.jpg")[3], "d/images/F/i_00004.jpg");
    }

    #[test]
    fn patterns_that_repeat_names_are_refused() {
        for good in [DEFAULT, "{list}/{in_list}.jpg", "{in_all}.jpg"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["{class}.jpg", "{in_list}.jpg", "{in_class}.jpg", "{n}{in_all}.jpg", "{in_all"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
