//! What is known of a run on its way: what every lane does, what is done, and how long the rest may take.
//!
//! Time left comes from work: every method's steps, and passes over test images, are timed as they come, in seconds per
//! planned multiply-add; what was not seen yet is taken at the mean rate. Cells are only counted: one may be a
//! thousand times another. Times are seconds since the run began, given from outside.

use std::collections::{BTreeMap, VecDeque};

use super::plan::duration;
use crate::suite::{Event, PassNews, StepNews, Workload};

/// Seconds that the speed shown is over.
const WINDOW: f64 = 30.0;
/// Lanes that a line names.
const NAMED: usize = 3;

/// What is timed together: the trainings of a method, by its index, or tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Training(usize),
    Tests,
}

/// Work of one kind, in planned multiply-adds, and seconds of lanes.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    planned: f64,
    /// Done, here or before.
    done: f64,
    /// Done here, in so many seconds.
    seen: f64,
    seconds: f64,
}

impl Account {
    /// Never below nothing: what a failed cell leaves undone is written off when the last cell is.
    fn left(&self) -> f64 {
        (self.planned - self.done).max(0.0)
    }

    fn rate(&self) -> Option<f64> {
        (self.seen > 0.0).then(|| self.seconds / self.seen)
    }
}

/// What a lane does.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Doing {
    /// In words.
    pub words: String,
    /// How far it is: done, of how many.
    pub at: (u64, u64),
    /// Whether it is a pass over test images.
    pub tests: bool,
    place: Place,
}

/// The piece of work a lane is at.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// Those that go together: method and seed.
    Training(String, Option<u32>, Vec<(usize, u64)>),
    Tests(String, crate::data::Classes),
}

struct Lane<K> {
    who: K,
    /// When it spoke last of its work.
    since: Option<f64>,
    doing: Option<Doing>,
}

/// Everything known, told by [`Event`]s. `K` tells lanes apart.
pub(super) struct Board<K> {
    work: Workload,
    accounts: BTreeMap<Kind, Account>,
    lanes: Vec<Lane<K>>,
    /// Lanes there are; fewer may have spoken.
    side_by_side: usize,
    cells: (u64, u64),
    trainings: (u64, u64),
    failed: u64,
    images: u64,
    speeds: VecDeque<(f64, u64)>,
}

impl<K: PartialEq + Copy> Board<K> {
    /// A board of a run with so many lanes.
    pub fn new(side_by_side: usize) -> Self {
        Self {
            work: Workload::default(),
            accounts: BTreeMap::new(),
            lanes: Vec::new(),
            side_by_side: side_by_side.max(1),
            cells: (0, 0),
            trainings: (0, 0),
            failed: 0,
            images: 0,
            speeds: VecDeque::from([(0.0, 0)]),
        }
    }

    /// Takes note of what lane `who` says at `now`.
    pub fn hear(&mut self, who: K, now: f64, event: &Event) {
        match event {
            Event::Planned { trainings, cells, work, .. } => {
                (self.trainings.1, self.cells.1, self.work) = (*trainings, *cells, work.clone());
                for (method, planned) in work.all_trainings() {
                    self.accounts.entry(Kind::Training(method)).or_default().planned = planned;
                }
                self.accounts.entry(Kind::Tests).or_default().planned = work.all_tests();
                self.speeds = VecDeque::from([(now, 0)]);
            }
            Event::Step(news) => self.step(who, now, news),
            Event::Tested(news) => self.tested(who, now, news),
            Event::TrainingDone { dataset, method, shots } => {
                self.trainings.0 += 1;
                let cost = self.work.training(dataset, *method, *shots);
                let undone = self.end(who, (dataset, *method, *shots));
                self.accounts.entry(Kind::Training(*method)).or_default().done += cost * undone;
            }
            Event::CellDone { failed } => {
                self.cells.0 += 1;
                self.failed += u64::from(*failed);
                // What is recorded is trained and tested.
                self.lane(who).doing = None;
            }
            Event::LeftOut { .. } | Event::CacheFailed { .. } | Event::Damaged { .. } => {}
        }
    }

