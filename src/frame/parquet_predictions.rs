//! Rows of predictions as Parquet: the columns of the CSV, in its order; probabilities as the 32-bit numbers they are.

use std::io::Cursor;

use polars::prelude::*;

use super::error::FrameError;
use crate::data::{Confidence, Prediction};
use crate::record::predictions::{ALWAYS, OPTIONAL, stated, stated_by_all};

/// Most rows that are read: a small file can claim to hold any number.
const MOST_ROWS: usize = 40_000_000;

/// The bytes of a file.
///
/// # Errors
/// [`FrameError::Write`].
pub(super) fn write(rows: &[Prediction]) -> Result<Vec<u8>, FrameError> {
    let whole = |name: &str, of: fn(&Prediction) -> u32| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<u32>>())
    };
    let [path, label, predicted] = ALWAYS;
    let mut columns = vec![
        Column::new(path.into(), rows.iter().map(|row| row.path.as_str()).collect::<Vec<&str>>()),
        whole(label, |row| row.label),
        whole(predicted, |row| row.predicted),
    ];
    for at in stated_by_all(rows) {
        let values: Vec<f32> = rows.iter().filter_map(|row| stated(row)[at]).collect();
        columns.push(Column::new(OPTIONAL[at].into(), values));
    }
    let mut bytes = Vec::new();
    DataFrame::new_infer_height(columns)
        .and_then(|mut table| ParquetWriter::new(&mut bytes).finish(&mut table).map(|_| ()))
        .map_err(|source| FrameError::Write { table: "predictions", source })?;
    Ok(bytes)
}

/// The rows of a file; `None` for anything else than [`write`] gives.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Prediction>> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    (reader.num_rows().ok()? <= MOST_ROWS).then_some(())?;
    let table = reader.finish().ok()?;
    let names: Vec<&str> = table.get_column_names().into_iter().map(|name| name.as_str()).collect();
    let optional = names.strip_prefix(ALWAYS.as_slice())?;
    let known: Vec<&str> = OPTIONAL.into_iter().filter(|name| optional.contains(name)).collect();
    (known == optional).then_some(())?;
    let [path, label, predicted] = ALWAYS;
    let paths = table.column(path).ok()?.str().ok()?.iter().collect::<Option<Vec<&str>>>()?;
    let whole = |name: &str| table.column(name).ok()?.u32().ok()?.iter().collect::<Option<Vec<u32>>>();
    let real = |name: &str| -> Option<Vec<f32>> {
        match optional.contains(&name) {
            true => table.column(name).ok()?.f32().ok()?.iter().collect(),
            false => Some(vec![f32::NAN; paths.len()]),
        }
    };
    let (labels, predicted) = (whole(label)?, whole(predicted)?);
    let [p_true, p_predicted, margin] = OPTIONAL.map(real);
    let (p_true, p_predicted, margin) = (p_true?, p_predicted?, margin?);
    let is_sure = optional.contains(&OPTIONAL[1]);
    let row = |(at, path): (usize, &&str)| Prediction {
        path: (*path).to_owned(),
        label: labels[at],
        predicted: predicted[at],
        p_true: p_true[at],
        confidence: is_sure.then(|| Confidence { p_predicted: p_predicted[at], margin: margin[at] }),
    };
    Some(paths.iter().enumerate().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_not_every_row_states_has_no_column() {
        let row = |p_true, confidence| Prediction {
            path: "a, \"b\"".into(),
            label: 1,
            predicted: 2,
            p_true,
            confidence,
        };
        let sure = Some(Confidence { p_predicted: 0.1, margin: f32::NAN });
        let read_back = |rows: &[Prediction]| read(&write(rows).unwrap()).unwrap();
        let rows = [row(0.3, sure), row(0.1, sure)];
        let back = read_back(&rows);
        assert_eq!((back[0].p_true, back[1].path.as_str()), (0.3, "a, \"b\""));
        assert!(
            back[0].confidence.unwrap().margin.is_nan() && back[1].confidence.unwrap().p_predicted == 0.1
        );
        assert!(read_back(&[row(0.3, None), row(f32::NAN, sure)]).iter().all(|row| row.p_true.is_nan()));
        assert_eq!(read_back(&[row(0.3, None)]), [row(0.3, None)]);
        assert_eq!(read(b"PAR1"), None);
    }
}
