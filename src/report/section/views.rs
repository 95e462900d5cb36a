//! What the sections on calibration and classes show in full: the highest number of shots on the datasets trained on, and
//! where trainings were tested on other datasets, those as well. Lower numbers of shots have a table of one measure.

use std::collections::BTreeSet;

use super::measure_tables::{shared, with_interval};
use crate::data::Classes;
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::markdown::Table;
use crate::report::names::dataset_name;
use crate::report::number::NONE;
use crate::report::valued::{Shown, averaged};
use crate::stats::measures::NamedMeasure;

/// A grid that is shown in full.
pub struct ShownGrid<'a> {
    /// Its cells.
    pub grid: Grid<'a>,
    /// What it is, where there are several; else empty.
    pub words: String,
    /// What the names of its pictures end in.
    pub suffix: String,
}

/// The grids of a page, in order.
pub fn views<'a>(context: &'a Context<'_>) -> Vec<ShownGrid<'a>> {
    let own = Grid::tested(context).pop();
    let shifted = Grid::shifted(context);
    let alone = shifted.is_empty();
    let several = shifted.len() > 1;
    let own = own.map(|grid| {
        let words = if alone { String::new() } else { "Tested on the dataset trained on".to_owned() };
        ShownGrid { grid, words, suffix: String::new() }
    });
    let shifted = shifted.into_iter().map(|(source, grid)| ShownGrid {
        grid,
        words: format!("Trained on {}, tested on other datasets", dataset_name(&source)),
        suffix: if several { format!("_from_{source}") } else { "_shifted".to_owned() },
    });
    own.into_iter().chain(shifted).collect()
}

/// Behind the number of shots that is shown: that there are others, where there are.
pub fn which_shots(grids: &[Grid<'_>]) -> String {
    let shots: Vec<String> = grids.iter().filter_map(|grid| grid.shots).map(|k| k.to_string()).collect();
    match shots.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!(", the most of {} and {last}", others.join(", "))
        }
        _ => String::new(),
    }
}

/// One measure at every number of shots; empty with a single one.
pub fn over_shots(context: &Context<'_>, measure: NamedMeasure, half: Classes) -> String {
    let grids = Grid::tested(context);
    if grids.len() < 2 {
        return String::new();
    }
    let column = (measure, Shown::Half(half));
    let datasets: Vec<Vec<usize>> = grids.iter().map(|grid| shared(context, grid, &[column])).collect();
    let arms: BTreeSet<&Arm> = grids.iter().flat_map(|grid| &grid.arms).collect();
    let shots = grids.iter().map(|grid| grid.shots.map_or_else(|| NONE.to_owned(), |k| k.to_string()));
    let mut table = Table::new(std::iter::once("method".to_owned()).chain(shots));
    for arm in arms {
        let cells = grids.iter().zip(&datasets).map(|(grid, datasets)| {
            let of = grid.arms.iter().position(|other| other == arm);
            let of = of.and_then(|a| averaged(context, grid, datasets, (a, None), column));
            with_interval(measure, of.map(|of| of.value), of.and_then(|of| of.estimate))
        });
        table.row(std::iter::once(arm.label()).chain(cells));
    }
    let sizes: BTreeSet<usize> = datasets.iter().map(Vec::len).collect();
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let title = context.titled(&format!("{} over shots, {half} classes", measure.name()));
    format!(
        "**{title}**\n\n{}\n_Means over datasets (n = {}) and seeds; columns are training images per class; in brackets \
         95 %._\n\n",
        table.markdown(),
        sizes.join(" to ")
    )
}
