//! Which tasks Slurm says are over: their claims are free at once, without ten minutes of silence.
//!
//! Only a plain answer counts. Where Slurm cannot be asked, or the task is another cluster's, nothing is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::ask::{AskError, answer};
use crate::record::{Gone, Holder, SlurmTask};

/// An answer serves for this long: many claims of one array are asked about at once.
const FRESH: Duration = Duration::from_secs(20);

/// Restarts of the running tasks of a job, by number; `None` where Slurm could not be asked.
type Running = Option<BTreeMap<Option<u64>, u64>>;

/// Knows of holders whose task is over, by asking Slurm now and then. `cluster` names the cluster this process runs on, and
/// is asked once, when there is a task to ask about; without a name nobody is asked.
pub fn gone(cluster: fn() -> Option<String>) -> Gone {
    let here: OnceLock<Option<String>> = OnceLock::new();
    let asked: Mutex<BTreeMap<u64, (Instant, Running)>> = Mutex::default();
    Arc::new(move |holder: &Holder| {
        let Some((task, there)) = holder.slurm.as_ref().zip(holder.cluster.as_ref()) else { return false };
        if here.get_or_init(cluster).as_ref() != Some(there) {
            return false;
        }
        let Ok(mut asked) = asked.lock() else { return false };
        let entry = asked.entry(task.job).or_insert_with(|| (Instant::now(), running(task.job)));
        if entry.0.elapsed() > FRESH {
            *entry = (Instant::now(), running(task.job));
        }
        entry.1.as_ref().is_some_and(|running| is_over(task, running))
    })
}

/// A task that does not run is over, and so is an earlier start of one that does.
fn is_over(task: &SlurmTask, running: &BTreeMap<Option<u64>, u64>) -> bool {
    running.get(&task.task).is_none_or(|restarts| *restarts > task.restarts)
}

fn running(job: u64) -> Running {
    let columns = "ArrayTaskID:20,RestartCnt:20,State:20";
    match answer("squeue", &["-h", "-r", "-j", &job.to_string(), "-t", "all", "-O", columns], None) {
        Ok(said) => Some(read(&said)),
        // A job that ended some minutes ago is forgotten.
        Err(AskError::Refused { said, .. }) if said.contains("Invalid job id") => Some(BTreeMap::new()),
        Err(_) => None,
    }
}

fn read(said: &str) -> BTreeMap<Option<u64>, u64> {
    let states = ["RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "CONFIGURING"];
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (task, restarts, state) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        states.contains(&state).then_some((task.parse().ok(), restarts))
    };
    said.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_over_when_slurm_says_so() {
        let said = "0   1   RUNNING  \n1  0  COMPLETED\n2 0 PENDING\n3 0 COMPLETING\n";
        let running = read(said);
        let task = |task: u64, restarts| SlurmTask { job: 5, task: Some(task), restarts };
        assert!(!is_over(&task(0, 1), &running));
        assert!(is_over(&task(0, 0), &running), "its earlier start");
        assert!(is_over(&task(1, 0), &running) && is_over(&task(2, 0), &running));
        assert!(!is_over(&task(3, 0), &running));
        let single = read("N/A 0 RUNNING\n");
        assert!(!is_over(&SlurmTask { job: 5, task: None, restarts: 0 }, &single));
    }

    #[test]
    fn nobody_is_gone_where_nobody_can_be_asked() {
        let slurm = Some(SlurmTask { job: 1, task: None, restarts: 0 });
        let holder = Holder { slurm, cluster: Some("there".to_owned()), ..Holder::this_process() };
        assert!(!gone(|| None)(&holder));
        assert!(!gone(|| Some("here".to_owned()))(&holder), "another cluster's job may have any number");
    }
}
