//! Tables of results as reported: `dataset,method,seed,shots,base,new,all`, percentages, a row a run or an average.
//!
//! Nothing stands behind such numbers, so they are kept as given and marked `as_reported`.

use super::error::ImportError;
use super::keep::{Evidence, ImportedResult};
use super::names;
use crate::data::Classes;

const COLUMNS: [&str; 7] = ["dataset", "method", "seed", "shots", "base", "new", "all"];

/// The results of a CSV table; `shots` is what rows without that column had.
///
/// # Errors
/// [`ImportError`] naming the column, or the row and its value.
pub fn read(
    bytes: &[u8],
    (file, sha256): (&str, &str),
    shots: Option<u32>,
) -> Result<Vec<ImportedResult>, ImportError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let broken = |error: csv::Error| ImportError::file(file, error.to_string());
    let header = reader.headers().map_err(broken)?.clone();
    let at = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    if let Some(other) = header.iter().find(|column| !COLUMNS.iter().any(|c| c.eq_ignore_ascii_case(column)))
    {
        let reason = format!("unknown column {other:?}; known are {}", COLUMNS.join(", "));
        return Err(ImportError::file(file, reason));
    }
    let (Some(dataset), Some(method)) = (at("dataset"), at("method")) else {
        return Err(ImportError::file(file, "it needs the columns dataset and method"));
    };
    let mut found = Vec::new();
    for row in reader.records() {
        let row = row.map_err(broken)?;
        let line = row.position().map_or(0, |position| position.line() as usize);
        let text = |name: &str| at(name).and_then(|at| row.get(at)).filter(|text| !text.is_empty());
        let number = |name: &str| {
            let parse = |text: &str| {
                text.parse::<u64>()
                    .map_err(|error| ImportError::row(file, line, format!("{name} {text}: {error}")))
            };
            text(name).map(parse).transpose()
        };
        let own_shots = number("shots")?.map(|shots| {
            u32::try_from(shots).map_err(|error| ImportError::row(file, line, error.to_string()))
        });
        let before = found.len();
        for classes in [Classes::Base, Classes::New, Classes::All] {
            let Some(given) = text(classes.as_str()) else { continue };
            let percent = given.parse::<f64>().ok().filter(|value| (0.0..=100.0).contains(value));
            let percent = percent.ok_or_else(|| {
                ImportError::row(file, line, format!("{classes} {given}: expected a percentage, 0 to 100"))
            })?;
            let dataset = names::dataset(row.get(dataset).unwrap_or_default());
            found.push(ImportedResult {
                method: names::method(row.get(method).unwrap_or_default()),
                train_dataset: dataset.clone(),
                dataset,
                seed: number("seed")?,
                shots: own_shots.as_ref().map_or(shots, |shots| shots.as_ref().ok().copied()),
                classes,
                train_classes: if classes == Classes::All { Classes::All } else { Classes::Base },
                class_count: 0,
                class_names: None,
                split_sha256: String::new(),
                evidence: Evidence::Percent(percent),
                measurements: Vec::new(),
                source: file.to_owned(),
                source_sha256: sha256.to_owned(),
            });
        }
        if let Some(Err(error)) = own_shots {
            return Err(error);
        }
        if found.len() == before {
            return Err(ImportError::row(file, line, "it has neither base, new nor all"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<ImportedResult>, String> {
        read(text.as_bytes(), ("t.csv", ""), Some(16)).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_become_results_and_wrong_ones_are_named() {
        let found =
            of("Dataset,method,seed,base,new\nEuroSAT,MaPLe,1,94.07,73.23\ndtd,maple,,80.1,\n").unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!((found[1].method.as_str(), found[1].classes), ("maple", Classes::New));
        assert_eq!((found[1].seed, found[1].shots, found[2].seed), (Some(1), Some(16), None));
        assert_eq!(found[0].evidence, Evidence::Percent(94.07));
        for (text, part) in [
            ("dataset,method,h\nx,y,1\n", "unknown column \"h\""),
            ("dataset,base\nx,1\n", "dataset and method"),
            ("dataset,method,base\ndtd,maple,101\n", "line 2: base 101"),
            ("dataset,method,base\ndtd,maple,NaN\n", "line 2: base NaN"),
            ("dataset,method,base,seed\ndtd,maple,80,-1\n", "line 2: seed -1"),
            ("dataset,method,base,new\ndtd,maple,,\n", "neither base"),
        ] {
            let said = of(text).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }
}
