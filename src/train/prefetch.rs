//! Pixels of a training's next step, prepared on another thread while a GPU is busy with this one.
//!
//! What is prepared is a guess: a training that fails changes who trains beside whom. A wrong guess costs its own work and
//! nothing else, since pixels are named by draw and view and not by who asks.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use candle_core::{Device, Tensor};

use super::error::TrainError;
use super::views::{Pick, TrainingSet};

/// Views of a draw.
type Part<'t> = (&'t TrainingSet<'t>, Vec<Pick>);

/// Where a step's pixels come from.
pub(super) struct Prefetch<'t> {
    side: usize,
    worker: Option<Worker<'t>>,
}

struct Worker<'t> {
    asked: Sender<Part<'t>>,
    made: Receiver<Result<Tensor, TrainError>>,
    /// What was asked for and not taken: one step's parts at most.
    waiting: VecDeque<Part<'t>>,
}

impl<'t> Prefetch<'t> {
    /// Pixels of `side`, prepared when they are asked for.
    pub fn none(side: usize) -> Self {
        Self { side, worker: None }
    }

    /// Pixels of `side`, prepared by a thread of this scope, which ends with the value.
    pub fn start<'scope>(scope: &'scope Scope<'scope, '_>, side: usize) -> Self
    where
        't: 'scope,
    {
        let (asked, asks) = channel::<Part<'t>>();
        let (give, made) = channel();
        scope.spawn(move || {
            for (set, picks) in asks {
                // Nobody listens any more once the training is over.
                if give.send(set.pixels(&picks, side, &Device::Cpu)).is_err() {
                    break;
                }
            }
        });
        Self { side, worker: Some(Worker { asked, made, waiting: VecDeque::new() }) }
    }

    /// Normalised pixels `[picks, 3, side, side]` in the computer's own memory: those that wait, else made now.
    ///
    /// # Errors
    /// [`TrainError::Pixels`] naming the image.
    pub fn take(&mut self, set: &TrainingSet<'_>, picks: &[Pick]) -> Result<Tensor, TrainError> {
        if let Some(worker) = &mut self.worker {
            while let Some((known, views)) = worker.waiting.pop_front() {
                let made = worker.made.recv();
                let wanted = known.seed == set.seed && known.dataset == set.dataset && views == picks;
                if let (true, Ok(pixels)) = (wanted, made) {
                    return pixels;
                }
            }
        }
        set.pixels(picks, self.side, &Device::Cpu)
    }

    /// Begins with what the next step will probably take, in that order, unless something still waits.
    pub fn ask(&mut self, parts: impl Iterator<Item = Part<'t>>) {
        let Some(worker) = self.worker.as_mut().filter(|worker| worker.waiting.is_empty()) else { return };
        for part in parts {
            if worker.asked.send(part.clone()).is_ok() {
                worker.waiting.push_back(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::views::Views;
    use super::*;
    use crate::data::{ImageSource, Item, PixelError};
    use crate::preprocess::{CROP_SCALE, Rgb8};

    struct Counting(AtomicUsize);

    impl ImageSource for Counting {
        fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            let bytes = (0..16 * 16 * 3).map(|i| (i * 7 + item.label as usize * 50) as u8).collect();
            Ok(Rgb8::new(16, 16, bytes).unwrap())
        }
    }

    #[test]
    fn guesses_are_taken_once_and_wrong_ones_change_nothing() {
        let source = Counting(AtomicUsize::new(0));
        let items: Vec<Item> = (0..4).map(|label| Item { path: label.to_string(), label }).collect();
        let items = items.iter().map(|item| (item, item.label)).collect();
        let views = Views::Fresh;
        let (dataset, crop_scale) = ("d", CROP_SCALE);
        let set = TrainingSet { dataset, seed: 1, owner: "", items, source: &source, views, crop_scale };
        let pick = |index| vec![Pick { index, view: 0 }];
        let numbers = |pixels: Tensor| pixels.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let expected = |index| numbers(set.pixels(&pick(index), 8, &Device::Cpu).unwrap());
        let expected = [0, 1, 2, 3].map(expected);
        source.0.store(0, Ordering::SeqCst);
        std::thread::scope(|scope| {
            let mut ahead = Prefetch::start(scope, 8);
            ahead.ask([(&set, pick(0)), (&set, pick(1))].into_iter());
            ahead.ask(std::iter::once((&set, pick(3))));
            assert_eq!(numbers(ahead.take(&set, &pick(0)).unwrap()), expected[0]);
            assert_eq!(numbers(ahead.take(&set, &pick(1)).unwrap()), expected[1]);
            assert_eq!(source.0.load(Ordering::SeqCst), 2, "a full queue takes nothing, and guesses serve");
            ahead.ask(std::iter::once((&set, pick(2))));
            assert_eq!(numbers(ahead.take(&set, &pick(3)).unwrap()), expected[3], "a wrong guess");
            assert_eq!(source.0.load(Ordering::SeqCst), 4);
        });
        let mut none = Prefetch::none(8);
        none.ask(std::iter::once((&set, pick(1))));
        assert_eq!(numbers(none.take(&set, &pick(1)).unwrap()), expected[1]);
    }
}
