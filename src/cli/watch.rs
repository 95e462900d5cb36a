//! Shows a run's progress on stderr: bars at a terminal, a line every minute anywhere else (nohup, Slurm, CI).

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::board::{Board, Doing};
use crate::suite::Event;

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(60);
/// Time between two looks at the clock.
const TICK: Duration = Duration::from_millis(500);
/// Bars for lanes; more would fill the terminal.
const LANE_BARS: usize = 4;
/// The whole bar has so many steps: work is no number of things.
const STEPS: f64 = 1000.0;

/// What is shown, and what it is made of.
struct Shown {
    board: Board<ThreadId>,
    bars: Option<Bars>,
    last_line: Instant,
}

/// The bars of a terminal.
struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    lanes: Vec<(ThreadId, ProgressBar)>,
}

/// Shows progress until it is dropped.
pub(super) struct Watch {
    shown: Arc<Mutex<Shown>>,
    started: Instant,
    quiet: bool,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watch {
    /// Begins to watch a run of so many lanes; a quiet one only passes faults on.
    pub fn new(lanes: usize, quiet: bool) -> Self {
        let bars = (!quiet && stderr().is_terminal()).then(Bars::new);
        let shown = Shown { board: Board::new(lanes), bars, last_line: Instant::now() };
        let (shown, started) = (Arc::new(Mutex::new(shown)), Instant::now());
        let ticker = (!quiet).then(|| tick(&shown, started));
        Self { shown, started, quiet, ticker }
    }

    /// Takes an event from the lane that calls.
    pub fn hear(&self, event: &Event) {
        let Ok(mut shown) = self.shown.lock() else { return };
        shown.board.hear(std::thread::current().id(), self.started.elapsed().as_secs_f64(), event);
        match event {
            Event::Planned { trainings, cells, skipped, .. } if !self.quiet => shown.say(&format!(
                "{cells} cells to run ({trainings} trainings), {skipped} already complete; {} at a time, threads each: {}",
                super::threads::lanes(),
                rayon::current_num_threads()
            )),
            Event::LeftOut { dataset, reason } => shown.say(&format!("{dataset}: left out: {reason}")),
            Event::Damaged { path, reason } => shown.say(&format!("{path}: {reason}; its cell is run again")),
            Event::CacheFailed { reason } => {
                shown.say(&format!("the cache folder could not be written to: {reason}"));
            }
            _ => {}
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.ticker.take() {
            drop(sender);
            // It only shows; a run is not lost with it.
            drop(thread.join());
        }
        if let Ok(mut shown) = self.shown.lock() {
            shown.bars.take().iter().for_each(Bars::clear);
        }
    }
}

/// A thread that looks at the clock.
fn tick(shown: &Arc<Mutex<Shown>>, started: Instant) -> (Sender<()>, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let shown = Arc::clone(shown);
    let thread = std::thread::spawn(move || {
        while let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(TICK) {
            let Ok(mut shown) = shown.lock() else { return };
            shown.look(started.elapsed());
        }
    });
    (sender, thread)
}

impl Shown {
    /// Draws the bars, or prints a line where one is due.
    fn look(&mut self, elapsed: Duration) {
        let now = elapsed.as_secs_f64();
        match &mut self.bars {
            Some(bars) => bars.draw(&self.board, now),
            None if self.last_line.elapsed() >= LINE_EVERY => {
                self.last_line = Instant::now();
                eprintln!("{}", self.board.line(now));
            }
            None => {}
        }
    }

    /// A line above the bars.
    fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.all.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let whole = all.add(ProgressBar::new(STEPS as u64));
        whole.set_style(style("{wide_bar} {percent:>3}%\n{wide_msg}"));
        Self { all, whole, lanes: Vec::new() }
    }

    fn draw(&mut self, board: &Board<ThreadId>, now: f64) {
        self.whole.set_position((STEPS * board.share()) as u64);
        self.whole.set_message(board.brief(now));
        let doings: Vec<(ThreadId, Doing)> =
            board.doings().take(LANE_BARS).map(|(who, doing)| (who, doing.clone())).collect();
        for (who, doing) in doings {
            let bar = self.lane(who);
            bar.set_length(doing.at.1);
            bar.set_position(doing.at.0);
            bar.set_message(doing.words);
        }
    }

    fn lane(&mut self, who: ThreadId) -> &ProgressBar {
        let at = self.lanes.iter().position(|(other, _)| *other == who).unwrap_or_else(|| {
            let bar = self.all.add(ProgressBar::new(0));
            bar.set_style(style("{percent:>3}%|{bar:12}| {wide_msg}"));
            self.lanes.push((who, bar));
            self.lanes.len() - 1
        });
        &self.lanes[at].1
    }

    fn clear(&self) {
        // A terminal that is gone needs no clearing.
        drop(self.all.clear());
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
