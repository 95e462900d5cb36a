//! Times as records and people have them: UTC, ISO 8601, to the second.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now.
pub fn now() -> String {
    at(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
}

/// So many seconds after 1970.
pub fn at(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

/// Seconds after 1970 of a time that [`at`] wrote; `None` for any other text.
pub fn seconds_of(text: &str) -> Option<u64> {
    let time = humantime::parse_rfc3339(text).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_gregorian_and_come_back() {
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        for seconds in [0, 951_782_400, 951_868_799, 1_795_392_000, 4_102_444_799] {
            assert_eq!(seconds_of(&at(seconds)), Some(seconds));
        }
        assert_eq!(seconds_of("yesterday"), None);
    }
}
