//! Slurm's own commands: run, and their answers read.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::record::SlurmTask;

/// A command of Slurm that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The command is not there.
    #[error("run {program}: {source}; is Slurm installed here, and in PATH?")]
    Missing {
        /// The command.
        program: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The command failed.
    #[error("{program} refused: {said}")]
    Refused {
        /// The command.
        program: &'static str,
        /// What it said.
        said: String,
    },
}

/// What a command says on stdout, with `input` on its stdin.
pub(super) fn answer(
    program: &'static str,
    arguments: &[&str],
    input: Option<&str>,
) -> Result<String, AskError> {
    let missing = |source| AskError::Missing { program, source };
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(missing)?;
    if let (Some(text), Some(mut pipe)) = (input, child.stdin.take()) {
        // A command that does not read to the end says why by itself.
        drop(pipe.write_all(text.as_bytes()));
    }
    let output = child.wait_with_output().map_err(missing)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(AskError::Refused { program, said })
}

/// The value of `KEY=` in a line of `scontrol`.
pub(super) fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// How the end of a task came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It runs, as a task in its time of grace before pre-emption does, or its time limit has passed.
    BySystem,
    /// Somebody cancelled it.
    Cancelled,
}

/// Why a task that was told to end is to end.
///
/// # Errors
/// [`AskError`].
pub fn ended(task: &SlurmTask) -> Result<Ended, AskError> {
    let said = answer("scontrol", &["show", "job", "-o", &task.to_string()], None)?;
    Ok(read_end(&said))
}

fn read_end(said: &str) -> Ended {
    let state = field(said, "JobState").unwrap_or_default();
    match state {
        "RUNNING" | "TIMEOUT" | "PREEMPTED" | "SUSPENDED" => Ended::BySystem,
        "COMPLETING" if field(said, "Reason") == Some("TimeLimit") => Ended::BySystem,
        _ => Ended::Cancelled,
    }
}

/// Puts a task back in the queue; Slurm then ends it.
///
/// # Errors
/// [`AskError`].
pub fn requeue(task: &SlurmTask) -> Result<(), AskError> {
    answer("scontrol", &["requeue", &task.to_string()], None).map(|_| ())
}

/// Submits a script and gives the id of its job.
///
/// # Errors
/// [`AskError`].
pub fn submit(script: &str, arguments: &[String]) -> Result<u64, AskError> {
    let mut all = vec!["--parsable"];
    all.extend(arguments.iter().map(String::as_str));
    let said = answer("sbatch", &all, Some(script))?;
    let id = said.trim().split(';').next().and_then(|id| id.parse().ok());
    id.ok_or(AskError::Refused { program: "sbatch", said })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_from_the_job_s_state() {
        let job =
            |state: &str, reason: &str| format!("JobId=7 JobName=x JobState={state} Reason={reason} A=b");
        assert_eq!(read_end(&job("RUNNING", "None")), Ended::BySystem);
        assert_eq!(read_end(&job("TIMEOUT", "TimeLimit")), Ended::BySystem);
        assert_eq!(read_end(&job("COMPLETING", "TimeLimit")), Ended::BySystem);
        assert_eq!(read_end(&job("COMPLETING", "None")), Ended::Cancelled);
        assert_eq!(read_end(&job("CANCELLED", "None")), Ended::Cancelled);
        assert_eq!(read_end(""), Ended::Cancelled);
    }

    #[test]
    fn a_missing_command_is_named() {
        let said = answer("rpo-bench-no-such-command", &[], None).unwrap_err().to_string();
        assert!(said.contains("rpo-bench-no-such-command") && said.contains("PATH"), "{said}");
        let said = answer("sh", &["-c", "echo no >&2; exit 3"], None).unwrap_err().to_string();
        assert_eq!(said, "sh refused: no");
        assert_eq!(answer("cat", &[], Some("x")).unwrap(), "x");
    }
}
