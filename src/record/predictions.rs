//! Predictions as CSV: `path,label,predicted,p_true,p_predicted,margin`, a row an image in test order; compressed where
//! they are many ([`super::packed`](mod@super::packed)). `pandas.read_csv(path)` reads either.
//!
//! The last three columns may be missing: files of earlier versions end at `p_true`, and imported predictions state
//! what they state. What is not stated is `None`, or NaN in [`Prediction::p_true`]; NaN itself is never written.

use super::packed::unpacked;
use crate::data::{Confidence, Prediction};

/// The columns every file has.
pub const ALWAYS: [&str; 3] = ["path", "label", "predicted"];
/// Columns that may be missing, in their order.
pub const OPTIONAL: [&str; 3] = ["p_true", "p_predicted", "margin"];

/// What a row states in the optional columns, in their order.
pub fn stated(row: &Prediction) -> [Option<f32>; 3] {
    let known = |value: f32| Some(value).filter(|value| !value.is_nan());
    let sure = row.confidence;
    [known(row.p_true), sure.and_then(|c| known(c.p_predicted)), sure.and_then(|c| known(c.margin))]
}

/// Positions of the optional columns that every row states.
pub fn stated_by_all(predictions: &[Prediction]) -> Vec<usize> {
    (0..OPTIONAL.len()).filter(|at| predictions.iter().all(|row| stated(row)[*at].is_some())).collect()
}

/// Predictions as CSV with a header. A probability that not every row states has no column.
pub fn predictions_csv(predictions: &[Prediction]) -> String {
    let has = stated_by_all(predictions);
    let header: Vec<&str> = ALWAYS.into_iter().chain(has.iter().map(|at| OPTIONAL[*at])).collect();
    let mut text = format!("{}\n", header.join(","));
    for row in predictions {
        let path = match row.path.contains([',', '"', '\n']) {
            true => format!("\"{}\"", row.path.replace('"', "\"\"")),
            false => row.path.clone(),
        };
        text.push_str(&format!("{path},{},{}", row.label, row.predicted));
        let values = stated(row);
        has.iter().filter_map(|at| values[*at]).for_each(|value| text.push_str(&format!(",{value}")));
        text.push('\n');
    }
    text
}

/// Reads [`predictions_csv`] back, compressed or not; `None` for anything else. Fields are taken from the right, since only a
/// path can hold a comma.
pub fn parse_predictions(bytes: &[u8]) -> Option<Vec<Prediction>> {
    let text = unpacked(bytes)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next()?.split(',').collect();
    let optional = header.strip_prefix(ALWAYS.as_slice())?;
    let places = optional.iter().map(|name| OPTIONAL.iter().position(|known| known == name));
    let places = places.collect::<Option<Vec<usize>>>()?;
    places.is_sorted_by(|a, b| a < b).then_some(())?;
    lines.map(|line| row(line, &places)).collect()
}

fn row(line: &str, places: &[usize]) -> Option<Prediction> {
    let mut fields = line.rsplitn(ALWAYS.len() + places.len(), ',');
    let mut values = [f32::NAN; OPTIONAL.len()];
    for place in places.iter().rev() {
        values[*place] = fields.next()?.parse().ok()?;
    }
    let predicted = fields.next()?.parse().ok()?;
    let label = fields.next()?.parse().ok()?;
    let path = fields.next()?;
    let path = path.strip_prefix('"').and_then(|p| p.strip_suffix('"')).unwrap_or(path);
    let [p_true, p_predicted, margin] = values;
    let confidence = places.contains(&1).then_some(Confidence { p_predicted, margin });
    Some(Prediction { path: path.replace("\"\"", "\""), label, predicted, p_true, confidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(p_true: f32, confidence: Option<Confidence>) -> Vec<Prediction> {
        vec![
            Prediction { path: "a/b.jpg".into(), label: 1, predicted: 2, p_true, confidence },
            Prediction { path: "x, \"y\".jpg".into(), label: 0, predicted: 0, p_true: 1.0e-9, confidence },
        ]
    }

    #[test]
    fn predictions_survive_a_round_trip() {
        let sure = Some(Confidence { p_predicted: 0.75, margin: 0.625 });
        for rows in [rows(0.125, sure), rows(0.125, None)] {
            assert_eq!(parse_predictions(predictions_csv(&rows).as_bytes()), Some(rows));
        }
        assert_eq!(parse_predictions(b"nonsense"), None);
        let full = "path,label,predicted,p_true,p_predicted,margin";
        assert_eq!(parse_predictions(format!("{full}\na,1,2,0.5\n").as_bytes()), None, "a row too short");
        assert_eq!(parse_predictions(b"path,label,predicted,margin,p_true\na,1,2,0.5,0.5\n"), None, "order");
    }

    #[test]
    fn what_not_every_row_states_has_no_column() {
        let text = predictions_csv(&rows(f32::NAN, None));
        assert!(text.starts_with("path,label,predicted\n") && !text.contains("NaN"), "{text}");
        let read = parse_predictions(text.as_bytes()).unwrap();
        assert!(read[1].p_true.is_nan() && read[1].path == "x, \"y\".jpg" && read[0].confidence.is_none());
        let half = Some(Confidence { p_predicted: 0.75, margin: f32::NAN });
        let text = predictions_csv(&rows(0.125, half));
        assert!(text.starts_with("path,label,predicted,p_true,p_predicted\n"), "{text}");
        assert_eq!(parse_predictions(text.as_bytes()).unwrap()[0].confidence.unwrap().p_predicted, 0.75);
    }

    #[test]
    fn files_of_earlier_versions_are_read() {
        let rows = parse_predictions(b"path,label,predicted,p_true\na,1,2,0.5\n").unwrap();
        assert_eq!(rows[0].confidence, None);
    }
}
