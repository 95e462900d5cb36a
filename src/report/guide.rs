//! Sentences that several sections share: where the statistics are explained, what a spread is over, which
//! cells rest on fewer seeds.

use super::grid::Grid;
use super::number::{count, p};

/// A link to the part of `docs/statistics.md` that explains a table. A report lies two folders below the
/// repository's root; `tests/report/guide.rs` holds every anchor against the page.
pub fn explained(anchor: Anchor) -> String {
    format!("[How to read it](../../docs/statistics.md#{}).", anchor.id())
}

/// The parts of `docs/statistics.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Base, new and H; bold and underlined; seed and sampling error.
    BaseToNew,
    /// Tests over datasets.
    OverDatasets,
    /// Tests within a dataset.
    WithinDatasets,
    /// Variants against the suite's own settings.
    Ablation,
    /// Variance over draws.
    Variance,
    /// Shift of tokens and loss.
    Shift,
    /// Transfer to other datasets.
    Transfer,
    /// Comparisons of runs and with the paper.
    Compare,
    /// Calibration, classes, one label space.
    Measures,
}

impl Anchor {
    /// Every part.
    pub const ALL: [Self; 9] = [
        Self::BaseToNew,
        Self::OverDatasets,
        Self::WithinDatasets,
        Self::Ablation,
        Self::Variance,
        Self::Shift,
        Self::Transfer,
        Self::Compare,
        Self::Measures,
    ];

    /// The heading as GitHub makes an anchor of it.
    pub fn id(self) -> &'static str {
        match self {
            Self::BaseToNew => "base-to-new",
            Self::OverDatasets => "tests-over-datasets",
            Self::WithinDatasets => "tests-within-a-dataset",
            Self::Ablation => "ablation",
            Self::Variance => "variance-over-draws",
            Self::Shift => "shift-of-the-tokens-and-loss",
            Self::Transfer => "transfer-to-other-datasets",
            Self::Compare => "comparisons",
            Self::Measures => "calibration-and-classes",
        }
    }
}

/// `mean ± sample standard deviation (ddof 1) over 3 seeds`, or what there is with fewer.
pub fn spread_over((low, high): (usize, usize)) -> String {
    match (low, high) {
        (_, 0) => "no seeds, so no spread".to_owned(),
        (1, 1) => "one seed, so no spread".to_owned(),
        (low, high) if low == high => format!("mean ± sample standard deviation (ddof 1) over {high} seeds"),
        (low, high) => format!("mean ± sample standard deviation (ddof 1) over {low} to {high} seeds"),
    }
}

/// What a number of blocks can show at all: the smallest p of a test by sign patterns of `n` values, and after
/// Holm's correction over `tests`.
pub fn reachable(n: usize, what: &str, tests: usize, alpha: f64) -> String {
    let smallest = 2f64.powi(1 - i32::try_from(n).unwrap_or(i32::MAX)).min(1.0);
    let corrected = (smallest * tests.max(1) as f64).min(1.0);
    let verdict = if corrected > alpha {
        ": no corrected p can reach 5 % here, however large the differences; read them and their intervals"
    } else {
        ""
    };
    let plain = if smallest < 0.001 { String::new() } else { format!(" = {}", p(smallest)) };
    format!(
        "With {} the smallest p is 2 / 2^{n}{plain}, after Holm over {} {}{verdict}.",
        count(n, what),
        count(tests, "test"),
        p(corrected)
    )
}

/// Which cells rest on fewer seeds than the others, and what that does to the tests; empty where none does.
pub fn fewer_seeds(grid: &Grid<'_>) -> String {
    fewer_seeds_in(&grid.fewer_seeds())
}

/// As [`fewer_seeds`], of cells in words.
pub fn fewer_seeds_in(cells: &[String]) -> String {
    if cells.is_empty() {
        return String::new();
    }
    format!(
        "_†: fewer seeds than in other cells ({}). Their means stand in averages and in tests over datasets beside \
         means over all seeds; tests within a dataset use the seeds that both methods have._\n\n",
        cells.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_their_numbers() {
        assert_eq!(spread_over((1, 1)), "one seed, so no spread");
        assert!(spread_over((2, 3)).ends_with("over 2 to 3 seeds"));
        assert!(reachable(11, "dataset", 13, 0.05).ends_with("is 2 / 2^11, after Holm over 13 tests 0.013."));
        assert!(
            reachable(1, "dataset", 1, 0.05).contains("With 1 dataset the smallest p is 2 / 2^1 = 1.000")
        );
        assert!(reachable(5, "seed", 1, 0.05).contains("no corrected p can reach 5 % here"));
    }
}
