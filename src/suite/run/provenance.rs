//! Where a number comes from: build, machine, data. No host name, user name or absolute path.

use crate::preprocess::DECODER;
use crate::record::redact::command_line;
use crate::record::{Provenance, SlurmTask};
use crate::suite::plan::cells::NUMERICS_VERSION;
use crate::suite::world::{BenchDataset, World};
use crate::util::machine;

/// The command line with paths replaced.
#[derive(Clone, Debug, Default)]
pub struct CommandLine(String);

impl CommandLine {
    /// The arguments without the program's name, paths named.
    pub fn new(args: impl IntoIterator<Item = String>) -> Self {
        Self(command_line(args))
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn features() -> Vec<String> {
    let known = [("cuda", cfg!(feature = "cuda")), ("parquet", cfg!(feature = "parquet"))];
    known.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect()
}

/// UTC now, ISO 8601, to the second.
pub(crate) fn utc_now() -> String {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    utc_at(seconds)
}

/// UTC at so many seconds since 1970, ISO 8601.
pub(in crate::suite) fn utc_at(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days as i64);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Seconds since 1970 of a time that [`utc_at`] wrote; `None` for any other text.
pub(in crate::suite) fn seconds_of(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, by| text.split(by).map(|n| n.parse::<i64>().ok()).collect::<Option<Vec<_>>>();
    let [year, month, day] = numbers(date, '-')?[..] else { return None };
    let [hours, minutes, seconds] = numbers(time, ':')?[..] else { return None };
    // Hinnant's algorithm again, the other way.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, yoe) = (y / 400, y % 400);
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    u64::try_from(days * 86_400 + hours * 3600 + minutes * 60 + seconds).ok()
}

/// Days since 1970-01-01 to a Gregorian date (Hinnant's algorithm, for dates after 1970).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// The model of the card or the processor that computes on `device`.
pub(in crate::suite) fn device_model(device: &str) -> Option<String> {
    if device == "cuda" { machine::gpu_model() } else { Some(machine::cpu_model()) }
}

/// Provenance of a cell.
pub(in crate::suite) fn provenance(
    world: &World,
    dataset: &BenchDataset,
    draw_sha256: Option<String>,
    command: &CommandLine,
    slurm: Option<&SlurmTask>,
) -> Provenance {
    let device = world.clip.device_kind();
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("RPO_BENCH_COMMIT").map(str::to_owned),
        dirty: option_env!("RPO_BENCH_DIRTY").map(|word| word == "true"),
        numerics_version: NUMERICS_VERSION,
        features: features(),
        lockfile_sha256: crate::util::hex(&<sha2::Sha256 as sha2::Digest>::digest(include_bytes!(
            "../../../Cargo.lock"
        ))),
        target: machine::target(),
        cpu_model: machine::cpu_model(),
        driver: if device == "cuda" { machine::driver() } else { None },
        device_model: device_model(device).unwrap_or_default(),
        device: device.to_owned(),
        dtype: world.clip.precision().to_string(),
        decoder: DECODER.to_owned(),
        data_kind: world.data_kind().to_owned(),
        model_revision: world.revision.clone(),
        weights_sha256: world.identity.weights_sha256.clone(),
        model_sha256: world.identity.sha256(),
        config_sha256: world.identity.config_sha256.clone(),
        tokenizer_sha256: world.identity.tokenizer_sha256.clone(),
        split_sha256: dataset.split_sha256.clone(),
        draw_sha256,
        command: command.as_str().to_owned(),
        finished_at: utc_now(),
        imported: None,
        slurm: slurm.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_gregorian() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(20_780), (2026, 11, 23));
        assert_eq!(civil(11_016), (2000, 2, 29));
        for seconds in [0, 951_782_400, 951_868_799, 1_795_392_000, 4_102_444_799] {
            assert_eq!(seconds_of(&utc_at(seconds)), Some(seconds));
        }
        assert_eq!(seconds_of("yesterday"), None);
    }
}
