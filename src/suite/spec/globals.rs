//! Settings that belong to no method: views, broken images, and how the engine cuts its work.

use std::collections::BTreeMap;

use toml::Value;

use super::seeds::{SEEDS, Seeds};
use crate::backbone::{DEFAULT_GRID, DEFAULT_MAX_ROWS};
use crate::train::BrokenImages;
use crate::train::Views;

/// Settings that belong to no method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globals {
    /// Number of views.
    pub views: Views,
    /// Whether every method draws its own views, as the published processes do.
    pub views_per_method: bool,
    /// What happens to images that cannot be read.
    pub broken_images: BrokenImages,
    /// Prompt or context rows computed at one time.
    pub max_rows: usize,
    /// Images per frozen pass where they go in item order.
    pub images: usize,
    /// Seeds that are trained and tested in the same products.
    pub seeds: Seeds,
    /// Whether trained parameters and momentum are held in `--dtype` too.
    pub rounded_parameters: bool,
}

pub(in crate::suite) const MAX_ROWS: &str = "engine.max_rows";
pub(in crate::suite) const GRID: &str = "engine.images";
const PARAMETERS: &str = "engine.parameters";
/// Keys of settings that belong to no method: records hold them among the switches.
pub const GLOBAL_KEYS: [&str; 7] =
    ["views", "views_bank", "data.broken_images", MAX_ROWS, GRID, SEEDS, PARAMETERS];

/// What each of them is, in the order of [`Globals::values`].
pub(in crate::suite) const GLOBAL_MEANINGS: [(&str, &str); 7] = [
    ("views", "shared: all methods of a seed see the same crops and flips; per_method: each draws its own"),
    ("views_bank", "views an image; epoch e uses view e mod n. 0 draws a new one every epoch"),
    ("data.broken_images", "fail stops at an image that cannot be read; skip leaves it out and counts it"),
    (
        MAX_ROWS,
        "prompt or context rows computed at one time; auto: by free memory, kept in the run's directory",
    ),
    (GRID, "images per frozen pass; auto as above"),
    (SEEDS, "apart; together puts the seeds of a method in the same products; or seeds such as 1,2,3"),
    (PARAMETERS, "f32, or dtype to hold trained values and momentum in --dtype too"),
];

impl Default for Globals {
    fn default() -> Self {
        Self {
            views: Views::Fresh,
            views_per_method: false,
            broken_images: BrokenImages::Fail,
            max_rows: DEFAULT_MAX_ROWS,
            images: DEFAULT_GRID,
            seeds: Seeds::Apart,
            rounded_parameters: false,
        }
    }
}

impl Globals {
    /// Their values as TOML, in the order of [`GLOBAL_MEANINGS`].
    pub(in crate::suite) fn values(&self) -> [String; 7] {
        let word = |yes: bool, words: [&str; 2]| format!("\"{}\"", words[usize::from(yes)]);
        let bank = match self.views {
            Views::Fresh => 0,
            Views::Bank(n) => n,
        };
        [
            word(self.views_per_method, ["shared", "per_method"]),
            bank.to_string(),
            word(self.broken_images == BrokenImages::Skip, ["fail", "skip"]),
            self.max_rows.to_string(),
            self.images.to_string(),
            format!("\"{}\"", self.seeds),
            word(self.rounded_parameters, ["f32", "dtype"]),
        ]
    }

    /// Takes one of [`GLOBAL_KEYS`]; the error says what was expected.
    pub(in crate::suite) fn apply(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match (key, value) {
            ("views_bank", Value::Integer(0)) => self.views = Views::Fresh,
            ("views_bank", Value::Integer(n)) if *n > 0 => self.views = Views::Bank(*n as usize),
            ("views_bank", _) => return Err("expected a whole number; 0 draws fresh views".to_owned()),
            ("views", Value::String(word)) if word == "shared" => self.views_per_method = false,
            ("views", Value::String(word)) if word == "per_method" => self.views_per_method = true,
            ("views", _) => return Err("expected shared or per_method".to_owned()),
            ("data.broken_images", Value::String(word)) if word == "fail" => {
                self.broken_images = BrokenImages::Fail;
            }
            ("data.broken_images", Value::String(word)) if word == "skip" => {
                self.broken_images = BrokenImages::Skip;
            }
            ("data.broken_images", _) => return Err("expected fail or skip".to_owned()),
            (MAX_ROWS, Value::Integer(n)) if *n > 0 => self.max_rows = *n as usize,
            (MAX_ROWS, _) => return Err(format!("expected rows, such as {DEFAULT_MAX_ROWS}, or auto")),
            (GRID, Value::Integer(n)) if *n > 0 => self.images = *n as usize,
            (GRID, _) => return Err(format!("expected images, such as {DEFAULT_GRID}, or auto")),
            (SEEDS, value) => {
                self.seeds = Seeds::parse(value).ok_or("expected apart, together or seeds such as 1,2,3")?;
            }
            (PARAMETERS, Value::String(word)) if word == "f32" => self.rounded_parameters = false,
            (PARAMETERS, Value::String(word)) if word == "dtype" => self.rounded_parameters = true,
            (PARAMETERS, _) => return Err("expected f32 or dtype".to_owned()),
            _ => return Err("unknown key".to_owned()),
        }
        Ok(())
    }

    /// What a record says of them: of a method that trains, all that concerns its training; of every method, what
    /// departs from the defaults.
    pub(in crate::suite) fn switches(&self, trains: bool) -> BTreeMap<String, String> {
        let mut switches = BTreeMap::new();
        if trains {
            let views = if self.views_per_method { "per_method" } else { "shared" };
            switches.insert("views".to_owned(), views.to_owned());
            let bank = match self.views {
                Views::Fresh => 0,
                Views::Bank(n) => n,
            };
            switches.insert("views_bank".to_owned(), bank.to_string());
        }
        if self.broken_images == BrokenImages::Skip {
            // Not a switch of the protocol, but a record made with it must never pass for one without.
            switches.insert("data.broken_images".to_owned(), "skip".to_owned());
        }
        if self.rounded_parameters && trains {
            switches.insert(PARAMETERS.to_owned(), "dtype".to_owned());
        }
        if self.seeds != Seeds::Apart && trains {
            switches.insert(SEEDS.to_owned(), self.seeds.to_string());
        }
        if self.images != DEFAULT_GRID {
            switches.insert(GRID.to_owned(), self.images.to_string());
        }
        if self.max_rows != DEFAULT_MAX_ROWS {
            // The cut decides last bits.
            switches.insert(MAX_ROWS.to_owned(), self.max_rows.to_string());
        }
        switches
    }
}
