//! Progress of one pass on stderr: a bar as tqdm's at a terminal, a line every minute anywhere else.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::plan::duration;

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// A bar with elapsed time and ETA; on a stderr that is no terminal it stays silent.
pub(super) fn bar(length: u64, message: &str) -> ProgressBar {
    styled(length, message, "{msg} {wide_bar} {pos}/{len}  {elapsed} elapsed, {eta} left")
}

fn styled(length: u64, message: &str, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// A pass over things of one kind.
pub(super) struct Pass {
    name: String,
    what: &'static str,
    bar: ProgressBar,
    is_terminal: bool,
    started: Instant,
    last_line: Instant,
}

impl Pass {
    /// A pass called `name` over `what` (images, files), begun now.
    pub fn new(name: &str, what: &'static str) -> Self {
        let template = format!(
            "{{msg}}: {{percent:>3}}%|{{wide_bar}}| {{pos}}/{{len}} {what} [{{elapsed}}<{{eta}}, {{per_sec}}]"
        );
        let now = Instant::now();
        Self {
            name: name.to_owned(),
            what,
            bar: styled(0, name, &template),
            is_terminal: stderr().is_terminal(),
            started: now,
            last_line: now,
        }
    }

    /// So many are done of so many.
    pub fn at(&mut self, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
        if !self.is_terminal && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            eprintln!("{}", line(&self.name, self.what, (done, of), self.started.elapsed().as_secs_f64()));
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A pass in words.
fn line(name: &str, what: &str, (done, of): (u64, u64), seconds: f64) -> String {
    let rate = done as f64 / seconds.max(1e-9);
    let left = match done {
        0 => "time left not known yet".to_owned(),
        _ => format!("about {} left", duration(of.saturating_sub(done) as f64 / rate)),
    };
    format!("{name}: {done} of {of} {what}, {rate:.1}/s, {} gone, {left}", duration(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let text = line("dtd", "files", (1024, 5640), 8.0);
        assert_eq!(text, "dtd: 1024 of 5640 files, 128.0/s, 8 s gone, about 36 s left");
        assert!(line("dtd", "files", (0, 5640), 1.0).ends_with("time left not known yet"));
    }
}
