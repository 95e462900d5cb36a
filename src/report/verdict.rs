//! Sentences on which method came out ahead of which, by which test, or that none did.
//!
//! They repeat the tests of the sections and add none: every arm against the reference, Wilcoxon's signed ranks over
//! datasets, Holm over the arms. Where the number of datasets cannot give a p of 5 %, that is all they say.

use super::arm::Arm;
use super::emphasis::ALPHA;
use super::grid::Grid;
use super::number::{count, p, two};
use super::pair_tests::{Pair, PairTests};
use super::quantity::Quantity;
use crate::stats::describe::mean;
use crate::stats::settled::settled;

/// The question of a table: arms by these names, the last-named quantity's tests described once.
pub struct Question<'a> {
    /// The arms and their results.
    pub grid: &'a Grid<'a>,
    /// What the arms are called.
    pub names: &'a [String],
}

impl Question<'_> {
    /// What the averages and the tests say of one quantity, called `name`. Arms that cannot have it, since their methods meet
    /// no new classes, take no part.
    pub fn finding(&self, name: &str, quantity: Quantity) -> String {
        self.meeting(quantity, |question| question.found(name, quantity))
    }

    /// How it was tested, in one sentence; empty where nothing was.
    pub fn test(&self, quantity: Quantity) -> String {
        self.meeting(quantity, |question| question.how(quantity))
    }

    /// Asks among the arms that can have a quantity.
    fn meeting<R>(&self, quantity: Quantity, ask: impl FnOnce(&Question<'_>) -> R) -> R {
        let grid = self.grid.meeting(|row| quantity.value(row));
        let name =
            |arm: &Arm| self.grid.arms.iter().position(|own| own == arm).and_then(|at| self.names.get(at));
        let names: Vec<String> = grid.arms.iter().filter_map(name).cloned().collect();
        ask(&Question { grid: &grid, names: &names })
    }

    fn found(&self, name: &str, quantity: Quantity) -> String {
        let mut averages = self.averages(quantity);
        averages.sort_by(|a, b| b.0.total_cmp(&a.0));
        let value = |(value, name): &(f64, &str)| format!("{name} ({})", two(Some(*value)));
        let Some(first) = averages.first() else { return format!("{name}: no dataset has all methods.") };
        if averages.len() == 1 {
            return format!("{name}: {} alone, nothing to compare.", value(first));
        }
        // Equal counts of images are equal, whatever the last bits of their percentages.
        let tied = averages.iter().take_while(|(other, _)| settled(*other) == settled(first.0)).count();
        let places = match averages.get(tied).filter(|_| tied == 1) {
            Some(second) => format!("{}, then {}", value(first), value(second)),
            None => averages[..tied].iter().map(value).collect::<Vec<_>>().join(" and "),
        };
        let tested = self.tested(quantity).map_or(String::new(), |text| format!("; {text}"));
        format!("{name}: highest {places}{tested}.")
    }

    fn how(&self, quantity: Quantity) -> String {
        let tests = match PairTests::new(self.grid, quantity) {
            Ok(tests) => tests,
            Err(_) if self.grid.arms.len() < 2 => return String::new(),
            Err(_) if self.grid.datasets.len() < 2 => {
                return "One dataset allows no test over datasets; bold in the page's tables is a test over seeds and images."
                    .to_owned();
            }
            Err(reason) => return format!("No test over datasets: {reason}."),
        };
        let (pairs, reference) = (self.grid.arms.len() - 1, &self.names[self.grid.reference()]);
        let how = format!(
            "Wilcoxon's signed ranks over {}, every method against {reference}",
            count(tests.blocks.len(), "dataset")
        );
        let holm = count(pairs, "test");
        match reachable(&tests, pairs) {
            Ok(()) => format!(
                "Tested by {how}, at 5 % after Holm over {holm}; that nothing was shown is no proof that methods are equal."
            ),
            Err(smallest) => format!(
                "{how}, Holm over {holm}: the smallest p that this can give is {}, so no order can be shown here; \
                 read differences and their intervals.",
                p(smallest)
            ),
        }
    }

    /// Averages over the datasets that every arm has.
    fn averages(&self, quantity: Quantity) -> Vec<(f64, &str)> {
        let shared = self.grid.shared(|row| quantity.value(row));
        let average = |a: usize| {
            let cells = shared.iter().filter_map(|d| self.grid.cell(*d, a));
            mean(&cells.filter_map(|row| quantity.value(row)).collect::<Vec<_>>())
        };
        let names = self.names.iter().enumerate();
        names.filter_map(|(a, name)| Some((average(a)?, name.as_str()))).collect()
    }

    /// `None` where there is no test, which [`Self::test`] says.
    fn tested(&self, quantity: Quantity) -> Option<String> {
        let turned = self.grid.against_reference().map(|(arm, reference)| (reference, arm));
        let tests = PairTests::new(self.grid, quantity).ok()?;
        let pairs = tests.family(turned).ok()?;
        Some(match reachable(&tests, pairs.len()) {
            Ok(()) => self.shown(&pairs),
            Err(_) => "no order can be shown".to_owned(),
        })
    }

    /// What the tests show of the pairs (reference, other).
    fn shown(&self, pairs: &[Pair]) -> String {
        let reference = &self.names[self.grid.reference()];
        let names = |better: bool| -> String {
            let rejected = pairs.iter().filter(|pair| pair.adjusted <= ALPHA);
            let sided = rejected.filter(|pair| (pair.test.rank_biserial > 0.0) == better);
            sided.map(|pair| self.names[pair.second].as_str()).collect::<Vec<_>>().join(", ")
        };
        let nearest = pairs.iter().min_by(|a, b| a.adjusted.total_cmp(&b.adjusted));
        let smallest = nearest.map_or(String::new(), |pair| {
            format!(" (smallest p {}, for {})", p(pair.adjusted), self.names[pair.second])
        });
        match (names(true).as_str(), names(false).as_str()) {
            ("", "") => format!("none came out ahead of {reference} or behind it{smallest}"),
            (better, "") => format!("{reference} came out ahead of {better}"),
            ("", worse) => format!("{reference} came out behind {worse}"),
            (better, worse) => format!("{reference} came out ahead of {better}, and behind {worse}"),
        }
    }
}

/// Whether a corrected p can reach 5 % on so many datasets at all; if not, the smallest there is.
fn reachable(tests: &PairTests, pairs: usize) -> Result<(), f64> {
    let smallest = (tests.smallest_p() * pairs as f64).min(1.0);
    if smallest > ALPHA { Err(smallest) } else { Ok(()) }
}

/// What may be said of a transfer.
pub fn of_transfer(targets: usize) -> String {
    format!(
        "Averages over the {} are not tested: all share one training. The page's table sets a column apart where one \
         method is better than every other.",
        count(targets, "other dataset")
    )
}
