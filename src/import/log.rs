//! One log of a program built on Dassl: what was run, whether it finished, and its counts.
//!
//! A run starts at the banner `** Arguments **`; where several were appended to one file, the last counts. Easy to get
//! wrong: a training prints epochs long before it is finished, and a result can stand there for each of them, so only
//! a result behind `Finish training` (copies: `Finished training`) counts; an evaluation alone has no such line.

use crate::data::Classes;

/// What a log says of its last run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Class of the trainer, such as `CoOp`.
    pub trainer: Option<String>,
    /// `seed`; negative ones mean none.
    pub seed: Option<u64>,
    /// `NUM_SHOTS`.
    pub shots: Option<u32>,
    /// `SUBSAMPLE_CLASSES`.
    pub classes: Option<Classes>,
    /// `DATASET.NAME`.
    pub dataset: Option<String>,
    /// Where the weights came from, for an evaluation alone.
    pub weights: Option<String>,
    /// `# classes`.
    pub class_count: Option<u64>,
    /// `# test`.
    pub test_images: Option<u64>,
    /// Last epoch seen, and how many were planned.
    pub epoch: Option<(u64, u64)>,
    /// Whether the training says that it finished; `None` for an evaluation alone.
    pub trained: Option<bool>,
    /// The last result, once it is whole.
    pub result: Option<Tally>,
}

/// The block behind `=> result`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// `* total:`.
    pub total: u64,
    /// `* correct:`.
    pub correct: u64,
    /// `* accuracy:`, in percent.
    pub accuracy_pct: f64,
    /// `* macro_f1:`, in percent; older programs do not print it.
    pub macro_f1_pct: Option<f64>,
}

/// Half a unit of the last printed decimal, which is at least one.
const PRINTED: f64 = 0.05 + 1e-9;

impl Log {
    /// Reads a log.
    pub fn parse(text: &str) -> Self {
        let mut log = Self::default();
        let mut block: Option<Block> = None;
        for line in text.lines() {
            let line = line.trim();
            if line == "** Arguments **" {
                log = Self::default();
                block = None;
                continue;
            }
            if line == "=> result" {
                block = Some(Block::default());
                log.result = None;
                continue;
            }
            if let Some(open) = &mut block
                && let Some((name, value)) = line.strip_prefix("* ").and_then(|rest| rest.split_once(':'))
            {
                open.take(name.trim(), value.trim());
                log.result = open.whole();
                continue;
            }
            log.line(line);
        }
        log
    }

    fn line(&mut self, line: &str) {
        if line == "Finish training" || line == "Finished training" {
            // What was printed before it belongs to an epoch.
            (self.trained, self.result) = (Some(true), None);
        } else if let Some(rest) = line.strip_prefix("epoch [") {
            self.trained = Some(false);
            let numbers = rest.split_once(']').and_then(|(at, _)| at.split_once('/'));
            let numbers = numbers.and_then(|(at, of)| at.parse().ok().zip(of.parse().ok()));
            self.epoch = numbers.or(self.epoch);
        } else if let Some(rest) = line.strip_prefix("Loading weights to ") {
            self.weights = rest.split('"').nth(1).map(str::to_owned).or(self.weights.take());
        } else if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.split_whitespace();
            let (name, number) = (words.next(), words.next().and_then(number));
            match name {
                Some("classes") => self.class_count = number,
                Some("test") => self.test_images = number,
                _ => {}
            }
        } else if let Some((name, value)) = line.split_once(": ") {
            self.setting(name, value.trim());
        }
    }

    /// The first word of each kind counts: later sections repeat some names with another meaning.
    fn setting(&mut self, name: &str, value: &str) {
        match name {
            "seed" if self.seed.is_none() => self.seed = value.parse().ok(),
            "trainer" if self.trainer.is_none() && !value.is_empty() => self.trainer = Some(value.to_owned()),
            "NUM_SHOTS" => self.shots = value.parse().ok(),
            "SUBSAMPLE_CLASSES" => self.classes = half(value),
            "NAME" if self.dataset.is_none() => self.dataset = Some(value.to_owned()),
            _ => {}
        }
    }

    /// The counts of a finished run.
    ///
    /// # Errors
    /// Why it does not count as finished, or in what the log contradicts itself.
    pub fn finished(&self) -> Result<Tally, LogFault> {
        if self.trained == Some(false) {
            let at = self.epoch.map_or_else(String::new, |(at, of)| format!(" in epoch {at} of {of}"));
            return Err(LogFault::Unfinished(format!("its training stopped{at}")));
        }
        let Some(tally) = self.result else {
            return Err(LogFault::Unfinished("it has no whole result".to_owned()));
        };
        let Tally { total, correct, accuracy_pct, .. } = tally;
        let contradicts = |reason: String| Err(LogFault::Contradiction(reason));
        if total == 0 || correct > total {
            return contradicts(format!("{correct} of {total} are correct"));
        }
        if (100.0 * correct as f64 / total as f64 - accuracy_pct).abs() > PRINTED {
            return contradicts(format!("{correct} of {total} are not the {accuracy_pct} % it states"));
        }
        match self.test_images.filter(|images| *images != total) {
            Some(images) => {
                contradicts(format!("its test list has {images} images, its result counts {total}"))
            }
            None => Ok(tally),
        }
    }
}

