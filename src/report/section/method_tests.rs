//! Do the methods differ? Over datasets (Friedman, Wilcoxon with Holm), over seeds, over images.
//!
//! The tests themselves are in [`crate::report::pair_tests`]; here they become tables and a diagram.

use super::image_tests;
use crate::data::Classes;
use crate::frame::{Accuracy, SummaryRow};
use crate::report::arm::looks;
use crate::report::context::Context;
use crate::report::emphasis::{ALPHA, Quantity};
use crate::report::error::ReportError;
use crate::report::grid::Grid;
use crate::report::markdown::{Table, folded};
use crate::report::number::{count, interval, p, shots_suffix, signed};
use crate::report::page::Part;
use crate::report::pair_tests::{Pair, PairTests};
use crate::report::pairing::pairs;
use crate::report::plot::{Drawing, cd, paint};
use crate::stats::bootstrap::{Plan, over_datasets, over_seeds};
use crate::stats::ranks::friedman_permutation_p;

const PERMUTATIONS: u64 = 1_000_000;

/// One quantity: its name, what it is, and its values by seed.
type Metric = (&'static str, Quantity, fn(&SummaryRow) -> &Accuracy);

const METRICS: [Metric; 3] = [
    ("H", Quantity::H, |r| &r.h),
    ("base", Quantity::Accuracy(Classes::Base), |r| &r.base),
    ("new", Quantity::Accuracy(Classes::New), |r| &r.new),
];

/// The section; the diagram is drawn for H at every number of shots.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Do the methods differ?".to_owned(), ..Part::default() };
    let grids = Grid::all(context, Classes::Base);
    for grid in &grids {
        if grids.len() > 1 {
            let shots = count(grid.shots.unwrap_or(0) as usize, "shot");
            part.body.push_str(&format!("### {}\n\n", context.titled(&shots)));
        }
        part.body.push_str(&friedman_table(grid));
        for (name, quantity, by_seed) in METRICS {
            let Ok(tests) = PairTests::new(grid, quantity) else { continue };
            let table = format!("{}\n{}\n", pair_table(&tests, grid, by_seed), power(&tests));
            if quantity == Quantity::H {
                part.body.push_str(&format!("\n**Pairs of methods, H**\n\n{table}\n"));
                let suffix = shots_suffix(grid.shots, grids.len() > 1);
                let file = format!("critical_difference{suffix}");
                let title = format!("Mean ranks by H over {}", count(tests.blocks.len(), "dataset"));
                let title = context.titled(&title);
                part.body.push_str(&format!("![{title}]({file}.png)\n\n"));
                part.pictures.push(paint(&file, &diagram(&tests, &title, grid))?);
            } else {
                part.body.push_str(&folded(&format!("Pairs of methods, {name} classes"), &table));
            }
        }
        part.body.push_str(&image_tests::render(context, grid));
        part.body.push('\n');
    }
    part.body.push_str(if grids.is_empty() {
        "No cell trained on base classes has a result.\n"
    } else {
        NOTE
    });
    Ok(part)
}

const NOTE: &str = "_The dataset is the unit: values are means over seeds. Friedman: chi-square corrected for \
    ties, Iman and Davenport's F, and p over 1 000 000 seeded relabellings within datasets. Wilcoxon: signed \
    ranks over datasets, exact over all sign patterns of the midranks, zeros after Pratt, differences rounded \
    to 1e-9; p corrected after Holm over all pairs of the table. Effect: rank-biserial correlation, +1 if the \
    first method wins on every dataset. Intervals: 95 % percentile bootstrap of the mean difference in points, \
    10 000 seeded resamples, of datasets (do other datasets agree?) and of seeds within datasets (do other seeds \
    agree?). Bars of the diagram join neighbours in mean rank without a pair that Holm's correction leaves \
    significant at 5 %._\n";

fn friedman_table(grid: &Grid<'_>) -> String {
    let mut table = Table::new(["quantity", "n datasets", "χ²", "p (χ²)", "F", "p (F)", "p (permutation)"]);
    let mut notes = String::new();
    for (name, quantity, _) in METRICS {
        let tested = PairTests::new(grid, quantity)
            .and_then(|t| Ok((friedman_permutation_p(&t.blocks, PERMUTATIONS, 1)?, t.friedman)));
        match tested {
            Ok((permutation, test)) => table.row([
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

fn pair_table(tests: &PairTests, grid: &Grid<'_>, by_seed: fn(&SummaryRow) -> &Accuracy) -> String {
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
    for pair in &tests.pairs {
        let mark = if pair.adjusted <= ALPHA { "**" } else { "" };
        let counts = [|d: f64| d > 0.0, |d: f64| d == 0.0, |d: f64| d < 0.0]
            .map(|keep| pair.differences.iter().filter(|d| keep(**d)).count().to_string());
        table.row([
            format!("{} − {}", grid.arms[pair.first].label(), grid.arms[pair.second].label()),
            signed(pair.difference),
            counts.join("–"),
            interval(over_datasets(&pair.differences, Plan::default()).ok()),
            seed_interval(grid, &tests.shared, pair, by_seed),
            p(pair.test.p),
            format!("{mark}{}{mark}", p(pair.adjusted)),
            signed(pair.test.rank_biserial),
        ]);
    }
    table.markdown()
}

/// What this number of datasets can show at all.
fn power(tests: &PairTests) -> String {
    let (n, pairs) = (tests.blocks.len(), tests.pairs.len());
    let smallest = tests.smallest_p();
    let verdict = if smallest > ALPHA { ": nothing can be significant here" } else { "" };
    format!(
        "With {} the smallest p of Wilcoxon's test is 2 / 2^{n}, and after Holm over {} {}{verdict}.",
        count(n, "dataset"),
        count(pairs, "pair"),
        p(smallest)
    )
}

/// Bootstrap over the seeds within datasets; a dash where a dataset has one seed in common, which would
/// pass as a dataset without seed error.
fn seed_interval(
    grid: &Grid<'_>,
    shared: &[usize],
    pair: &Pair,
    by_seed: fn(&SummaryRow) -> &Accuracy,
) -> String {
    let of = |d: &usize| {
        let (a, b) = grid.cell(*d, pair.first).zip(grid.cell(*d, pair.second))?;
        let differences: Vec<f64> = pairs(by_seed(a), by_seed(b)).into_iter().map(|(a, b)| a - b).collect();
        (!differences.is_empty()).then_some(differences)
    };
    let seeds: Vec<Vec<f64>> = shared.iter().filter_map(of).collect();
    let several = seeds.len() == shared.len() && seeds.iter().all(|s| s.len() > 1);
    interval(Some(seeds).filter(|_| several).and_then(|seeds| over_seeds(&seeds, Plan::default()).ok()))
}

fn diagram(tests: &PairTests, title: &str, grid: &Grid<'_>) -> Drawing {
    let (order, bars) = tests.ranking();
    let looks = looks(&grid.arms);
    let methods: Vec<_> =
        order.iter().map(|arm| (looks[*arm].clone(), tests.friedman.mean_ranks[*arm])).collect();
    cd::draw(title, &methods, &bars)
}
