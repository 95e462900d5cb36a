//! Prediction files: a row a test image, held against the test list of one half.
//!
//! Columns: `path` (relative to the data root; leading folders may stand before it) or `index` (place in the test
//! list of the half, from 0); `label`, `predicted`: numbers among the half's classes in label order, or class names;
//! and, where the program states them, `p_true`, `p_predicted`, `margin`.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ImportError;
use crate::data::draw_rows::{find, same_name};
use crate::data::{Classes, Confidence, Item, Prediction};
use crate::handout::DatasetLists;

/// Names of the columns that are read, each with those that mean the same.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("path", &["path", "impath", "image"]),
    ("index", &["index"]),
    ("label", &["label", "target", "y_true"]),
    ("predicted", &["predicted", "prediction", "pred", "y_pred"]),
    ("p_true", &["p_true"]),
    ("p_predicted", &["p_predicted", "probability", "confidence"]),
    ("margin", &["margin"]),
];

/// Rows of a file: the fields by column, and the line.
struct Rows<'f> {
    file: &'f str,
    places: BTreeMap<&'static str, usize>,
    rows: Vec<(usize, csv::StringRecord)>,
}

/// The predictions of a CSV file in test order, once every test image of the half has exactly one row, every label is
/// the image's and the order of classes is this program's.
///
/// # Errors
/// [`ImportError`] naming the row, the image and what differs.
pub fn check(
    bytes: &[u8],
    file: &str,
    lists: &DatasetLists,
    classes: Classes,
) -> Result<Vec<Prediction>, ImportError> {
    let rows = Rows::read(bytes, file)?;
    let test = lists.test(classes);
    let names = lists.names(classes);
    let known: BTreeMap<&str, usize> =
        test.iter().enumerate().map(|(at, (item, _))| (item.path.as_str(), at)).collect();
    let mut labels = Labels::default();
    let mut found: BTreeMap<usize, Prediction> = BTreeMap::new();
    for (line, row) in &rows.rows {
        let fail = |reason: String| ImportError::row(file, *line, reason);
        let at =
            rows.image(row, &known, test.len()).map_err(|image| fail(stranger(lists, classes, image)))?;
        let (item, label) = test[at];
        let said =
            class(rows.field(row, "label"), &names).map_err(|reason| fail(format!("label: {reason}")))?;
        labels.note(*line, (said, label), item);
        let predicted = class(rows.field(row, "predicted"), &names)
            .map_err(|reason| fail(format!("predicted: {reason}")))?;
        let stated = ["p_true", "p_predicted", "margin"].map(|name| probability(rows.field(row, name), name));
        let [p_true, p_predicted, margin] = stated.map(|value| value.map_err(&fail));
        let (p_true, p_predicted, margin) = (p_true?, p_predicted?, margin?);
        if let (true, Some(one), Some(other)) = (label == predicted, p_true, p_predicted)
            && (one - other).abs() > ROUNDING
        {
            return Err(fail(format!("it is right, yet p_true is {one} and p_predicted {other}")));
        }
        let unsaid = f32::NAN;
        let confidence =
            p_predicted.map(|p_predicted| Confidence { p_predicted, margin: margin.unwrap_or(unsaid) });
        let p_true = p_true.unwrap_or(unsaid);
        let prediction = Prediction { path: item.path.clone(), label, predicted, p_true, confidence };
        if found.insert(at, prediction).is_some() {
            return Err(fail(format!("{} stands here for the second time", item.path)));
        }
    }
    labels.check(file, &names)?;
    if let Some((at, (item, _))) = test.iter().enumerate().find(|(at, _)| !found.contains_key(at)) {
        let missing = test.len() - found.len();
        let reason = format!(
            "{missing} of the {} test images of the {classes} classes of {} have no row, the first is {} (index {at})",
            test.len(),
            lists.id,
            item.path
        );
        return Err(ImportError::file(file, reason));
    }
    Ok(found.into_values().collect())
}

/// Rounding of a probability that was printed.
const ROUNDING: f32 = 1e-4;

