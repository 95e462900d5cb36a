//! Base against new accuracy: what is paid among new classes for what is gained among base classes.

use std::collections::BTreeSet;

use crate::data::Classes;
use crate::frame::{Accuracy, SummaryRow};
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::grid::Grid;
use crate::report::looks::looks;
use crate::report::number::{comma_shots, count, shots_suffix};
use crate::report::part::Part;
use crate::report::plot::scatter::{ScatterMethod, draw};
use crate::report::plot::{paint, style::Look};
use crate::stats::describe::{mean, sample_std};

/// The section, with a picture per number of shots.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Base against new".to_owned(), ..Part::default() };
    let grids = Grid::all(context, Classes::Base);
    for grid in &grids {
        let shots = shots_suffix(grid.shots, grids.len() > 1);
        let name = format!("base_vs_new{shots}");
        let words = comma_shots(grid.shots);
        let title = context.titled(&format!("Base against new accuracy{words}"));
        let shared = grid.shared(SummaryRow::h_pct);
        if shared.is_empty() {
            continue;
        }
        let methods: Vec<ScatterMethod> = looks(&grid.arms)
            .into_iter()
            .enumerate()
            .map(|(a, look)| method(grid, a, look, &shared))
            .collect();
        part.body.push_str(&format!("![{title}]({name}.png)\n\n"));
        part.body.push_str(&format!(
            "_Left: one point per dataset (mean over seeds). Right: the mean over the {} that every method has, on a \
             scale of its own; its bars are sample standard deviations over seeds of that mean. Dashed: equal H._\n\n",
            count(shared.len(), "dataset")
        ));
        part.pictures.push(paint(&name, &draw(&title, &methods))?);
    }
    if part.pictures.is_empty() {
        part.body.push_str("No dataset has both halves for every method.\n");
    }
    Ok(part)
}

fn method(grid: &Grid<'_>, arm: usize, look: Look, shared: &[usize]) -> ScatterMethod {
    let pair = |d: usize| grid.cell(d, arm).and_then(|c| Some((c.base.mean()?, c.new.mean()?)));
    let of = |half: fn(&SummaryRow) -> &Accuracy| {
        let cells: Vec<&Accuracy> = shared.iter().filter_map(|d| grid.cell(*d, arm)).map(half).collect();
        let averages = averages_by_seed(&cells);
        (mean(&cells.iter().filter_map(|c| c.mean()).collect::<Vec<_>>()), sample_std(&averages))
    };
    let ((base, base_std), (new, new_std)) = (of(|r| &r.base), of(|r| &r.new));
    ScatterMethod {
        look,
        datasets: (0..grid.datasets.len()).filter_map(pair).collect(),
        average: base.zip(new),
        spread: base_std.zip(new_std),
    }
}

/// The mean over datasets at every seed that all of them have.
fn averages_by_seed(cells: &[&Accuracy]) -> Vec<f64> {
    let seeds: BTreeSet<u64> = cells.iter().flat_map(|c| c.by_seed.iter().filter_map(|s| s.0)).collect();
    let at = |seed: u64| {
        let value = |c: &&Accuracy| c.by_seed.iter().find(|s| s.0 == Some(seed)).map(|s| s.1);
        cells.iter().map(value).collect::<Option<Vec<f64>>>().and_then(|values| mean(&values))
    };
    seeds.into_iter().filter_map(at).collect()
}
