//! Values that are more than a word or a number.

use std::time::Duration;

use crate::data::Classes;

/// A class half of a comma-separated list.
pub(super) fn classes(text: &str) -> Result<Classes, String> {
    match text.trim() {
        "base" => Ok(Classes::Base),
        "new" => Ok(Classes::New),
        "all" => Ok(Classes::All),
        other => Err(format!("{other:?}: expected base, new or all")),
    }
}

/// A seed of a comma-separated list.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|error| format!("{error}; expected whole numbers such as 1,2,3"))
}

/// A number of threads.
pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}; expected a whole number from 1 on")),
    }
}

/// A time such as 23h30m.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err("expected more than nothing".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}; expected a time such as 23h30m, 90m or 45s")),
    }
}
