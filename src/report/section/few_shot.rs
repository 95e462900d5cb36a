//! Accuracy over the number of training images per class, a panel per dataset.

use std::collections::BTreeSet;

use super::matrix::hole;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::families::{groups, pictures};
use crate::report::grid::Grid;
use crate::report::looks::looks;
use crate::report::markdown::{Table, folded};
use crate::report::names::{dataset_name, dataset_order};
use crate::report::number::{NONE, count, two, with_spread};
use crate::report::part::Part;
use crate::report::plot::curves::{CurveFigure, CurvePoint, draw};
use crate::report::plot::paint;
use crate::stats::describe::mean;

/// The section: a table per evaluated group of classes, and a picture, or several where the methods are many.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Accuracy over shots".to_owned(), ..Part::default() };
    for (trained, evaluated) in
        [(Classes::Base, Classes::Base), (Classes::Base, Classes::New), (Classes::All, Classes::All)]
    {
        let grids = Grid::all(context, trained);
        let arms = arms(&grids);
        let groups = pictures(&arms);
        let figures: Vec<_> = groups
            .iter()
            .map(|group| {
                let arms: Vec<Arm> = group.arms.iter().map(|arm| arms[*arm].clone()).collect();
                (group.name, figure(context, &grids, &arms, evaluated, groups.len() > 1))
            })
            .filter(|(_, figure)| !is_empty(figure))
            .collect();
        if figures.is_empty() {
            continue;
        }
        part.body.push_str(&tables(context, &grids, &arms, evaluated));
        for (number, (family, figure)) in figures.iter().enumerate() {
            let suffix = if figures.len() > 1 { format!("_{}", number + 1) } else { String::new() };
            let name = format!("few_shot_{evaluated}{suffix}");
            let title = if family.is_empty() { String::new() } else { format!(": {family}") };
            let figure = CurveFigure { title: format!("{}{title}", figure.title), ..figure.clone() };
            part.body.push_str(&format!("![{}]({name}.png)\n\n", figure.title));
            part.pictures.push(paint(&name, &draw(&figure))?);
        }
        part.body.push_str(&caption(&grids));
    }
    if part.pictures.is_empty() {
        part.body.push_str("No result to draw.\n");
    }
    Ok(part)
}

fn is_empty(figure: &CurveFigure) -> bool {
    figure.panels.iter().all(|(_, curves)| curves.iter().all(Vec::is_empty))
}

fn caption(grids: &[Grid<'_>]) -> String {
    let (low, high) =
        grids.iter().map(Grid::seeds).fold((usize::MAX, 0), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let n = if low == high { count(high, "seed") } else { format!("{low} to {high} seeds") };
    let bands = if high > 1 { "; bands: ± sample standard deviation" } else { "" };
    format!(
        "_Mean over {n}{bands}. Zero-shot does not depend on the shots and is drawn as a level line. Each panel \
         has its own scale of accuracy._\n\n"
    )
}

/// Every arm of some grid, in page order.
fn arms(grids: &[Grid<'_>]) -> Vec<Arm> {
    let arms: BTreeSet<&Arm> = grids.iter().flat_map(|grid| &grid.arms).collect();
    arms.into_iter().cloned().collect()
}

/// The mean over datasets, and folded away each dataset's own.
fn tables(context: &Context<'_>, grids: &[Grid<'_>], arms: &[Arm], evaluated: Classes) -> String {
    let value = |row: &SummaryRow| row.accuracy(evaluated).mean();
    let shared: Vec<Vec<usize>> = grids.iter().map(|grid| grid.shared(value)).collect();
    let average = |place: usize, arm: &Arm| {
        let grid = &grids[place];
        let a = grid.arms.iter().position(|other| other == arm)?;
        let values = shared[place].iter().filter_map(|d| value(grid.cell(*d, a)?));
        mean(&values.collect::<Vec<_>>()).map(|mean| two(Some(mean)))
    };
    let sizes: BTreeSet<usize> = shared.iter().map(Vec::len).collect();
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let title = context.titled(&format!("Accuracy among {evaluated} classes, mean over datasets"));
    let mut out = format!(
        "**{title}**\n\n{}\n_Percent, over the datasets on which every method has a value (n = {}); columns are training \
         images per class._\n\n",
        table(grids, arms, average),
        sizes.join(" to "),
    );
    let mut each = String::new();
    for id in datasets(grids) {
        let own = |place: usize, arm: &Arm| {
            let grid: &Grid<'_> = &grids[place];
            let d = grid.datasets.iter().position(|other| other == id)?;
            let a = grid.arms.iter().position(|other| other == arm)?;
            let Some(accuracy) = grid.cell(d, a).map(|row| row.accuracy(evaluated)) else {
                return Some(hole(context, grid, d, a));
            };
            Some(with_spread(accuracy.mean(), accuracy.std()))
        };
        each.push_str(&format!("**{}**\n\n{}\n", dataset_name(id), table(grids, arms, own)));
    }
    out.push_str(&folded("Each dataset", &each));
    out.push('\n');
    out
}

/// Arms as lines, family by family where they are many; shots as columns.
fn table(grids: &[Grid<'_>], arms: &[Arm], text: impl Fn(usize, &Arm) -> Option<String>) -> String {
    let shots = grids.iter().map(|grid| grid.shots.map_or_else(|| NONE.to_owned(), |k| k.to_string()));
    let mut table = Table::new(std::iter::once("method".to_owned()).chain(shots));
    for group in groups(arms) {
        if !group.name.is_empty() {
            table.row([format!("_{}_", group.name)]);
        }
        for arm in group.arms.into_iter().map(|arm| &arms[arm]) {
            let cells = (0..grids.len()).map(|place| text(place, arm).unwrap_or_else(|| NONE.to_owned()));
            table.row(std::iter::once(arm.label()).chain(cells));
        }
    }
    table.markdown()
}

fn datasets<'g>(grids: &'g [Grid<'_>]) -> Vec<&'g String> {
    let datasets: BTreeSet<&String> = grids.iter().flat_map(|grid| &grid.datasets).collect();
    let mut datasets: Vec<&String> = datasets.into_iter().collect();
    datasets.sort_by_key(|id| dataset_order(id));
    datasets
}

fn figure(
    context: &Context<'_>,
    grids: &[Grid<'_>],
    arms: &[Arm],
    evaluated: Classes,
    direct_labels: bool,
) -> CurveFigure {
    let panel = |id: &&String| {
        let curves =
            arms.iter().map(|arm| grids.iter().filter_map(|g| point(g, id, arm, evaluated)).collect());
        (dataset_name(id).to_owned(), curves.collect::<Vec<Vec<CurvePoint>>>())
    };
    CurveFigure {
        title: context.titled(&format!("Accuracy among {evaluated} classes over shots")),
        x_title: "training images per class".to_owned(),
        y_title: "accuracy (%)".to_owned(),
        log2_x: true,
        log10_y: false,
        y_bounds: (0.0, 100.0),
        looks: looks(arms),
        direct_labels,
        panels: datasets(grids).iter().map(panel).collect(),
    }
}

fn point(grid: &Grid<'_>, dataset: &str, arm: &Arm, evaluated: Classes) -> Option<CurvePoint> {
    let d = grid.datasets.iter().position(|id| id == dataset)?;
    let a = grid.arms.iter().position(|other| other == arm)?;
    let accuracy = grid.cell(d, a)?.accuracy(evaluated);
    Some((f64::from(grid.shots?), accuracy.mean()?, accuracy.std()))
}
