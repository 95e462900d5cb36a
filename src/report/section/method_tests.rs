//! Do the methods differ? Over datasets (Friedman, Wilcoxon with Holm), over seeds, over images.
//!
//! Blocks are datasets, values their means over seeds: seeds are not independent datasets, and counting
//! them as such would make every p too small.

use super::image_tests;
use crate::data::Classes;
use crate::frame::{Accuracy, SummaryRow};
use crate::report::arm::looks;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::grid::Grid;
use crate::report::markdown::{Table, folded};
use crate::report::number::{count, interval, p, shots_suffix, signed};
use crate::report::page::Part;
use crate::report::pairing::pairs;
use crate::report::plot::{cd, paint};
use crate::stats::bootstrap::{Plan, over_datasets, over_seeds};
use crate::stats::describe::mean;
use crate::stats::groups::indistinct_runs;
use crate::stats::holm::holm;
use crate::stats::ranks::{Friedman, friedman, friedman_permutation_p};
use crate::stats::wilcoxon::{SignedRank, signed_rank};

const PERMUTATIONS: u64 = 100_000;
const ALPHA: f64 = 0.05;

/// One quantity: its name, its value in a cell, and its values by seed.
type Metric = (&'static str, fn(&SummaryRow) -> Option<f64>, fn(&SummaryRow) -> &Accuracy);

const METRICS: [Metric; 3] = [
    ("H", SummaryRow::h_pct, |r| &r.h),
    ("base", |r| r.base.mean(), |r| &r.base),
    ("new", |r| r.new.mean(), |r| &r.new),
];

/// The section; the diagram is drawn for H at every number of shots.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Do the methods differ?".to_owned(), ..Part::default() };
    let grids = Grid::all(context, Classes::Base);
    for grid in &grids {
        if grids.len() > 1 {
            part.body.push_str(&format!("### {}\n\n", count(grid.shots.unwrap_or(0) as usize, "shot")));
        }
        part.body.push_str(&friedman_table(grid));
        for metric in METRICS {
            let Some(tests) = Tests::new(grid, metric) else { continue };
            let table = tests.table(grid);
            if metric.0 == "H" {
                part.body.push_str(&format!("\n**Pairs of methods, H**\n\n{table}\n"));
                let suffix = shots_suffix(grid.shots, grids.len() > 1);
                let name = format!("critical_difference{suffix}");
                let title =
                    context.titled(&format!("Mean ranks by H over {} datasets", tests.friedman.blocks));
                part.body.push_str(&format!("![{title}]({name}.png)\n\n"));
                part.pictures.push(paint(&name, &tests.diagram(&title, grid))?);
            } else {
                part.body.push_str(&folded(&format!("Pairs of methods, {} classes", metric.0), &table));
                part.body.push('\n');
            }
        }
        part.body.push_str(&image_tests::render(context, grid));
    }
    part.body.push_str(NOTE);
    Ok(part)
}

const NOTE: &str = "\n_Friedman: chi-square corrected for ties, Iman and Davenport's F, and p over 100 000 \
    seeded \
    relabellings within datasets. Wilcoxon: signed ranks over datasets, exact over all sign patterns, zeros \
    after Pratt, \
    differences rounded to 1e-9; p corrected after Holm over all pairs. Effect: rank-biserial correlation, \
    +1 if the first \
    method wins on every dataset. Intervals: 95 % percentile bootstrap of the mean difference in points, 10 \
    000 seeded \
    resamples, of datasets (do other datasets agree?) and of seeds within datasets (do other seeds agree?). \
    Bars of the \
    diagram join neighbours in mean rank without a pair that Holm's correction leaves significant at 5 %._\n";

fn blocks(grid: &Grid<'_>, value: fn(&SummaryRow) -> Option<f64>) -> Vec<Vec<f64>> {
    let line = |d: usize| (0..grid.arms.len()).filter_map(|a| grid.cell(d, a).and_then(value)).collect();
    grid.shared(value).into_iter().map(line).collect()
}

