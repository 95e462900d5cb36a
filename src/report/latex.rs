//! `base2new.tex`: the table as LaTeX, for `\usepackage{booktabs}`.
//!
//! Bold is the highest mean. The second is underlined only where its distance to the first survives a
//! paired t test over seeds after Holm's correction over the whole table, which few seeds rarely allow.

use super::context::Context;
use super::grid::Grid;
use super::names::dataset_name;
use super::number::count;
use super::pairing::pairs;
use crate::frame::{Accuracy, SummaryRow};
use crate::stats::describe::mean;
use crate::stats::harmonic::{average_of_h, h_of_averages};
use crate::stats::holm::holm;
use crate::stats::t_tests::MeanDifference;

const HALVES: [fn(&SummaryRow) -> &Accuracy; 3] = [|r| &r.base, |r| &r.new, |r| &r.h];

/// The whole table.
pub fn base_to_new(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let arms = grid.arms.len();
    let mut out = String::from("% Needs \\usepackage{booktabs}.\n\\begin{table*}\n\\centering\n\\small\n");
    let caption = caption(context, grid);
    out.push_str(&format!(
        "\\caption{{{caption}}}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n",
        "rrr".repeat(arms)
    ));
    let names = grid.arms.iter().map(|arm| format!("& \\multicolumn{{3}}{{c}}{{{}}} ", escape(&arm.label())));
    out.push_str(&format!("{}\\\\\n", names.collect::<String>()));
    let rules = (0..arms).map(|a| format!("\\cmidrule(lr){{{}-{}}}", 3 * a + 2, 3 * a + 4));
    out.push_str(&format!("{}\n", rules.collect::<String>()));
    out.push_str(&format!("Dataset {}\\\\\n\\midrule\n", "& Base & New & H ".repeat(arms)));
    let underlined = underlined(grid);
    for (d, dataset) in grid.datasets.iter().enumerate() {
        let cells = (0..arms * 3).map(|column| cell(context, grid, d, column, &underlined));
        out.push_str(&format!("{} {}\\\\\n", escape(dataset_name(dataset)), cells.collect::<String>()));
    }
    out.push_str(&format!("\\midrule\n{}\\bottomrule\n\\end{{tabular}}\n\\end{{table*}}\n", averages(grid)));
    out
}

fn caption(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let shots = grid.shots.map_or_else(String::new, |k| format!(" ({})", count(k as usize, "shot")));
    let text = format!("Base-to-new accuracy in percent{shots}, mean over {}", count(grid.seeds().1, "seed"));
    let rule = "Bold: highest mean; underlined: second, where its distance to the first survives a paired t \
        test over \
                seeds with Holm's correction.";
    format!("{}. {rule}", escape(&context.titled(&text)))
}

fn printed(grid: &Grid<'_>, dataset: usize, arm: usize, half: usize) -> Option<f64> {
    let row = grid.cell(dataset, arm)?;
    if half == 2 { row.h_pct() } else { HALVES[half](row).mean() }
}

/// Arms with a value in one half of a line, best first.
fn ranking(grid: &Grid<'_>, dataset: usize, half: usize) -> Vec<usize> {
    let value = |arm: &usize| printed(grid, dataset, *arm, half);
    let mut arms: Vec<usize> = (0..grid.arms.len()).filter(|a| value(a).is_some()).collect();
    arms.sort_by(|a, b| value(b).unwrap_or(0.0).total_cmp(&value(a).unwrap_or(0.0)));
    arms
}

/// (dataset, half) whose first and second differ after Holm's correction over all lines and halves.
fn underlined(grid: &Grid<'_>) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut p_values = Vec::new();
    for dataset in 0..grid.datasets.len() {
        for (half, accuracy) in HALVES.iter().enumerate() {
            if let [first, second, ..] = ranking(grid, dataset, half)[..] {
                let pair = grid.cell(dataset, first).zip(grid.cell(dataset, second));
                let p = pair.and_then(|(a, b)| paired_p(accuracy(a), accuracy(b)));
                places.push((dataset, half));
                p_values.push(p.unwrap_or(1.0));
            }
        }
    }
    let adjusted = holm(&p_values).unwrap_or_default();
    places.into_iter().zip(adjusted).filter(|(_, p)| *p < 0.05).map(|(place, _)| place).collect()
}

/// Paired t over common seeds; a method without seeds is a constant.
fn paired_p(first: &Accuracy, second: &Accuracy) -> Option<f64> {
    let differences: Vec<f64> = pairs(first, second).into_iter().map(|(a, b)| a - b).collect();
    Some(MeanDifference::paired(&differences).ok()?.p())
}

fn cell(
    context: &Context<'_>,
    grid: &Grid<'_>,
    dataset: usize,
    column: usize,
    underlined: &[(usize, usize)],
) -> String {
    let (arm, half) = (column / 3, column % 3);
    let Some(value) = printed(grid, dataset, arm, half) else {
        let hole = super::section::hole(context, grid, dataset, arm);
        return format!("& {} ", if hole == "failed" { "failed" } else { "--" });
    };
    let order = ranking(grid, dataset, half);
    let best = order.first().and_then(|first| printed(grid, dataset, *first, half));
    // As in the Markdown tables, what prints alike is bold alike.
    let rounded = |v: f64| (v * 100.0).round();
    if order.len() > 1 && best.is_some_and(|best| rounded(best) == rounded(value)) {
        format!("& \\textbf{{{value:.2}}} ")
    } else if order.get(1) == Some(&arm) && underlined.contains(&(dataset, half)) {
        format!("& \\underline{{{value:.2}}} ")
    } else {
        format!("& {value:.2} ")
    }
}

/// The two last lines: base, new and H of averages; then the average of H alone. Highest in bold.
fn averages(grid: &Grid<'_>) -> String {
    let shared = grid.shared(SummaryRow::h_pct);
    let numbers = |arm: usize| {
        let pair = |d: &usize| grid.cell(*d, arm).and_then(|c| Some((c.base.mean()?, c.new.mean()?)));
        let pairs: Vec<(f64, f64)> = shared.iter().filter_map(pair).collect();
        let (base, new): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        [mean(&base), mean(&new), h_of_averages(&pairs), average_of_h(&pairs)]
    };
    let columns: Vec<[Option<f64>; 4]> = (0..grid.arms.len()).map(numbers).collect();
    let best = |j: usize| columns.iter().filter_map(|c| c[j]).fold(f64::NEG_INFINITY, f64::max);
    let text = |c: &[Option<f64>; 4], j: usize| match c[j] {
        Some(value) if value >= best(j) => format!("\\textbf{{{value:.2}}}"),
        Some(value) => format!("{value:.2}"),
        None => "--".to_owned(),
    };
    let first: String =
        columns.iter().map(|c| format!("& {} & {} & {} ", text(c, 0), text(c, 1), text(c, 2))).collect();
    let second: String = columns.iter().map(|c| format!("& & & {} ", text(c, 3))).collect();
    let n = shared.len();
    format!("Average ($n={n}$), H of averages {first}\\\\\nAverage of H ($n={n}$) {second}\\\\\n")
}

fn escape(text: &str) -> String {
    text.replace('_', "\\_").replace('%', "\\%").replace('&', "\\&")
}
