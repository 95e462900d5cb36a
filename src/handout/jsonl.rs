//! Draws with a row an image (`.jsonl`), as 2SFS and its kin keep them: path, label, class name.

use super::draw::{DrawHandout, HandoutImage};
use super::lists::DatasetLists;
use crate::data::DataError;
use crate::data::draw_rows::{DrawnRow, parse_rows};

/// The training draw, a row an image in drawing order.
///
/// # Errors
/// Whatever the serialiser reports.
pub fn write(drawn: &DrawHandout) -> serde_json::Result<String> {
    let line = |row: &HandoutImage| {
        let row = DrawnRow { impath: row.path.clone(), label: row.label, classname: row.class_name.clone() };
        serde_json::to_string(&row).map(|text| text + "\n")
    };
    drawn.train.iter().map(line).collect()
}

/// Positions in the training list of the rows of a file, in their order. `file` is its name in errors.
///
/// # Errors
/// [`DataError::Draw`] naming line, path and what differs.
pub fn read(bytes: &[u8], file: &str, lists: &DatasetLists) -> Result<Vec<usize>, DataError> {
    Ok(parse_rows(bytes, file, None, &lists.split, &lists.class_names)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Classes, PyRandom, fewshot};

    #[test]
    fn rows_come_back_and_wrong_ones_are_named() {
        let lists = DatasetLists::open(None, "eurosat").unwrap();
        let drawn = DrawHandout::new(&lists, Classes::All, ("3", 2), PyRandom::from_u64(3));
        let text = write(&drawn).unwrap();
        assert_eq!(read(text.as_bytes(), "f", &lists).unwrap(), fewshot::draw(&lists.split, 2, 3).train);
        assert_eq!(read(text.replace("pocket/", "/x/pocket/").as_bytes(), "f", &lists).unwrap().len(), 20);
        let first = text.lines().next().unwrap();
        for (bad, part) in [
            (text.replacen("\"label\":0", "\"label\":1", 1), "line 1: "),
            (text.replacen("train/", "trial/", 1), "is not in the training list"),
            (format!("{text}{first}\n"), "line 21: "),
            ("{}\n".to_owned(), "missing field"),
        ] {
            let said = read(bad.as_bytes(), "f", &lists).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
    }
}
