//! The outcome as text for a terminal: a table and the verdicts, within 80 columns.

use super::number::{NONE, count};
use super::outcome::{Number, OutcomeTable, RunOutcome};

/// Columns of a terminal that nobody has to widen.
const WIDTH: usize = 80;
/// Room for `100.00 ± 10.00`.
const NUMBER: usize = 14;
/// Lines of what stands apart; more would hide the table.
const BESIDE: usize = 12;
/// Room for a number of seeds.
const SEEDS: usize = 4;

/// The text, ending in a line break; nothing where no table has a number.
pub fn text(outcome: &RunOutcome) -> String {
    let mut out = String::new();
    for table in &outcome.tables {
        out.push_str(&wrapped(&title(outcome, table), WIDTH));
        out.push_str(&lines(table));
        table.verdicts.iter().for_each(|verdict| out.push_str(&wrapped(verdict, WIDTH)));
        out.push('\n');
    }
    if let Some(table) = &outcome.beside {
        let title =
            "apart, under other settings or on other data: mean ± sample standard deviation over n seeds";
        let (shown, rest) = table.lines.split_at(table.lines.len().min(BESIDE));
        out.push_str(&wrapped(title, WIDTH));
        out.push_str(&lines(&OutcomeTable { lines: shown.to_vec(), ..table.clone() }));
        if !rest.is_empty() {
            out.push_str(&format!("and {} more on the page\n", rest.len()));
        }
        out.push('\n');
    }
    let mut state = match outcome.failed {
        0 => "failed: none".to_owned(),
        failed => format!("failed: {}, listed on the page", count(failed, "cell")),
    };
    if outcome.missing > 0 {
        state.push_str(&format!("; missing: {}", count(outcome.missing, "planned cell")));
    }
    if outcome.apart > 0 {
        state.push_str(&format!("; apart: {}", count(outcome.apart, "cell")));
    }
    out.push_str(&wrapped(&state, WIDTH));
    out
}

fn title(outcome: &RunOutcome, table: &OutcomeTable) -> String {
    let shots = table.shots.map_or("nothing trained".to_owned(), |shots| count(shots as usize, "shot"));
    let where_to = match &table.source {
        Some(source) => {
            format!("trained on {source}, tested there and on {}", count(table.datasets, "other dataset"))
        }
        None => {
            format!("trained on {} classes, {}", table.train_classes, count(table.datasets, "dataset"))
        }
    };
    format!(
        "{shots}, {where_to}{}: accuracy in %, average over datasets ± sample standard deviation over n seeds",
        outcome.tag
    )
}

fn lines(table: &OutcomeTable) -> String {
    let columns = table.columns.len();
    let room = WIDTH.saturating_sub(SEEDS + columns * (NUMBER + 1));
    let longest = table.lines.iter().map(|line| line.name().chars().count()).max().unwrap_or(0);
    let width = longest.clamp("method".len(), room.max("method".len()));
    let mut out = format!("{:width$}", "method");
    table.columns.iter().for_each(|name| out.push_str(&format!(" {name:>NUMBER$}")));
    out.push_str(&format!("{:>SEEDS$}\n", "n"));
    for line in &table.lines {
        out.push_str(&format!("{:width$}", cut(&line.name(), width)));
        line.numbers.iter().for_each(|number| out.push_str(&format!(" {:>NUMBER$}", shown(number))));
        let seeds = if line.seeds == 0 { "-".to_owned() } else { line.seeds.to_string() };
        out.push_str(&format!("{seeds:>SEEDS$}\n"));
    }
    out
}

fn shown(number: &Number) -> String {
    match (number.mean, number.std) {
        (Some(mean), Some(std)) => format!("{mean:.2} ± {std:.2}"),
        // Means stand below each other, with or without spread.
        (Some(mean), None) => format!("{mean:.2}{:7}", ""),
        _ => NONE.to_owned(),
    }
}

/// A name as long as there is room.
fn cut(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Text broken between words into lines of at most `width` characters, with two spaces before every one but the first.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::super::outcome::OutcomeLine;
    use super::*;
    use crate::data::Classes;

    fn outcome(variant: &str) -> RunOutcome {
        let number = Number { mean: Some(100.0), std: Some(10.0) };
        let line = |method: &str, seeds, numbers| OutcomeLine {
            method: method.to_owned(),
            variant: variant.to_owned(),
            seeds,
            numbers,
        };
        let table = OutcomeTable {
            shots: Some(16),
            train_classes: Classes::Base,
            source: None,
            datasets: 11,
            columns: ["base", "new", "H"].map(str::to_owned).to_vec(),
            lines: vec![
                line("zero_shot", 0, vec![Number { mean: Some(69.125), std: None }; 3]),
                line("linear_probe", 10, vec![number; 3]),
            ],
            page_verdicts: Vec::new(),
            verdicts: vec![
                "H: no method came out ahead of RPO or behind it by Wilcoxon's signed ranks."
                    .into();
                2
            ],
        };
        let beside = OutcomeTable { lines: vec![table.lines[1].clone(); BESIDE + 2], ..table.clone() };
        let (tag, beside) = (" [pocket]".to_owned(), Some(beside));
        RunOutcome { tables: vec![table], failed: 2, missing: 1, apart: 3, beside, tag }
    }

    #[test]
    fn it_fits_a_terminal_and_says_what_is_not_there() {
        for variant in ["", "st_noise=gaussian st_scale=0.1 and a variant that is longer than any line"] {
            let text = text(&outcome(variant));
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            for word in [
                "100.00 ± 10.00",
                "linear_probe",
                "[pocket]",
                "failed: 2 cells",
                "missing: 1 planned cell",
                "and 2 more on the page",
            ] {
                assert!(text.contains(word), "{word}: {text}");
            }
        }
        assert!(text(&RunOutcome::default()).starts_with("failed: none"));
    }
}
