//! Predictions as CSV: `path,label,predicted,p_true,p_predicted,margin`, a row an image in test order; compressed where
//! they are many ([`super::packed`]). `pandas.read_csv(path)` reads either.
//!
//! Files of earlier versions end at `p_true`; they are read, and what needs confidences says that it has none.

use super::packed::unpacked;
use crate::data::{Confidence, Prediction};

const HEADER: &str = "path,label,predicted,p_true,p_predicted,margin";
const EARLIER_HEADER: &str = "path,label,predicted,p_true";

/// Predictions as CSV with a header. Without a confidence in every row the file has the earlier columns.
pub fn predictions_csv(predictions: &[Prediction]) -> String {
    let confident = predictions.iter().all(|row| row.confidence.is_some());
    let mut text = format!("{}\n", if confident { HEADER } else { EARLIER_HEADER });
    for row in predictions {
        let path = match row.path.contains([',', '"', '\n']) {
            true => format!("\"{}\"", row.path.replace('"', "\"\"")),
            false => row.path.clone(),
        };
        text.push_str(&format!("{path},{},{},{}", row.label, row.predicted, row.p_true));
        if let (true, Some(Confidence { p_predicted, margin })) = (confident, row.confidence) {
            text.push_str(&format!(",{p_predicted},{margin}"));
        }
        text.push('\n');
    }
    text
}

/// Reads [`predictions_csv`] back, compressed or not; `None` for anything else. Fields are taken from the right, since only a
/// path can hold a comma.
pub fn parse_predictions(bytes: &[u8]) -> Option<Vec<Prediction>> {
    let text = unpacked(bytes)?;
    let mut lines = text.lines();
    let confident = match lines.next()? {
        HEADER => true,
        EARLIER_HEADER => false,
        _ => return None,
    };
    lines.map(|line| row(line, confident)).collect()
}

fn row(line: &str, confident: bool) -> Option<Prediction> {
    let mut fields = line.rsplitn(if confident { 6 } else { 4 }, ',');
    let confidence = match confident {
        true => {
            let margin = fields.next()?.parse().ok()?;
            Some(Confidence { margin, p_predicted: fields.next()?.parse().ok()? })
        }
        false => None,
    };
    let p_true = fields.next()?.parse().ok()?;
    let predicted = fields.next()?.parse().ok()?;
    let label = fields.next()?.parse().ok()?;
    let path = fields.next()?;
    let path = path.strip_prefix('"').and_then(|p| p.strip_suffix('"')).unwrap_or(path);
    Some(Prediction { path: path.replace("\"\"", "\""), label, predicted, p_true, confidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_survive_a_round_trip() {
        let sure = Some(Confidence { p_predicted: 0.75, margin: 0.625 });
        let rows = |confidence| {
            vec![
                Prediction { path: "a/b.jpg".into(), label: 1, predicted: 2, p_true: 0.125, confidence },
                Prediction {
                    path: "x, \"y\".jpg".into(),
                    label: 0,
                    predicted: 0,
                    p_true: 1.0e-9,
                    confidence,
                },
            ]
        };
        for rows in [rows(sure), rows(None)] {
            assert_eq!(parse_predictions(predictions_csv(&rows).as_bytes()), Some(rows));
        }
        assert_eq!(parse_predictions(b"nonsense"), None);
        assert_eq!(parse_predictions(format!("{HEADER}\na,1,2,0.5\n").as_bytes()), None, "a row too short");
    }

    #[test]
    fn files_of_earlier_versions_are_read() {
        let rows = parse_predictions(b"path,label,predicted,p_true\na,1,2,0.5\n").unwrap();
        assert_eq!(rows[0].confidence, None);
    }
}