    /// Ends a training of the lane, and gives the share of it that no step did: all of one that was found done, some of
    /// one that failed. Several in lockstep end one by one, and all of them took the steps.
    fn end(&mut self, who: K, (dataset, method, shots): (&str, usize, Option<u32>)) -> f64 {
        let slot = &mut self.lane(who).doing;
        let Some(doing) = slot else { return 1.0 };
        let undone = 1.0 - doing.at.0 as f64 / doing.at.1.max(1) as f64;
        match &mut doing.place {
            Place::Training(id, s, trainings) if (id.as_str(), *s) == (dataset, shots) => {
                let Some(at) = trainings.iter().position(|(own, _)| *own == method) else { return 1.0 };
                trainings.remove(at);
                if trainings.is_empty() {
                    *slot = None;
                }
                undone
            }
            _ => 1.0,
        }
    }

    fn step(&mut self, who: K, now: f64, news: &StepNews) {
        let StepNews { dataset, method_id, shots, trainings, step } = news;
        let mut work: BTreeMap<Kind, f64> = BTreeMap::new();
        for (method, _) in trainings {
            // Where not all were as far, nobody says who took it.
            let share = step.trainings as f64 / trainings.len().max(1) as f64;
            let one = share * self.work.training(dataset, *method, *shots) / step.of.max(1) as f64;
            *work.entry(Kind::Training(*method)).or_default() += one;
        }
        let place = Place::Training(dataset.clone(), *shots, trainings.clone());
        let mut seeds: Vec<u64> = trainings.iter().map(|(_, seed)| *seed).collect();
        seeds.dedup();
        let names: Vec<String> = seeds.iter().map(u64::to_string).collect();
        let variants = match trainings.len() / seeds.len().max(1) {
            0 | 1 => String::new(),
            several => format!(" ({several} variants)"),
        };
        let loss = step.loss.map_or("no loss".to_owned(), |loss| format!("loss {loss:.3}"));
        let words = format!(
            "{dataset} {method_id} seed {}{variants}: epoch {} of {}, step {} of {}, {loss}",
            names.join(","),
            step.epoch,
            step.epochs,
            step.step,
            step.steps
        );
        let at = (step.done as u64, step.of as u64);
        self.moved(who, now, &work, Doing { words, at, tests: false, place });
        self.saw(now, step.images as u64);
    }

    fn tested(&mut self, who: K, now: f64, news: &PassNews) {
        let PassNews { dataset, classes, cells, done, of } = news;
        let one = self.work.test(dataset, *classes) * *cells as f64 / (*of).max(1) as f64;
        let place = Place::Tests(dataset.clone(), *classes);
        let words = format!("{dataset}: testing {classes} classes, {done} of {of} images");
        let before = self.before(who, &place, *done).unwrap_or(0);
        let work = BTreeMap::from([(Kind::Tests, one)]);
        self.moved(who, now, &work, Doing { words, at: (*done, *of), tests: true, place });
        self.saw(now, done.saturating_sub(before));
    }

    /// How far the lane was with a piece of work that it is further with now.
    fn before(&self, who: K, place: &Place, done: u64) -> Option<u64> {
        let lane = self.lanes.iter().find(|lane| lane.who == who)?;
        // One that goes back has begun anew, with other cells.
        let same = |doing: &&Doing| doing.place == *place && doing.at.0 < done;
        lane.doing.as_ref().filter(same).map(|doing| doing.at.0)
    }

    /// Accounts for the way a lane came since it spoke last; `work` is that of one step or image, by kind.
    fn moved(&mut self, who: K, now: f64, work: &BTreeMap<Kind, f64>, doing: Doing) {
        let before = self.before(who, &doing.place, doing.at.0);
        let lane = self.lane(who);
        // What comes before a lane's first step (opening, decoding, texts) comes once and says nothing of the rest.
        let seconds = lane.since.map(|since| now - since);
        lane.since = Some(now);
        lane.doing = Some(doing.clone());
        // Of a piece that was taken up again, what was done before is done, but nobody saw it take its time.
        let (resumed, steps) = match (before, doing.tests) {
            (Some(last), _) => (0, doing.at.0.saturating_sub(last)),
            (None, false) => (doing.at.0.saturating_sub(1), 1),
            (None, true) => (0, doing.at.0),
        };
        let all: f64 = work.values().sum();
        for (kind, one) in work {
            let account = self.accounts.entry(*kind).or_default();
            account.done += one * (resumed + steps) as f64;
            if let Some(seconds) = seconds {
                account.seen += one * steps as f64;
                // Trainings that go together share the time by their work.
                account.seconds += if all > 0.0 { seconds * one / all } else { 0.0 };
            }
        }
    }