fn friedman_table(grid: &Grid<'_>) -> String {
    let mut table = Table::new(["quantity", "datasets", "χ²", "p (χ²)", "F", "p (F)", "p (permutation)"]);
    let mut notes = String::new();
    for (name, value, _) in METRICS {
        let blocks = blocks(grid, value);
        let tested =
            friedman(&blocks).and_then(|t| Ok((t, friedman_permutation_p(&blocks, PERMUTATIONS, 1)?)));
        match tested {
            Ok((test, permutation)) => table.row([
                name.to_owned(),
                test.blocks.to_string(),
                format!("{:.2}", test.chi_square),
                p(test.chi_square_p),
                if test.f.is_finite() { format!("{:.2}", test.f) } else { "∞".to_owned() },
                p(test.f_p),
                p(permutation),
            ]),
            Err(reason) => notes.push_str(&format!("No test over datasets for {name}: {reason}.\n\n")),
        }
    }
    if table.is_empty() { notes } else { format!("**Friedman**\n\n{}\n{notes}", table.markdown()) }
}

/// All pairs of arms on one quantity.
struct Tests {
    friedman: Friedman,
    pairs: Vec<Pair>,
}

struct Pair {
    first: usize,
    second: usize,
    test: SignedRank,
    adjusted: f64,
    difference: f64,
    over_datasets: String,
    over_seeds: String,
}

impl Tests {
    fn new(grid: &Grid<'_>, (_, value, by_seed): Metric) -> Option<Self> {
        let blocks = blocks(grid, value);
        let friedman = friedman(&blocks).ok()?;
        let shared = grid.shared(value);
        let mut pairs = Vec::new();
        for first in 0..grid.arms.len() {
            for second in first + 1..grid.arms.len() {
                let differences: Vec<f64> = blocks.iter().map(|b| b[second] - b[first]).collect();
                let seeds = seed_differences(grid, &shared, (second, first), by_seed);
                pairs.push(Pair {
                    first: second,
                    second: first,
                    test: signed_rank(&differences).ok()?,
                    adjusted: 1.0,
                    difference: mean(&differences)?,
                    over_datasets: interval(over_datasets(&differences, Plan::default()).ok()),
                    // One seed of a dataset would pass as a seed without error.
                    over_seeds: interval(
                        Some(&seeds)
                            .filter(|seeds| seeds.iter().all(|s| s.len() > 1))
                            .and_then(|seeds| over_seeds(seeds, Plan::default()).ok()),
                    ),
                });
            }
        }
        let raw: Vec<f64> = pairs.iter().map(|pair| pair.test.p).collect();
        pairs.iter_mut().zip(holm(&raw).ok()?).for_each(|(pair, adjusted)| pair.adjusted = adjusted);
        Some(Self { friedman, pairs })
    }

    fn table(&self, grid: &Grid<'_>) -> String {
        let header = [
            "pair",
            "difference",
            "interval over datasets",
            "interval over seeds",
            "p (Wilcoxon)",
            "p (Holm)",
            "effect",
        ];
        let mut table = Table::new(header);
        for pair in &self.pairs {
            let mark = if pair.adjusted <= ALPHA { "**" } else { "" };
            table.row([
                format!("{} − {}", grid.arms[pair.first].label(), grid.arms[pair.second].label()),
                signed(pair.difference),
                pair.over_datasets.clone(),
                pair.over_seeds.clone(),
                p(pair.test.p),
                format!("{mark}{}{mark}", p(pair.adjusted)),
                signed(pair.test.rank_biserial),
            ]);
        }
        table.markdown()
    }

    fn diagram(&self, title: &str, grid: &Grid<'_>) -> crate::report::plot::Drawing {
        let mut order: Vec<usize> = (0..grid.arms.len()).collect();
        order.sort_by(|a, b| self.friedman.mean_ranks[*a].total_cmp(&self.friedman.mean_ranks[*b]));
        let significant = |i: usize, j: usize| {
            let wanted = (order[i].max(order[j]), order[i].min(order[j]));
            self.pairs.iter().any(|pair| (pair.first, pair.second) == wanted && pair.adjusted <= ALPHA)
        };
        let bars = indistinct_runs(order.len(), significant);
        let looks = looks(&grid.arms);
        let methods: Vec<_> =
            order.iter().map(|a| (looks[*a].clone(), self.friedman.mean_ranks[*a])).collect();
        cd::draw(title, &methods, &bars)
    }
}

/// Per shared dataset, the differences at common seeds.
fn seed_differences(
    grid: &Grid<'_>,
    shared: &[usize],
    (first, second): (usize, usize),
    by_seed: fn(&SummaryRow) -> &Accuracy,
) -> Vec<Vec<f64>> {
    let of = |d: &usize| {
        let (a, b) = grid.cell(*d, first).zip(grid.cell(*d, second))?;
        Some(pairs(by_seed(a), by_seed(b)).into_iter().map(|(a, b)| a - b).collect())
    };
    shared.iter().filter_map(of).collect()
}
