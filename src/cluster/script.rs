//! The scripts that are handed to sbatch: short, commented, and worth keeping to submit again by hand.

use std::path::Path;

use super::request::Request;

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn head(what: &str, name: &str, log: &Path) -> String {
    format!(
        "#!/bin/bash\n# {what}\n# Written by rpo-bench {}; sbatch FILE submits it again.\n#SBATCH \
         --job-name={name}\n#SBATCH --output={}\n#SBATCH --open-mode=append\n",
        env!("CARGO_PKG_VERSION"),
        log.display()
    )
}

/// The script of the array: `command` is the program with its arguments, `mark` a file that the submitting machine wrote
/// into the shared output.
pub fn array_script(request: &Request, suite: &str, logs: &Path, mark: &Path, command: &[String]) -> String {
    let what = format!(
        "Suite {suite} by {} tasks on one output folder. Each cell is claimed by one task; what a dead task\n# left is taken \
         over. Told that its time is up (USR1) or that it is pre-empted (TERM), a task keeps a checkpoint and puts\n# itself \
         back in the queue, but not after {} starts in a row that brought nothing.",
        request.tasks, request.restarts
    );
    let mut text = head(&what, &format!("rpo-bench-{suite}"), &logs.join("%A_%a.log"));
    let mut option = |name: &str, value: &str| {
        text.push_str(&format!("#SBATCH --{name}={value}\n"));
    };
    option("array", &format!("0-{}", request.tasks.saturating_sub(1)));
    option("signal", &format!("USR1@{}", request.margin_secs()));
    for (name, value) in [("partition", &request.partition), ("gres", &request.gres), ("time", &request.time)]
    {
        if let Some(value) = value {
            option(name, value);
        }
    }
    if let Some(cpus) = request.cpus {
        option("cpus-per-task", &cpus.to_string());
    }
    text.push_str("#SBATCH --requeue\n");
    for more in &request.more {
        text.push_str(&format!("#SBATCH {more}\n"));
    }
    let mark = quoted(&mark.display().to_string());
    text.push_str(&format!(
        "\nif [ ! -e {mark} ]; then\n    echo \"error: {mark} cannot be seen from $(hostname): --out is not on a shared \
         file system\" >&2\n    exit 2\nfi\n# exec and srun hand the signals on.\nexec srun {}\n",
        line(command)
    ));
    text
}

/// The script of the last job, which renders the report of whatever is there.
pub fn report_script(request: &Request, suite: &str, logs: &Path, command: &[String]) -> String {
    let what = format!(
        "The report of suite {suite}, when its tasks are over: finished or not, it says what is missing."
    );
    let mut text = head(&what, &format!("rpo-bench-{suite}-report"), &logs.join("%j-report.log"));
    if let Some(partition) = &request.partition {
        text.push_str(&format!("#SBATCH --partition={partition}\n"));
    }
    text.push_str(&format!("\nexec {}\n", line(command)));
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request() -> Request {
        Request {
            tasks: 4,
            partition: Some("gpu".into()),
            gres: Some("gpu:1".into()),
            time: Some("4:00:00".into()),
            cpus: Some(8),
            more: vec!["--account=lab".into()],
            checkpoint_every: Duration::from_secs(60),
            restarts: 3,
        }
    }

    #[test]
    fn a_script_says_all_that_was_asked() {
        let command =
            ["/bin/rpo-bench", "suite", "smoke", "--set", "a=b c", "--data", "it's"].map(String::from);
        let text = array_script(&request(), "smoke", Path::new("/s/logs"), Path::new("/s/mark"), &command);
        for part in [
            "#SBATCH --array=0-3\n",
            "#SBATCH --requeue\n",
            "#SBATCH --signal=USR1@120\n",
            "#SBATCH --open-mode=append\n",
            "#SBATCH --output=/s/logs/%A_%a.log\n",
            "#SBATCH --partition=gpu\n",
            "#SBATCH --gres=gpu:1\n",
            "#SBATCH --time=4:00:00\n",
            "#SBATCH --cpus-per-task=8\n",
            "#SBATCH --account=lab\n",
            r"exec srun /bin/rpo-bench suite smoke --set 'a=b c' --data 'it'\''s'",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let last = text.lines().enumerate().filter(|(_, line)| line.starts_with("#SBATCH")).last().unwrap().0;
        let first = text.lines().position(|line| !line.starts_with('#')).unwrap();
        assert!(last < first, "sbatch reads options only before the first command");
    }
}
