//! Which task of which job this process is, from the variables Slurm sets. A task of an array is named by the array's
//! job id and its own number, which stay the same when it is put back in the queue; `SLURM_JOB_ID` does not name it.

use crate::record::SlurmTask;

/// Reads a variable of the environment.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is wrong with the variables.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// This is no task of an array.
    #[error("--shard slurm: {0} is not set; submit with sbatch --array=0-N, or give the part as I/N")]
    Missing(&'static str),
    /// A variable that is no number.
    #[error("--shard slurm: {name}={value} is not a whole number")]
    Number {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// The numbers have gaps, so nothing says which of them is the how-manieth.
    #[error(
        "--shard slurm: the array has {count} tasks between {min} and {max} in steps of {step}: with gaps the parts \
         cannot be told; submit a range such as --array=0-{last}"
    )]
    Gaps {
        /// Tasks.
        count: u64,
        /// Lowest number.
        min: u64,
        /// Highest number.
        max: u64,
        /// Step between numbers.
        step: u64,
        /// Highest number of a range of as many from 0.
        last: u64,
    },
}

fn number(variable: Variable<'_>, name: &'static str) -> Result<u64, TaskError> {
    let value = variable(name).ok_or(TaskError::Missing(name))?;
    value.trim().parse().ok().ok_or(TaskError::Number { name, value })
}

/// The task this process belongs to, if Slurm started it.
pub fn this_task(variable: Variable<'_>) -> Option<SlurmTask> {
    let job = number(variable, "SLURM_ARRAY_JOB_ID").or_else(|_| number(variable, "SLURM_JOB_ID")).ok()?;
    let task = number(variable, "SLURM_ARRAY_TASK_ID").ok();
    let restarts = number(variable, "SLURM_RESTART_COUNT").unwrap_or(0);
    Some(SlurmTask { job, task, restarts })
}

/// Which of how many tasks of the array this is, from 0, wherever the array's own numbers start.
///
/// # Errors
/// [`TaskError`] outside an array, and for an array with gaps.
pub fn array_place(variable: Variable<'_>) -> Result<(usize, usize), TaskError> {
    let task = number(variable, "SLURM_ARRAY_TASK_ID")?;
    let (min, max) = (number(variable, "SLURM_ARRAY_TASK_MIN")?, number(variable, "SLURM_ARRAY_TASK_MAX")?);
    let count = number(variable, "SLURM_ARRAY_TASK_COUNT")?;
    let step = match number(variable, "SLURM_ARRAY_TASK_STEP") {
        Err(TaskError::Missing(_)) => 1,
        step => step?.max(1),
    };
    let index = task.wrapping_sub(min) / step;
    let whole = max >= min && (max - min) / step + 1 == count && task >= min && task <= max;
    if !whole || (task - min) % step != 0 {
        return Err(TaskError::Gaps { count, min, max, step, last: count.saturating_sub(1) });
    }
    Ok((index as usize, count as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let values: Vec<_> = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        move |name| values.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn array(id: &str, min: &str, max: &str, count: &str, step: &str) -> Result<(usize, usize), TaskError> {
        let values = [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", min),
            ("SLURM_ARRAY_TASK_MAX", max),
            ("SLURM_ARRAY_TASK_COUNT", count),
            ("SLURM_ARRAY_TASK_STEP", step),
        ];
        let values: Vec<_> = values.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        array_place(&with(&values))
    }

    #[test]
    fn places_count_from_nought_wherever_the_array_starts() {
        assert_eq!(array("0", "0", "3", "4", ""), Ok((0, 4)));
        assert_eq!(array("3", "0", "3", "4", "1"), Ok((3, 4)));
        assert_eq!(array("1", "1", "4", "4", ""), Ok((0, 4)));
        assert_eq!(array("17", "7", "27", "3", "10"), Ok((1, 3)));
        assert!(matches!(array("5", "1", "9", "3", ""), Err(TaskError::Gaps { last: 2, .. })));
        assert_eq!(array("", "0", "3", "4", ""), Err(TaskError::Missing("SLURM_ARRAY_TASK_ID")));
        assert!(array("x", "0", "3", "4", "").unwrap_err().to_string().contains("SLURM_ARRAY_TASK_ID=x"));
    }

    #[test]
    fn a_task_is_named_by_its_array() {
        let values = [("SLURM_JOB_ID", "99"), ("SLURM_ARRAY_JOB_ID", "90"), ("SLURM_ARRAY_TASK_ID", "4")];
        let task = this_task(&with(&values)).unwrap();
        assert_eq!((task.to_string(), task.restarts), ("90_4".to_owned(), 0));
        let task = this_task(&with(&[("SLURM_JOB_ID", "99"), ("SLURM_RESTART_COUNT", "2")])).unwrap();
        assert_eq!((task.to_string(), task.restarts), ("99".to_owned(), 2));
        assert_eq!(this_task(&with(&[])), None);
    }
}