/// A class by number or name.
fn class(text: Option<&str>, names: &[String]) -> Result<u32, String> {
    let text = text.unwrap_or_default();
    if let Ok(number) = text.parse::<usize>() {
        return match number < names.len() {
            true => Ok(number as u32),
            false => Err(format!("{number} is none of the {} classes, which count from 0", names.len())),
        };
    }
    let at = names.iter().position(|name| same_name(name, text));
    at.map(|at| at as u32).ok_or_else(|| format!("{text:?} is neither a number nor the name of a class"))
}

fn probability(text: Option<&str>, name: &str) -> Result<Option<f32>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let value: Option<f32> = text.parse().ok().filter(|value| (0.0..=1.0 + ROUNDING).contains(value));
    value.map(|value| Some(value.min(1.0))).ok_or_else(|| format!("{name}: {text} is no probability"))
}

/// What is known of an image that is no test image of the half.
fn stranger(lists: &DatasetLists, classes: Classes, image: String) -> String {
    let tail = |item: &Item| image == item.path || image.ends_with(&format!("/{}", item.path));
    let here = format!("no test image of the {classes} classes of {}", lists.id);
    let split = &lists.split;
    if split.train.iter().any(tail) || split.val.iter().any(tail) {
        format!("{image} is {here}: it is one to train on")
    } else if split.test.iter().any(tail) {
        format!("{image} is {here}: it belongs to the other classes")
    } else {
        format!("{image} is {here}")
    }
}

/// Labels of a file against ours.
#[derive(Default)]
struct Labels<'l> {
    /// Theirs → ours.
    pairs: BTreeSet<(u32, u32)>,
    first_wrong: Option<(usize, (u32, u32), &'l str)>,
}

impl<'l> Labels<'l> {
    fn note(&mut self, line: usize, pair: (u32, u32), item: &'l Item) {
        self.pairs.insert(pair);
        if pair.0 != pair.1 && self.first_wrong.is_none() {
            self.first_wrong = Some((line, pair, &item.path));
        }
    }

    /// Where each of their labels stands for one class of ours the order of classes differs; else an image does.
    fn check(&self, file: &str, names: &[String]) -> Result<(), ImportError> {
        let Some((line, (theirs, ours), path)) = self.first_wrong else { return Ok(()) };
        let name = &names[ours as usize];
        let sides = |of: fn(&(u32, u32)) -> u32| self.pairs.iter().map(of).collect::<BTreeSet<u32>>().len();
        let one_to_one = sides(|pair| pair.0) == self.pairs.len() && sides(|pair| pair.1) == self.pairs.len();
        Err(match one_to_one {
            true => ImportError::file(
                file,
                format!(
                    "its classes are in another order: its label {theirs} is {name:?}, here label {ours}; labels count \
                     the classes of the half from 0 in the order of `data draw`"
                ),
            ),
            false => ImportError::row(
                file,
                line,
                format!("{path} has label {theirs} ({:?}); it is {ours} ({name:?})", names[theirs as usize]),
            ),
        })
    }
}

impl<'f> Rows<'f> {
    fn read(bytes: &[u8], file: &'f str) -> Result<Self, ImportError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let header = reader.headers().map_err(|error| ImportError::file(file, error.to_string()))?.clone();
        let at = |names: &[&str]| {
            header.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
        };
        let places: BTreeMap<&str, usize> =
            COLUMNS.iter().filter_map(|(name, names)| Some((*name, at(names)?))).collect();
        for (needed, what) in [("label", "label"), ("predicted", "predicted")] {
            if !places.contains_key(needed) {
                return Err(ImportError::file(file, columns(what, &header)));
            }
        }
        if !places.contains_key("path") && !places.contains_key("index") {
            return Err(ImportError::file(file, columns("path or index", &header)));
        }
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| ImportError::file(file, error.to_string()))?;
            let line = row.position().map_or(0, |position| position.line() as usize);
            rows.push((line, row));
        }
        Ok(Self { file, places, rows })
    }

    fn field<'r>(&self, row: &'r csv::StringRecord, name: &str) -> Option<&'r str> {
        row.get(*self.places.get(name)?)
    }

    /// The place of a row's image in the test list; what the row says of it where there is none.
    fn image(
        &self,
        row: &csv::StringRecord,
        known: &BTreeMap<&str, usize>,
        images: usize,
    ) -> Result<usize, String> {
        if let Some(path) = self.field(row, "path") {
            return find(known, path, None).ok_or_else(|| path.to_owned());
        }
        let text = self.field(row, "index").unwrap_or_default();
        let index = text.parse().ok().filter(|index: &usize| *index < images);
        index.ok_or_else(|| format!("index {text} of {} (there are {images} images)", self.file))
    }
}

