//! A fence around decoders that are not ours: what panics there is a damaged picture here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::decode::DecodeError;

/// Runs `decode`; a panic inside it becomes an error. Nothing it borrows is used afterwards.
pub(super) fn guarded<T>(
    format: &'static str,
    decode: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(DecodeError::Malformed { format, reason: "its decoder gave up on it".to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_is_an_error_and_a_value_a_value() {
        let broken: Vec<u8> = Vec::new();
        let said = guarded("TIFF", || Ok(broken[3])).unwrap_err().to_string();
        assert!(said.contains("decode the TIFF"), "{said}");
        assert_eq!(guarded("TIFF", || Ok(3)), Ok(3));
    }
}
