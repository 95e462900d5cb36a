//! What is asked of Slurm, and what of it cannot work.

use std::path::Path;
use std::time::Duration;

use super::file_system::local_file_system;
use super::site::Site;
use super::time::parse_time;
use crate::util::machine;

/// An array of tasks that share one output folder.
#[derive(Clone, Debug)]
pub struct Request {
    /// Tasks of the array.
    pub tasks: u64,
    /// `--partition`; without one Slurm takes its default.
    pub partition: Option<String>,
    /// `--gres`, such as `gpu:1`.
    pub gres: Option<String>,
    /// `--time`, as Slurm writes times.
    pub time: Option<String>,
    /// Cores of a task.
    pub cpus: Option<usize>,
    /// Further arguments of sbatch.
    pub more: Vec<String>,
    /// Time between two checkpoints.
    pub checkpoint_every: Duration,
    /// Starts in a row without progress before a task gives up.
    pub restarts: u64,
}

/// A request that cannot work.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not a time.
    #[error("--time {0}: expected Slurm's MINUTES, HOURS:MINUTES:SECONDS or DAYS-HOURS:MINUTES:SECONDS")]
    Time(String),
    /// Each start would end before it has kept anything.
    #[error(
        "--time {time}: a task is told to stop {margin} s before its end, and checkpoints come every {every} s: no \
         training would get beyond its first; give at least {least} minutes, or a smaller --checkpoint-secs"
    )]
    Short {
        /// What was given.
        time: String,
        /// Warning before the end.
        margin: u64,
        /// Time between checkpoints.
        every: u64,
        /// What would do.
        least: u64,
    },
    /// Longer than the partition allows.
    #[error(
        "--time {time}: partition {partition} ends jobs after {limit} minutes; give less, or another --partition"
    )]
    Long {
        /// What was given.
        time: String,
        /// The partition.
        partition: String,
        /// Its limit in minutes.
        limit: u64,
    },
    /// No such partition.
    #[error("--partition {name}: there is none of that name; there: {known}")]
    Partition {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A larger array than the site allows.
    #[error("--tasks {tasks}: this site allows arrays of {most} tasks (MaxArraySize); give at most that")]
    Array {
        /// What was given.
        tasks: u64,
        /// What the site allows.
        most: u64,
    },
    /// The tasks would not see one another's files.
    #[error(
        "--out is on {kind}, a disk of this machine, and partition {partition} has other machines ({nodes}): give a \
         folder on the cluster's shared file system: {out}"
    )]
    NotShared {
        /// Kind of file system.
        kind: &'static str,
        /// The partition.
        partition: String,
        /// Its machines.
        nodes: String,
        /// The folder.
        out: String,
    },
}

impl Request {
    /// Seconds before the time limit at which a task is told to stop: a tenth of it, between half a minute and two.
    pub fn margin_secs(&self) -> u64 {
        let limit = self.time.as_deref().and_then(parse_time).map_or(u64::MAX, |time| time.as_secs());
        (limit / 10).clamp(30, 120)
    }

    /// Refuses what cannot work, whatever the site.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn check(&self) -> Result<(), RequestError> {
        let Some(time) = &self.time else { return Ok(()) };
        let limit = parse_time(time).ok_or_else(|| RequestError::Time(time.clone()))?.as_secs();
        let (margin, every) = (self.margin_secs(), self.checkpoint_every.as_secs());
        if limit <= margin + every {
            let least = (margin + every) / 60 + 1;
            return Err(RequestError::Short { time: time.clone(), margin, every, least });
        }
        Ok(())
    }

    /// Refuses what cannot work at this site, with its output in `out`.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn check_at(&self, site: &Site, out: &Path) -> Result<(), RequestError> {
        if self.tasks > site.max_array_size {
            return Err(RequestError::Array { tasks: self.tasks, most: site.max_array_size });
        }
        let Some(partition) = site.partition(self.partition.as_deref()) else {
            let Some(name) = self.partition.clone() else { return Ok(()) };
            let known = site.partitions.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(RequestError::Partition { name, known });
        };
        if let (Some(time), Some(limit)) = (&self.time, partition.max_time)
            && parse_time(time).is_some_and(|time| time > limit)
        {
            let (time, partition, limit) = (time.clone(), partition.name.clone(), limit.as_secs() / 60);
            return Err(RequestError::Long { time, partition, limit });
        }
        let here = machine::host();
        let here = here.split('.').next().unwrap_or_default();
        let alone = partition.node_count <= 1 && ["localhost", here].contains(&partition.nodes.as_str());
        match local_file_system(out) {
            Some(kind) if !alone => Err(RequestError::NotShared {
                kind,
                partition: partition.name.clone(),
                nodes: partition.nodes.clone(),
                out: out.display().to_string(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::site::Partition;
    use super::*;

    fn request(time: Option<&str>) -> Request {
        Request {
            tasks: 4,
            partition: None,
            gres: None,
            time: time.map(str::to_owned),
            cpus: None,
            more: Vec::new(),
            checkpoint_every: Duration::from_secs(60),
            restarts: 3,
        }
    }

    fn site(nodes: &str, node_count: u64) -> Site {
        let max_time = Some(Duration::from_secs(7200));
        let low =
            Partition { name: "low".into(), is_default: true, max_time, nodes: nodes.into(), node_count };
        Site { cluster: "c".into(), max_array_size: 1001, partitions: vec![low] }
    }

    #[test]
    fn times_are_read_as_slurm_reads_them() {
        let seconds = |text| parse_time(text).map(|time| time.as_secs());
        assert_eq!(seconds("90"), Some(5400));
        assert_eq!(seconds("1:30"), Some(90));
        assert_eq!(seconds("01:00:10"), Some(3610));
        assert_eq!(seconds("1-0"), Some(86_400));
        assert_eq!(seconds("2-12:30"), Some(2 * 86_400 + 45_000));
        assert_eq!(seconds("1-01:00:01"), Some(90_001));
        for text in ["", "x", "1:2:3:4", "UNLIMITED", "1-", "-1"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_what_would() {
        assert!(request(None).check().is_ok() && request(Some("10")).check().is_ok());
        let said = request(Some("1")).check().unwrap_err().to_string();
        assert!(said.contains("at least 2 minutes"), "{said}");
        assert!(request(Some("2")).check().is_ok());
        assert_eq!(request(Some("soon")).check(), Err(RequestError::Time("soon".to_owned())));
        let (shared, disk) = (Path::new("/proc"), Path::new("/dev/shm"));
        assert_eq!(request(Some("2:00:00")).check_at(&site("n[1-9]", 9), shared), Ok(()));
        let said = request(Some("3:00:00")).check_at(&site("n1", 1), shared).unwrap_err().to_string();
        assert!(said.contains("after 120 minutes"), "{said}");
        let many = Request { tasks: 1002, ..request(None) };
        assert!(many.check_at(&site("n1", 1), shared).unwrap_err().to_string().contains("1001"));
        let named = Request { partition: Some("gpu".into()), ..request(None) };
        assert!(named.check_at(&site("n1", 1), shared).unwrap_err().to_string().contains("there: low"));
        if cfg!(target_os = "linux") {
            let said = request(None).check_at(&site("n[1-9]", 9), disk).unwrap_err().to_string();
            assert!(said.contains("tmpfs") && said.contains("n[1-9]"), "{said}");
            assert_eq!(
                request(None).check_at(&site("localhost", 1), disk),
                Ok(()),
                "the only machine is this one"
            );
        }
    }
}
