//! Sentences on which method came out ahead of which, by which test, or that none did.
//!
//! They repeat the tests of the sections and add none: every arm against the reference, Wilcoxon's signed ranks over
//! datasets, Holm over the arms. Where the number of datasets cannot give a p of 5 %, that is all they say.

use super::emphasis::ALPHA;
use super::grid::Grid;
use super::number::{count, p, two};
use super::pair_tests::{Pair, PairTests};
use super::quantity::Quantity;
use crate::stats::describe::mean;

/// The question of a table: arms by these names, the last-named quantity's tests described once.
pub struct Question<'a> {
    /// The arms and their results.
    pub grid: &'a Grid<'a>,
    /// What the arms are called.
    pub names: &'a [String],
}

impl Question<'_> {
    /// What the averages and the tests say of one quantity, called `name`.
    pub fn finding(&self, name: &str, quantity: Quantity) -> String {
        let mut averages = self.averages(quantity);
        averages.sort_by(|a, b| b.0.total_cmp(&a.0));
        let value = |(value, name): &(f64, &str)| format!("{name} ({})", two(Some(*value)));
        match &averages[..] {
            [] => format!("{name}: no dataset has all methods."),
            [only] => format!("{name}: {} alone, nothing to compare.", value(only)),
            [first, second, ..] => format!(
                "{name}: highest {}, then {}; {}.",
                value(first),
                value(second),
                self.tested(quantity)
            ),
        }
    }

    /// How it was tested, in one sentence; empty where nothing was.
    pub fn test(&self, quantity: Quantity) -> String {
        let Ok(tests) = PairTests::new(self.grid, quantity) else { return String::new() };
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

    fn tested(&self, quantity: Quantity) -> String {
        let turned = self.grid.against_reference().map(|(arm, reference)| (reference, arm));
        let tested = PairTests::new(self.grid, quantity)
            .and_then(|tests| tests.family(turned).map(|pairs| (reachable(&tests, pairs.len()), pairs)));
        match tested {
            Ok((Ok(()), pairs)) => self.shown(&pairs),
            Ok((Err(_), _)) => "no order can be shown".to_owned(),
            Err(reason) => format!("no test over datasets ({reason})"),
        }
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
