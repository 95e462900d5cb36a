//! What the site allows, by Slurm's own word.

use std::time::Duration;

use super::ask::{AskError, answer, field};
use super::time::parse_time;

/// The cluster and the partition that a job would go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Name of the cluster.
    pub cluster: String,
    /// Arrays may have numbers below this.
    pub max_array_size: u64,
    /// Every partition.
    pub partitions: Vec<Partition>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// Whether jobs go there that name none.
    pub is_default: bool,
    /// Longest time of a job; `None` without a limit.
    pub max_time: Option<Duration>,
    /// Its machines, as Slurm writes them.
    pub nodes: String,
    /// How many they are.
    pub node_count: u64,
}

impl Site {
    /// Asks Slurm.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask() -> Result<Self, AskError> {
        let config = answer("scontrol", &["show", "config"], None)?;
        let partitions = answer("scontrol", &["show", "partition", "-o"], None)?;
        Ok(Self::read(&config, &partitions))
    }

    /// The partition a job would go to: the one named, or the default one.
    pub fn partition(&self, name: Option<&str>) -> Option<&Partition> {
        self.partitions.iter().find(|p| name.map_or(p.is_default, |name| p.name == name))
    }

    fn read(config: &str, partitions: &str) -> Self {
        let value = |key: &str| {
            let line = config.lines().find(|line| line.split('=').next().is_some_and(|k| k.trim() == key));
            line.and_then(|line| line.split_once('=')).map(|(_, value)| value.trim().to_owned())
        };
        // Slurm's own default.
        let max_array_size = value("MaxArraySize").and_then(|text| text.parse().ok()).unwrap_or(1001);
        let one = |line: &str| {
            Some(Partition {
                name: field(line, "PartitionName")?.to_owned(),
                is_default: field(line, "Default") == Some("YES"),
                max_time: field(line, "MaxTime").and_then(parse_time),
                nodes: field(line, "Nodes").unwrap_or_default().to_owned(),
                node_count: field(line, "TotalNodes").and_then(|text| text.parse().ok()).unwrap_or(0),
            })
        };
        let cluster = value("ClusterName").unwrap_or_default();
        Self { cluster, max_array_size, partitions: partitions.lines().filter_map(one).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_read_from_scontrol() {
        let config =
            "Configuration data as of 2026\nClusterName             = test\nMaxArraySize            = 501\n";
        let partitions = "PartitionName=low AllowGroups=ALL Default=YES MaxTime=1-00:00:00 Nodes=n[1-4] TotalNodes=4\n\
                          PartitionName=high Default=NO MaxTime=UNLIMITED Nodes=n1 TotalNodes=1\n";
        let site = Site::read(config, partitions);
        assert_eq!((site.cluster.as_str(), site.max_array_size), ("test", 501));
        let low = site.partition(None).unwrap();
        assert_eq!((low.name.as_str(), low.max_time), ("low", Some(Duration::from_secs(86_400))));
        assert_eq!(site.partition(Some("high")).unwrap().max_time, None);
        assert_eq!(site.partition(Some("none")), None);
    }
}
