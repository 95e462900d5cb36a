//! Class names of a user's folder in `classes.txt` or `classes.csv`.
//!
//! `classes.txt` has a line a class: `FOLDER NAME` (a space or a tab between), or, where no line starts with a class
//! folder, names alone in the sorted folders' order. `classes.csv` has a header with the columns `folder` and `name`
//! (or `class_name`); others are ignored.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data::DataError;

/// Names, a line a class.
pub(super) const NAMES_FILE: &str = "classes.txt";
const TABLE_FILE: &str = "classes.csv";

/// Names by class folder; empty where neither file is there.
///
/// # Errors
/// [`DataError::Line`] for a line that fits no class, [`DataError::Folder`] where both files are there.
pub(super) fn read(dir: &Path, folders: &[String]) -> Result<BTreeMap<String, String>, DataError> {
    let (lines, table) = (dir.join(NAMES_FILE), dir.join(TABLE_FILE));
    match (lines.exists(), table.exists()) {
        (false, false) => Ok(BTreeMap::new()),
        (true, true) => {
            Err(DataError::folder(dir, format!("it has {NAMES_FILE} and {TABLE_FILE}; keep one of them")))
        }
        (true, false) => from_lines(&DataError::read_text(&lines)?, &lines, folders),
        (false, true) => from_table(&DataError::read_text(&table)?, &table, folders),
    }
}

fn from_lines(text: &str, path: &Path, folders: &[String]) -> Result<BTreeMap<String, String>, DataError> {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at, line.trim()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let with_folder: Vec<_> =
        lines.iter().map(|(at, line)| (*at, *line, folder_and_name(line, folders))).collect();
    if with_folder.iter().any(|(_, _, pair)| pair.is_some()) {
        let mut names = Names::default();
        for (at, line, pair) in with_folder {
            let pair =
                pair.ok_or_else(|| DataError::line(path, at, line, "it starts with no class folder"))?;
            names.insert(pair, path, at, line)?;
        }
        return Ok(names.0);
    }
    if lines.len() != folders.len() {
        let (at, line) = lines.last().copied().unwrap_or_default();
        let reason = format!(
            "the file has {} names for {} class folders; expected `FOLDER NAME` lines, or a name for each folder in \
             sorted order",
            lines.len(),
            folders.len()
        );
        return Err(DataError::line(path, at, line, reason));
    }
    Ok(folders.iter().cloned().zip(lines.into_iter().map(|(_, name)| name.to_owned())).collect())
}

/// The longest class folder that the line starts with, and what stands behind it.
fn folder_and_name<'a>(line: &'a str, folders: &'a [String]) -> Option<(&'a str, &'a str)> {
    let pair = |folder: &'a String| {
        let name = line.strip_prefix(folder.as_str())?.strip_prefix([' ', '\t'])?.trim();
        (!name.is_empty()).then_some((folder.as_str(), name))
    };
    folders.iter().filter_map(pair).max_by_key(|(folder, _)| folder.len())
}

fn from_table(text: &str, path: &Path, folders: &[String]) -> Result<BTreeMap<String, String>, DataError> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().unwrap_or_default();
    let columns = fields(header);
    let column = |names: &[&str]| columns.iter().position(|column| names.contains(&column.trim()));
    let (Some(folder), Some(name)) = (column(&["folder"]), column(&["name", "class_name"])) else {
        return Err(DataError::line(path, 0, header, "expected a header with the columns folder and name"));
    };
    let mut names = Names::default();
    for (at, line) in lines {
        let row = fields(line);
        let (Some(folder), Some(name)) = (row.get(folder), row.get(name)) else {
            return Err(DataError::line(path, at, line, "it has fewer fields than the header"));
        };
        if folders.binary_search(folder).is_err() {
            return Err(DataError::line(path, at, line, format!("{folder:?} is no class folder of train")));
        }
        names.insert((folder, name), path, at, line)?;
    }
    Ok(names.0)
}

/// The fields of a CSV line; a quoted one may hold commas and doubled quotes.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    fields.push(field);
    fields
}

/// Names by folder, each folder once.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn insert(
        &mut self,
        (folder, name): (&str, &str),
        path: &Path,
        at: usize,
        line: &str,
    ) -> Result<(), DataError> {
        if name.trim().is_empty() {
            return Err(DataError::line(path, at, line, "the name is empty"));
        }
        match self.0.insert(folder.to_owned(), name.trim().to_owned()) {
            None => Ok(()),
            Some(_) => Err(DataError::line(path, at, line, format!("{folder:?} occurred before"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Vec<String> {
        ["a", "a b", "c"].map(str::to_owned).to_vec()
    }

    fn names(map: &BTreeMap<String, String>) -> Vec<&str> {
        map.values().map(String::as_str).collect()
    }

    #[test]
    fn lines_with_and_without_folders() {
        let lines = |text: &str| from_lines(text, Path::new("classes.txt"), &folders());
        assert_eq!(names(&lines("c\tcat fish\na b bear\na ape\n").unwrap()), ["ape", "bear", "cat fish"]);
        assert_eq!(names(&lines("x\ny\nz z\n").unwrap()), ["x", "y", "z z"]);
        for (text, part) in [
            ("x\ny\n", "2 names for 3 class folders"),
            ("a ape\nq bear\n", "line 2"),
            ("a ape\na ant\n", "\"a\" occurred before"),
        ] {
            let said = lines(text).unwrap_err().to_string();
            assert!(said.contains(part) && said.contains("classes.txt"), "{said}");
        }
    }

    #[test]
    fn a_table_has_its_columns_anywhere() {
        let table = |text: &str| from_table(text, Path::new("classes.csv"), &folders());
        let read = table("id,name,folder\n1,\"bear, \"\"brown\"\"\",a b\n2,ape,a\n").unwrap();
        assert_eq!(names(&read), ["ape", "bear, \"brown\""]);
        for (text, part) in [
            ("a,b\n", "columns folder and name"),
            ("folder,name\nq,x\n", "\"q\" is no class folder"),
            ("folder,name\na\n", "fewer fields"),
        ] {
            assert!(table(text).unwrap_err().to_string().contains(part));
        }
    }
}
