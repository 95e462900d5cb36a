//! Do the methods differ? Over datasets (Friedman, Wilcoxon with Holm), over seeds, over images.
//!
//! The tests themselves are in [`crate::report::pair_tests`]; here they become tables and a diagram. Two families:
//! every method against the reference, and all pairs, which the bars of the diagram rest on.

use super::image_tests;
use super::pair_table::{COLUMNS, pair_table};
use crate::data::Classes;
use crate::report::context::Context;
use crate::report::emphasis::ALPHA;
use crate::report::error::ReportError;
use crate::report::families;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained, fewer_seeds};
use crate::report::looks::looks;
use crate::report::markdown::{Table, folded};
use crate::report::number::{NONE, count, p, shots_suffix};
use crate::report::pair_tests::PairTests;
use crate::report::part::Part;
use crate::report::plot::{Drawing, cd, paint};
use crate::report::quantity::Quantity;
use crate::stats::ranks::friedman_permutation_p;

const PERMUTATIONS: u64 = 1_000_000;

const METRICS: [(&str, Quantity); 3] = [
    ("H", Quantity::H),
    ("base", Quantity::Accuracy(Classes::Base)),
    ("new", Quantity::Accuracy(Classes::New)),
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
        for (name, quantity) in METRICS {
            let grid = &grid.meeting(|row| quantity.value(row));
            let Ok(tests) = PairTests::new(grid, quantity) else { continue };
            let reference = grid.arms[grid.reference()].label();
            if quantity == Quantity::H {
                part.body.push_str(&format!("\n**Every method against {reference}, H**\n\n"));
                part.body.push_str(&against(grid, &tests, quantity));
                let suffix = shots_suffix(grid.shots, grids.len() > 1);
                let file = format!("critical_difference{suffix}");
                let title = format!("Mean ranks by H over {}", count(tests.blocks.len(), "dataset"));
                let title = context.titled(&title);
                part.body.push_str(&format!("\n![{title}]({file}.png)\n\n{}\n\n", caption(&tests, grid)));
                part.pictures.push(paint(&file, &diagram(&tests, &title, grid))?);
                let table = pair_table(grid, &tests, tests.all_pairs(), quantity);
                part.body.push_str(&folded("All pairs of methods, H (the family of the diagram)", &table));
            } else {
                let summary = format!("Every method against {reference}, {name} classes");
                part.body.push_str(&folded(&summary, &against(grid, &tests, quantity)));
            }
        }
        part.body.push_str(&image_tests::render(context, grid));
        part.body.push_str(&format!("\n{}", fewer_seeds(grid)));
    }
    if grids.is_empty() {
        part.body.push_str("No cell trained on base classes has a result.\n");
    } else {
        part.body.push_str(&format!(
            "_Friedman: chi-square corrected for ties, Iman and Davenport's F (a dash where every dataset agrees and F \
             has no value), and p over 1 000 000 seeded relabellings within datasets. {COLUMNS} p (Holm): corrected \
             over the lines of its table; H, base and new are three questions and three families. {}_\n",
            explained(Anchor::OverDatasets)
        ));
    }
    Ok(part)
}

/// Every method against the reference: one question, one family.
fn against(grid: &Grid<'_>, tests: &PairTests, quantity: Quantity) -> String {
    let turned = grid.against_reference().map(|(arm, reference)| (reference, arm));
    let Ok(pairs) = tests.family(turned) else { return String::new() };
    pair_table(grid, tests, &pairs, quantity)
}

fn friedman_table(grid: &Grid<'_>) -> String {
    let mut table = Table::new(["quantity", "n datasets", "χ²", "p (χ²)", "F", "p (F)", "p (permutation)"]);
    let mut notes = String::new();
    for (name, quantity) in METRICS {
        let tested = PairTests::new(&grid.meeting(|row| quantity.value(row)), quantity)
            .and_then(|t| Ok((friedman_permutation_p(&t.blocks, PERMUTATIONS, 1)?, t.friedman)));
        let finite = |f: f64, text: String| if f.is_finite() { text } else { NONE.to_owned() };
        match tested {
            Ok((permutation, test)) => table.row([
                name.to_owned(),
                test.blocks.to_string(),
                format!("{:.2}", test.chi_square),
                p(test.chi_square_p),
                finite(test.f, format!("{:.2}", test.f)),
                finite(test.f, p(test.f_p)),
                p(permutation),
            ]),
            Err(reason) => notes.push_str(&format!("No test over datasets for {name}: {reason}.\n\n")),
        }
    }
    if table.is_empty() { notes } else { format!("**Friedman**\n\n{}\n{notes}", table.markdown()) }
}

/// What the bars say and what they do not.
fn caption(tests: &PairTests, grid: &Grid<'_>) -> String {
    let (n, pairs) = (tests.blocks.len(), tests.all_pairs().len());
    let smallest = (tests.smallest_p() * pairs as f64).min(1.0);
    let nothing = if smallest > ALPHA { ", so that one bar joins all of them whatever they do" } else { "" };
    format!(
        "_Bars join neighbours in mean rank no pair of which differs by Wilcoxon's signed ranks at 5 % after Holm over \
         all {pairs} pairs; with {} the smallest such p is {}{nothing}. A bar is not a proof that methods are equal, and \
         two methods without a common bar need not differ: the tables say which pairs do.{}_",
        count(n, "dataset"),
        p(smallest),
        families::legend(&grid.arms),
    )
}

fn diagram(tests: &PairTests, title: &str, grid: &Grid<'_>) -> Drawing {
    let (order, bars) = tests.ranking();
    let looks = looks(&grid.arms);
    let methods: Vec<_> =
        order.iter().map(|arm| (looks[*arm].clone(), tests.friedman.mean_ranks[*arm])).collect();
    cd::draw(title, &methods, &bars)
}
