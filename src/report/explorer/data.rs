//! What the page's script reads: one JSON document. Lists are positions in other lists, numbers are in the unit they are
//! shown in, so that the file stays small; the script names the same fields.

use serde::Serialize;

use crate::stats::measures::NamedMeasure;

/// The document.
#[derive(Debug, Serialize)]
pub struct Data {
    /// Title of the report.
    pub title: String,
    /// What makes its numbers special.
    pub banners: Vec<String>,
    /// The folder of the records, seen from the page, ending in `/`.
    pub records: Option<String>,
    /// Datasets: id and name.
    pub datasets: Vec<[String; 2]>,
    /// Methods under their settings.
    pub arms: Vec<ArmLook>,
    /// Measures: name, unit, and whether lower is better.
    pub measures: Vec<MeasureName>,
    /// One line per row of `results.csv`, in its order; none where they are too many for a page.
    pub runs: Vec<Run>,
    /// Rows of `results.csv` that are not in `runs`.
    pub left_out: usize,
    /// One line per cell over its seeds.
    pub means: Vec<Mean>,
    /// Cells that can be held against each other: one dataset, one group of classes, one number of shots.
    pub contests: Vec<Contest>,
}

/// Name and colour of an arm.
#[derive(Debug, Serialize)]
pub struct ArmLook {
    /// As in the tables.
    pub name: String,
    /// Method id, as in `results.csv`.
    pub method: String,
    /// `#rrggbb`.
    pub color: String,
}

/// How a measure is shown.
#[derive(Debug, Serialize)]
pub struct MeasureName {
    /// As in the tables.
    pub name: &'static str,
    /// `%`, `nats` or nothing.
    pub unit: &'static str,
    /// Digits behind the point.
    pub digits: u8,
}

/// The coordinates of a line: positions of dataset and arm, shots, classes (`base`, `new`, `all`, `H`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coordinates {
    /// Dataset tested on.
    pub d: usize,
    /// Dataset trained on, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t: Option<usize>,
    /// Arm.
    pub a: usize,
    /// Shots; none for an arm that draws nothing.
    pub k: Option<u32>,
    /// Group of classes.
    pub c: &'static str,
}

/// One evaluation.
#[derive(Debug, Serialize)]
pub struct Run {
    /// Its place.
    pub p: Coordinates,
    /// Seed.
    pub s: Option<u64>,
    /// Right predictions.
    pub r: u64,
    /// Test images.
    pub n: u64,
    /// Key of the record.
    pub key: String,
    /// Every measure, as [`NamedMeasure::ALL`]; the first is accuracy.
    pub v: Vec<Option<f64>>,
}

/// A cell over its seeds.
#[derive(Debug, Serialize)]
pub struct Mean {
    /// Its place.
    pub p: Coordinates,
    /// Seeds; empty where nothing is drawn.
    pub s: Vec<u64>,
    /// Right predictions over all seeds.
    pub r: u64,
    /// Images times seeds.
    pub n: u64,
    /// Sample standard deviation of the accuracy over seeds.
    pub std: Option<f64>,
    /// Every measure: mean, and the ends of its 95 % interval over seeds and images.
    pub v: Vec<[Option<f64>; 3]>,
}

/// What can be held against each other.
#[derive(Debug, Serialize)]
pub struct Contest {
    /// Dataset tested on.
    pub d: usize,
    /// Dataset trained on, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t: Option<usize>,
    /// Shots of the arms that train.
    pub k: Option<u32>,
    /// Group of classes.
    pub c: &'static str,
    /// Names of the classes.
    pub names: Vec<String>,
    /// Test images of every class.
    pub images: Vec<u64>,
    /// The arms that take part.
    pub arms: Vec<Contender>,
    /// Images on which arms disagree.
    pub gallery: Vec<Shot>,
}

/// An arm in a contest.
#[derive(Debug, Serialize)]
pub struct Contender {
    /// The arm.
    pub a: usize,
    /// Trainings that were tested.
    pub m: usize,
    /// By class right predictions over all seeds.
    pub right: Vec<u64>,
    /// By bin of confidence: predictions, right ones, mean confidence in percent; empty without confidences.
    pub bins: Vec<(u64, u64, f64)>,
}

/// One image of the gallery.
#[derive(Debug, Serialize)]
pub struct Shot {
    /// Its path below the data root.
    pub path: String,
    /// True class.
    pub label: u32,
    /// By entry how many seeds were right.
    pub right: Vec<u32>,
    /// By entry the class it was taken for most often (the lowest of several).
    pub said: Vec<u32>,
    /// A small JPEG in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jpeg: Option<String>,
}

/// A measure's value in the unit it is shown in, with a digit more than is printed.
pub fn scaled(measure: NamedMeasure, value: f64) -> f64 {
    (measure.scale() * value * 1e4).round() / 1e4 + 0.0
}

/// Names of all measures.
pub fn measure_names() -> Vec<MeasureName> {
    let name = |measure: NamedMeasure| MeasureName {
        name: measure.name(),
        unit: match measure {
            NamedMeasure::Nll => "nats",
            NamedMeasure::Brier => "",
            _ => "%",
        },
        digits: if measure.scale() == 100.0 { 2 } else { 3 },
    };
    NamedMeasure::ALL.map(name).into()
}