/// Why a log gives no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFault {
    /// The run was cut off or is still going on.
    Unfinished(String),
    /// Its own numbers do not agree.
    Contradiction(String),
}

/// A result on its way.
#[derive(Default)]
struct Block {
    total: Option<u64>,
    correct: Option<u64>,
    accuracy: Option<f64>,
    macro_f1: Option<f64>,
}

impl Block {
    fn take(&mut self, name: &str, value: &str) {
        let percent = || value.trim_end_matches('%').parse().ok();
        match name {
            "total" => self.total = number(value),
            "correct" => self.correct = number(value),
            "accuracy" => self.accuracy = percent(),
            "macro_f1" => self.macro_f1 = percent(),
            _ => {}
        }
    }

    fn whole(&self) -> Option<Tally> {
        let (total, correct, accuracy_pct) = (self.total?, self.correct?, self.accuracy?);
        Some(Tally { total, correct, accuracy_pct, macro_f1_pct: self.macro_f1 })
    }
}

/// A whole number, with commas between thousands or without.
fn number(text: &str) -> Option<u64> {
    text.replace(',', "").parse().ok()
}

/// The name of a half in Dassl's configuration.
fn half(text: &str) -> Option<Classes> {
    [Classes::Base, Classes::New, Classes::All].into_iter().find(|half| half.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "***************\n** Arguments **\n***************\nseed: 2\ntrainer: CoOp\n\
        DATASET:\n  NAME: EuroSAT\n  NUM_SHOTS: 16\n  SUBSAMPLE_CLASSES: base\n\
        # classes  5\n# test     4,200\n";
    const RESULT: &str =
        "=> result\n* total: 4,200\n* correct: 3,885\n* accuracy: 92.5%\n* error: 7.5%\n* macro_f1: 92.4%\n";

    fn of(parts: &[&str]) -> Log {
        Log::parse(&parts.concat())
    }

    #[test]
    fn a_finished_run_is_read() {
        let log = of(&[HEAD, "epoch [2/2] batch [1/1] lr 1\nFinish training\n", RESULT]);
        assert_eq!((log.seed, log.shots, log.classes), (Some(2), Some(16), Some(Classes::Base)));
        assert_eq!((log.trainer.as_deref(), log.dataset.as_deref()), (Some("CoOp"), Some("EuroSAT")));
        let tally = log.finished().unwrap();
        assert_eq!((tally.correct, tally.total, tally.macro_f1_pct), (3885, 4200, Some(92.4)));
        assert!(of(&[HEAD, "Finished training\n", RESULT]).finished().is_ok());
        assert!(
            of(&[HEAD, "Loading weights to prompt_learner from \"a/eurosat/m\" (epoch = 2)\n", RESULT])
                .weights
                .is_some_and(|path| path == "a/eurosat/m")
        );
    }

    #[test]
    fn what_is_not_finished_is_told_from_it() {
        let epoch = "epoch [9/15] batch [1/1] lr 1\n";
        for parts in [
            &[HEAD, epoch][..],
            &[HEAD, epoch, RESULT],
            &[HEAD, RESULT, "Finish training\n"],
            &[HEAD, "=> result\n* total: 4,200\n* correct: 3,885\n"],
            // The last run counts.
            &[HEAD, "Finish training\n", RESULT, HEAD, epoch],
            &[],
        ] {
            assert!(matches!(of(parts).finished(), Err(LogFault::Unfinished(_))), "{parts:?}");
        }
        let Err(LogFault::Unfinished(said)) = of(&[HEAD, epoch]).finished() else { panic!() };
        assert!(said.contains("epoch 9 of 15"), "{said}");
        assert!(of(&[HEAD, epoch, HEAD, "Finish training\n", RESULT]).finished().is_ok());
    }

    #[test]
    fn numbers_that_do_not_agree_are_refused() {
        for (from, to) in [("3,885", "3,886,000"), ("92.5%", "91.5%"), ("* total: 4,200", "* total: 4,201")] {
            let log = of(&[HEAD, &RESULT.replacen(from, to, 1)]);
            assert!(matches!(log.finished(), Err(LogFault::Contradiction(_))), "{to}");
        }
    }
}
