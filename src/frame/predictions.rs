//! Predictions as a run stores them: CSV while they are few; many as `.csv.gz`, or with the feature `parquet` as
//! `.parquet`, which has the same columns and rows.
//!
//! CSV stays what programs exchange. A build without the feature reads no Parquet and says so
//! ([`unreadable_here`]); a build with it reads all three.

use sha2::{Digest, Sha256};

use super::error::FrameError;
use crate::record::{Evaluation, Prediction, Store, packed, parse_predictions, predictions_csv};
use crate::util::hex;

/// Ending of the Parquet files.
const PARQUET: &str = ".parquet";

/// The bytes to store, and what their file's name ends in.
///
/// # Errors
/// [`FrameError::Write`] where polars cannot write Parquet.
pub fn stored_predictions(rows: &[Prediction]) -> Result<(&'static str, Vec<u8>), FrameError> {
    let csv = predictions_csv(rows);
    #[cfg(feature = "parquet")]
    if csv.len() >= crate::record::packed::LARGE {
        return Ok((PARQUET, super::parquet_predictions::write(rows)?));
    }
    Ok(match packed(csv) {
        (true, bytes) => (".csv.gz", bytes),
        (false, bytes) => (".csv", bytes),
    })
}

/// The rows of a stored file by its name; `None` for damaged ones, and for Parquet in a build that reads none.
pub fn read_predictions(path: &str, bytes: &[u8]) -> Option<Vec<Prediction>> {
    if !path.ends_with(PARQUET) {
        return parse_predictions(bytes);
    }
    #[cfg(feature = "parquet")]
    let rows = super::parquet_predictions::read(bytes);
    #[cfg(not(feature = "parquet"))]
    let rows = None;
    rows
}

/// Why this build cannot read a file of predictions, where it cannot.
pub fn unreadable_here(path: &str) -> Option<String> {
    let is_foreign = path.ends_with(PARQUET) && !cfg!(feature = "parquet");
    is_foreign
        .then(|| "it is Parquet, which this build does not read: build with --features parquet".to_owned())
}

/// The predictions of an evaluation; `None` when the file is absent, is not what was recorded, or cannot be read here.
pub fn predictions_of(store: &Store, evaluation: &Evaluation) -> Option<Vec<Prediction>> {
    let bytes = store.read(&evaluation.predictions_path).ok()?;
    (hex(&Sha256::digest(&bytes)) == evaluation.predictions_sha256).then_some(())?;
    read_predictions(&evaluation.predictions_path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Confidence;

    fn rows(count: u32) -> Vec<Prediction> {
        let row = |at: u32| Prediction {
            path: format!("val/n{:08}/ILSVRC2012_val_{at:08}.JPEG", at / 50),
            label: at / 50,
            predicted: at / 49,
            p_true: 1.0 / (1.0 + at as f32),
            confidence: Some(Confidence { p_predicted: 0.5 + 0.25 / (1.0 + at as f32), margin: 0.125 }),
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn few_are_csv_and_many_come_back_from_what_this_build_stores() {
        let (ending, bytes) = stored_predictions(&rows(3)).unwrap();
        assert_eq!((ending, read_predictions("a.csv", &bytes)), (".csv", Some(rows(3))));
        let many = rows(20_000);
        let (ending, bytes) = stored_predictions(&many).unwrap();
        assert_eq!(ending, if cfg!(feature = "parquet") { ".parquet" } else { ".csv.gz" });
        assert!(3 * bytes.len() < predictions_csv(&many).len(), "{}", bytes.len());
        assert_eq!(read_predictions(&format!("a{ending}"), &bytes), Some(many));
        assert_eq!(read_predictions(&format!("a{ending}"), &bytes[..bytes.len() / 2]), None);
    }

    #[test]
    fn a_build_without_the_feature_says_what_it_lacks() {
        assert_eq!(unreadable_here("predictions/a.csv.gz"), None);
        let reason = unreadable_here("predictions/a.parquet");
        assert_eq!(reason.is_none(), cfg!(feature = "parquet"));
        assert!(reason.is_none_or(|reason| reason.contains("--features parquet")));
        assert_eq!(read_predictions("a.parquet", b"path,label,predicted\n"), None);
    }
}