    fn saw(&mut self, now: f64, images: u64) {
        self.images += images;
        self.speeds.push_back((now, self.images));
        while self.speeds.len() > 2 && self.speeds[1].0 < now - WINDOW {
            self.speeds.pop_front();
        }
    }

    fn lane(&mut self, who: K) -> &mut Lane<K> {
        let at = self.lanes.iter().position(|lane| lane.who == who).unwrap_or_else(|| {
            self.lanes.push(Lane { who, since: None, doing: None });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }

    /// Share of the work that is done, from 0 to 1; all of it when every cell is recorded.
    pub fn share(&self) -> f64 {
        if self.cells.0 >= self.cells.1 {
            return 1.0;
        }
        let planned: f64 = self.accounts.values().map(|account| account.planned).sum();
        let left: f64 = self.accounts.values().map(Account::left).sum();
        if planned > 0.0 { 1.0 - left / planned } else { self.cells.0 as f64 / self.cells.1 as f64 }
    }

    /// Seconds that the rest may take; `None` before anything was timed.
    pub fn seconds_left(&self) -> Option<f64> {
        if self.cells.0 >= self.cells.1 {
            return Some(0.0);
        }
        let sum = |of: fn(&Account) -> f64| self.accounts.values().map(of).sum::<f64>();
        let (seen, seconds) = (sum(|account| account.seen), sum(|account| account.seconds));
        let mean = (seen > 0.0).then(|| seconds / seen)?;
        let left: f64 =
            self.accounts.values().map(|account| account.left() * account.rate().unwrap_or(mean)).sum();
        Some(left / self.side_by_side as f64)
    }

    /// Images a second, in training and testing together, of late.
    pub fn speed(&self) -> Option<f64> {
        let (first, last) = (self.speeds.front()?, self.speeds.back()?);
        (last.0 > first.0).then(|| (last.1 - first.1) as f64 / (last.0 - first.0))
    }

    /// Counts, speed and times in words.
    pub fn counts(&self, now: f64) -> String {
        let left = self.seconds_left().map_or("time left not known yet".to_owned(), |seconds| {
            format!("about {} left", duration(seconds))
        });
        let speed = self.speed().map_or(String::new(), |speed| format!("{speed:.0} images/s, "));
        format!(
            "{} of {} cells, {} of {} trainings, {} failed; {:.0} % of the work; {speed}{} gone, {left}",
            self.cells.0,
            self.cells.1,
            self.trainings.0,
            self.trainings.1,
            self.failed,
            (100.0 * self.share()).floor(),
            duration(now),
        )
    }

    /// The same in a terminal's width, most important first.
    pub fn brief(&self, now: f64) -> String {
        let left = self.seconds_left().map_or("time left not known yet".to_owned(), |seconds| {
            format!("about {} left", duration(seconds))
        });
        let speed = self.speed().map_or(String::new(), |speed| format!(", {speed:.0} images/s"));
        let [cells, trainings] = [self.cells, self.trainings].map(|(done, of)| format!("{done}/{of}"));
        format!(
            "{left}, {} gone; {cells} cells, {trainings} trainings, {} failed{speed}",
            duration(now),
            self.failed
        )
    }

    /// What the lanes do, in the order they first spoke.
    pub fn doings(&self) -> impl Iterator<Item = (K, &Doing)> {
        self.lanes.iter().filter_map(|lane| Some((lane.who, lane.doing.as_ref()?)))
    }

    /// Everything on one line.
    pub fn line(&self, now: f64) -> String {
        let doing: Vec<&str> = self.doings().map(|(_, doing)| doing.words.as_str()).collect();
        let more = match doing.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let named = doing.into_iter().take(NAMED).collect::<Vec<_>>().join("; ");
        let named = if named.is_empty() { named } else { format!("; {named}") };
        format!("{}{named}{more}", self.counts(now))
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
