//! log.csv of a pretraining and the picture of its curve.
//!
//! The file is rewritten whole at every line's end, so that a resumed run has no line twice.

use std::path::{Path, PathBuf};

use super::error::PretrainError;
use crate::report::plot::curves::{CurveFigure, CurvePoint, draw};
use crate::report::plot::paint;
use crate::report::plot::style::{Look, Marker};

/// Points of a curve; each is the mean of as many neighbouring steps as that takes.
const POINTS: usize = 110;
const COLUMNS: &str = "step,learning_rate,loss,accuracy";

/// The lines so far.
pub(super) struct Log {
    path: PathBuf,
    text: String,
    /// Step, loss (nats), accuracy (share).
    steps: Vec<[f64; 3]>,
}

impl Log {
    /// Continues the log in `out` after `steps` steps, or begins one.
    pub fn open(out: &Path, steps: u64) -> Result<Self, PretrainError> {
        let path = out.join("log.csv");
        let mut log = Self { path, text: format!("{COLUMNS}\n"), steps: Vec::new() };
        if steps == 0 {
            return Ok(log);
        }
        let old = std::fs::read_to_string(&log.path).map_err(PretrainError::io("read", &log.path))?;
        for line in old.lines().skip(1).take(steps as usize) {
            log.push(line)?;
        }
        Ok(log)
    }

    /// Adds a step and writes the file.
    pub fn line(&mut self, step: u64, lr: f64, loss: f64, accuracy: f64) -> Result<(), PretrainError> {
        self.push(&format!("{step},{lr:.3e},{loss:.4},{accuracy:.4}"))?;
        std::fs::write(&self.path, &self.text).map_err(PretrainError::io("write", &self.path))
    }

    fn push(&mut self, line: &str) -> Result<(), PretrainError> {
        let numbers: Vec<f64> = line.split(',').map_while(|field| field.parse().ok()).collect();
        let [step, _, loss, accuracy] = numbers[..] else {
            let expected = format!("line {line:?} is not {COLUMNS}; delete checkpoint and log to start over");
            return Err(PretrainError::Setting(format!("{}: {expected}", self.path.display())));
        };
        self.steps.push([step, loss, accuracy]);
        self.text.push_str(line);
        self.text.push('\n');
        Ok(())
    }

    /// Draws loss and accuracy over steps as loss.png beside the log.
    pub fn picture(&self) -> Result<(), PretrainError> {
        let chunk = self.steps.len().div_ceil(POINTS).max(1);
        let figure = CurveFigure {
            title: format!("Pretraining of the pocket CLIP (mean of each {chunk} steps)"),
            x_title: "step".to_owned(),
            y_title: String::new(),
            log2_x: false,
            log10_y: false,
            y_bounds: (0.0, f64::MAX),
            looks: vec![Look { label: "pocket".to_owned(), color: (0, 114, 178), marker: Marker::Disc }],
            direct_labels: false,
            panels: vec![
                ("contrastive loss (nats)".to_owned(), vec![self.curve(chunk, |step| step[1])]),
                ("images that find their caption (%)".to_owned(), vec![self.curve(chunk, |s| s[2] * 100.0)]),
            ],
        };
        let picture = paint("loss", &draw(&figure)).map_err(Box::new)?;
        let path = self.path.with_file_name("loss.png");
        std::fs::write(&path, &picture.png).map_err(PretrainError::io("write", &path))
    }

    fn curve(&self, chunk: usize, value: impl Fn(&[f64; 3]) -> f64) -> Vec<CurvePoint> {
        let mean = |part: &[[f64; 3]], of: &dyn Fn(&[f64; 3]) -> f64| {
            part.iter().map(of).sum::<f64>() / part.len() as f64
        };
        self.steps.chunks(chunk).map(|part| (mean(part, &|s| s[0]), mean(part, &value), None)).collect()
    }
}