fn columns(what: &str, header: &csv::StringRecord) -> String {
    let found: Vec<&str> = header.iter().collect();
    format!("it has no column {what}; found are {}", found.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> DatasetLists {
        DatasetLists::open(None, "eurosat").unwrap()
    }

    /// A file in which every third prediction is wrong.
    fn file(classes: Classes, row: impl Fn(usize, &Item, u32) -> String) -> String {
        let lists = lists();
        let test = lists.test(classes);
        let rows = test.iter().enumerate().map(|(at, (item, label))| row(at, item, *label));
        rows.map(|row| row + "\n").collect()
    }

    fn predicted(at: usize, label: u32) -> u32 {
        if at.is_multiple_of(3) { (label + 1) % 5 } else { label }
    }

    fn by_path() -> String {
        let rows = file(Classes::New, |at, item, label| {
            format!("/data/{},{label},{},0.25", item.path, predicted(at, label))
        });
        format!("path,label,predicted,p_true\n{rows}")
    }

    fn said(text: &str) -> String {
        check(text.as_bytes(), "mine.csv", &lists(), Classes::New).unwrap_err().to_string()
    }

    #[test]
    fn rows_may_come_in_any_order_by_path_or_index_by_number_or_name() {
        let first = check(by_path().as_bytes(), "f", &lists(), Classes::New).unwrap();
        assert_eq!((first.len(), first[0].p_true), (200, 0.25));
        let mut lines: Vec<String> = by_path().lines().skip(1).map(str::to_owned).collect();
        lines.reverse();
        let turned = format!("path,label,predicted,p_true\n{}\n", lines.join("\n"));
        assert_eq!(check(turned.as_bytes(), "f", &lists(), Classes::New).unwrap(), first);
        let lists = lists();
        let names = lists.names(Classes::New);
        let rows = file(Classes::New, |at, _, label| {
            format!("{at},{},{}", names[label as usize], names[predicted(at, label) as usize])
        });
        let by_name = format!("index,label,pred\n{rows}");
        let read = check(by_name.as_bytes(), "f", &lists, Classes::New).unwrap();
        assert!(read.iter().zip(&first).all(|(a, b)| (a.label, a.predicted) == (b.label, b.predicted)));
        assert!(read[0].p_true.is_nan());
    }

    #[test]
    fn a_wrong_row_is_named() {
        let good = by_path();
        let test = lists().test(Classes::New).iter().map(|(item, _)| item.path.clone()).collect::<Vec<_>>();
        let line = |at: usize| good.lines().nth(at).unwrap();
        let swap = line(2).replacen(",0,", ",1,", 1);
        for (bad, parts) in [
            (good.replacen(line(2), &swap, 1), [test[1].as_str(), "line 3"]),
            (good.replacen(line(2), "", 1), ["1 of the 200", test[1].as_str()]),
            (good.replacen(line(3), line(2), 1), ["second time", test[1].as_str()]),
            (good.replacen("/test/", "/train/", 1), ["line 2", "to train on"]),
            (
                good.replacen(".png", ".jpg", 0).replacen(line(1), "x/none.png,0,0,0.5", 1),
                ["none.png", "no test image"],
            ),
            (good.replacen(",0.25", ",1.25", 1), ["p_true", "no probability"]),
            (good.replacen("predicted", "guess", 1), ["no column predicted", "guess"]),
        ] {
            let said = said(&bad);
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
    }

    #[test]
    fn classes_in_another_order_are_told_from_a_wrong_label() {
        let turned = file(Classes::New, |_, item, label| format!("{},{},0", item.path, (label + 1) % 5));
        let said = said(&format!("path,label,predicted\n{turned}"));
        assert!(said.contains("another order") && said.contains("label 1 is"), "{said}");
    }
}
