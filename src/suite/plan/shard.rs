//! `--shard i/n`: a fixed division of a plan's cells among machines that do not know each other.
//!
//! It owns which cells are whose. The division depends on the plan alone, not on what is done already, and
//! never cuts a draw, whose views its methods share.

use super::cell::CellPlan;
use crate::suite::error::SuiteError;

/// Part `index` (from 1) of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Parses `i/n`.
    ///
    /// # Errors
    /// [`SuiteError::Usage`] unless 1 ≤ i ≤ n.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((index, count)) if index >= 1 && index <= count => Ok(Self { index, count }),
            _ => Err(SuiteError::Usage(format!(
                "--shard {text}: expected i/n with 1 ≤ i ≤ n, such as 1/4 on the first of four machines, or slurm in a task of an array"
            ))),
        }
    }

    /// Part `index` (from 0) of `count`; everything where that is no part.
    pub fn nth(index: usize, count: usize) -> Self {
        if index < count { Self { index: index + 1, count } } else { Self::WHOLE }
    }

    /// Keeps this shard's cells of every dataset; those of one unit stay together. Neighbouring draws stay together, so that as few datasets as
    /// possible are evaluated in two places.
    pub(in crate::suite) fn keep<T, U: PartialEq>(
        self,
        jobs: &mut [(T, Vec<CellPlan>)],
        unit: impl Fn(&CellPlan) -> U,
    ) {
        let total: usize = jobs.iter().map(|(_, cells)| cells.len()).sum();
        let mut position = 0;
        for (_, cells) in jobs {
            let mut first_of_unit = (None, 0);
            cells.retain(|cell| {
                let unit = Some(unit(cell));
                if first_of_unit.0 != unit {
                    first_of_unit = (unit, position);
                }
                position += 1;
                first_of_unit.1 * self.count / total == self.index - 1
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Classes;
    use crate::record::Cell;
    use crate::suite::plan::cell::Origin;

    fn cells(dataset: &str) -> Vec<CellPlan> {
        let plan = |method: usize, seed: Option<u64>| CellPlan {
            cell: Cell {
                suite: "s".into(),
                profile: "p".into(),
                dataset: dataset.into(),
                method: method.to_string(),
                variant: Default::default(),
                seed,
                shots: seed.map(|_| 2),
                train_classes: Classes::Base,
                limit: None,
            },
            method,
            origin: Origin::Trained,
            set_for_dataset: Default::default(),
            training_key: String::new(),
            key: format!("{dataset} {method} {seed:?}"),
            draw_sha256: None,
        };
        let drawn = (1..=3).flat_map(|seed| (1..=4).map(move |method| (method, Some(seed))));
        std::iter::once((0, None)).chain(drawn).map(|(method, seed)| plan(method, seed)).collect()
    }

    #[test]
    fn shards_hold_every_cell_once_and_cut_no_draw() {
        let all: Vec<_> = ["a", "b", "c"].into_iter().map(|id| (id, cells(id))).collect();
        for count in 1..=12 {
            let mut keys = Vec::new();
            for index in 1..=count {
                let mut mine = all.clone();
                Shard { index, count }.keep(&mut mine, |cell| (cell.cell.shots, cell.cell.seed));
                for (_, cells) in mine {
                    let drawn = cells.iter().filter(|cell| cell.cell.seed.is_some()).count();
                    assert_eq!(drawn % 4, 0, "shard {index}/{count}");
                    keys.extend(cells.into_iter().map(|cell| cell.key));
                }
            }
            let expected: Vec<_> = all.iter().flat_map(|(_, c)| c.iter().map(|c| c.key.clone())).collect();
            assert_eq!(keys, expected, "{count} shards");
        }
    }

    #[test]
    fn only_proper_fractions_are_shards() {
        assert_eq!(Shard::parse("2/3").unwrap(), Shard { index: 2, count: 3 });
        assert_eq!((Shard::nth(1, 3), Shard::nth(3, 3)), (Shard { index: 2, count: 3 }, Shard::WHOLE));
        for text in ["0/3", "4/3", "1", "a/b", "1/0", ""] {
            assert!(Shard::parse(text).unwrap_err().to_string().contains("i/n"), "{text}");
        }
    }
}
