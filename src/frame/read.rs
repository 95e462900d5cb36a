//! Tables of other programs: Parquet, for the import, which reads CSV.

use std::io::Cursor;

use polars::prelude::*;

use super::error::FrameError;

/// A Parquet file's table as CSV with a header, numbers in full.
///
/// # Errors
/// [`FrameError::Read`] for bytes that are no Parquet, or whose columns CSV cannot hold (lists, structures).
pub fn parquet_as_csv(bytes: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut csv = Vec::new();
    ParquetReader::new(Cursor::new(bytes))
        .finish()
        .and_then(|mut table| CsvWriter::new(&mut csv).finish(&mut table))
        .map_err(|source| FrameError::Read { source })?;
    Ok(csv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_back_as_csv_and_other_bytes_are_refused() {
        let mut table = DataFrame::new_infer_height(vec![
            Column::new("path".into(), ["a.png", "b,c.png"]),
            Column::new("predicted".into(), [3_u32, 4]),
        ])
        .unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut table).unwrap();
        let csv = parquet_as_csv(&bytes).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap(), "path,predicted\na.png,3\n\"b,c.png\",4\n");
        assert!(parquet_as_csv(&bytes[..bytes.len() / 2]).is_err());
    }
}
