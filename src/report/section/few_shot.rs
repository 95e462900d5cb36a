//! Accuracy over the number of training images per class, a panel per dataset.

use std::collections::BTreeSet;

use crate::data::Classes;
use crate::report::arm::{Arm, looks};
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::grid::Grid;
use crate::report::names::{dataset_name, dataset_order};
use crate::report::number::count;
use crate::report::page::Part;
use crate::report::plot::curves::{CurveFigure, CurvePoint, draw};
use crate::report::plot::paint;

/// The section, with a picture per evaluated group of classes.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Accuracy over shots".to_owned(), ..Part::default() };
    for (trained, evaluated) in
        [(Classes::Base, Classes::Base), (Classes::Base, Classes::New), (Classes::All, Classes::All)]
    {
        let grids = Grid::all(context, trained);
        let figure = figure(context, &grids, evaluated);
        if figure.panels.iter().all(|(_, curves)| curves.iter().all(Vec::is_empty)) {
            continue;
        }
        let name = format!("few_shot_{evaluated}");
        part.body.push_str(&format!("![{}]({name}.png)\n\n", figure.title));
        part.pictures.push(paint(&name, &draw(&figure))?);
        let (low, high) =
            grids.iter().map(Grid::seeds).fold((usize::MAX, 0), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let n = if low == high { count(high, "seed") } else { format!("{low} to {high} seeds") };
        let bands = if high > 1 { "; bands: ± sample standard deviation" } else { "" };
        part.body.push_str(&format!(
            "_Mean over {n}{bands}. Zero-shot does not depend on the shots and is drawn as a level line. Each panel \
             has its own scale of accuracy._\n\n"
        ));
    }
    if part.pictures.is_empty() {
        part.body.push_str("No result to draw.\n");
    }
    Ok(part)
}

fn figure(context: &Context<'_>, grids: &[Grid<'_>], evaluated: Classes) -> CurveFigure {
    let arms: BTreeSet<&Arm> = grids.iter().flat_map(|g| &g.arms).collect();
    let arms: Vec<Arm> = arms.into_iter().cloned().collect();
    let datasets: BTreeSet<&String> = grids.iter().flat_map(|g| &g.datasets).collect();
    let mut datasets: Vec<&String> = datasets.into_iter().collect();
    datasets.sort_by_key(|id| dataset_order(id));
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
        looks: looks(&arms),
        panels: datasets.iter().map(panel).collect(),
    }
}

fn point(grid: &Grid<'_>, dataset: &str, arm: &Arm, evaluated: Classes) -> Option<CurvePoint> {
    let d = grid.datasets.iter().position(|id| id == dataset)?;
    let a = grid.arms.iter().position(|other| other == arm)?;
    let accuracy = grid.cell(d, a)?.accuracy(evaluated);
    Some((f64::from(grid.shots?), accuracy.mean()?, accuracy.std()))
}
