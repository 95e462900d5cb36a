//! Times as Slurm writes them.

use std::time::Duration;

/// A time as Slurm writes it: `MINUTES`, `MINUTES:SECONDS`, `HOURS:MINUTES:SECONDS`, `DAYS-HOURS`, `DAYS-HOURS:MINUTES`,
/// `DAYS-HOURS:MINUTES:SECONDS`. `None` for anything else, `UNLIMITED` too.
pub fn parse_time(text: &str) -> Option<Duration> {
    let numbers = |text: &str| text.split(':').map(|n| n.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let seconds = match text.split_once('-') {
        None => match numbers(text)?[..] {
            [minutes] => minutes.checked_mul(60)?,
            [minutes, seconds] => minutes.checked_mul(60)?.checked_add(seconds)?,
            [hours, minutes, seconds] => hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)?,
            _ => return None,
        },
        Some((days, rest)) => {
            let mut parts = numbers(rest)?;
            parts.resize(3.max(parts.len()), 0);
            let [hours, minutes, seconds] = parts[..] else { return None };
            days.parse::<u64>()
                .ok()?
                .checked_mul(86_400)?
                .checked_add(hours * 3600 + minutes * 60 + seconds)?
        }
    };
    Some(Duration::from_secs(seconds))
}
