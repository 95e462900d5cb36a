//! The table of pairs of arms over datasets: difference, wins, intervals, Wilcoxon's p.

use crate::report::emphasis::ALPHA;
use crate::report::grid::Grid;
use crate::report::guide::reachable;
use crate::report::markdown::Table;
use crate::report::number::{interval, p, signed};
use crate::report::pair_tests::{Pair, PairTests};
use crate::report::quantity::Quantity;

/// One line per pair, and what this number of datasets can show at all. `pairs` is one family of Holm's.
pub fn pair_table(grid: &Grid<'_>, tests: &PairTests, pairs: &[Pair], quantity: Quantity) -> String {
    let header = [
        "pair",
        "difference",
        "better–equal–worse",
        "95 % over datasets",
        "95 % over seeds",
        "p (Wilcoxon)",
        "p (Holm)",
        "effect",
    ];
    let mut table = Table::new(header);
    for pair in pairs {
        let mark = if pair.adjusted <= ALPHA { "**" } else { "" };
        table.row([
            format!("{} − {}", grid.arms[pair.first].label(), grid.arms[pair.second].label()),
            signed(pair.difference),
            pair.counts().map(|n| n.to_string()).join("–"),
            interval(pair.over_datasets()),
            interval(pair.over_seeds(grid, &tests.shared, quantity)),
            p(pair.test.p),
            format!("{mark}{}{mark}", p(pair.adjusted)),
            signed(pair.test.rank_biserial),
        ]);
    }
    let power = reachable(tests.blocks.len(), "dataset", pairs.len(), ALPHA);
    format!("{}\n{power}\n", table.markdown())
}

/// What the columns are.
pub const COLUMNS: &str = "The dataset is the unit: values are means over seeds, differences in points. Wilcoxon: \
    signed ranks over datasets, exact over all sign patterns of the midranks, zeros after Pratt; differences are \
    equal where the counts of images are. Effect: rank-biserial correlation, +1 if the first wins on every dataset. \
    Over datasets: bootstrap-t interval (would other datasets agree?), from five datasets on. Over seeds: Student's \
    interval of the seeds' averages over these datasets (would other seeds agree here?); a dash where datasets have \
    different seeds.";
