//! The accuracies of every seed, one picture per group of classes.

use crate::data::Classes;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::grid::Grid;
use crate::report::looks::looks;
use crate::report::names::dataset_name;
use crate::report::number::{comma_shots, shots_suffix};
use crate::report::part::Part;
use crate::report::plot::{boxes, paint};

/// The section, with a picture per number of shots, classes trained on and classes tested.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Accuracies by seed".to_owned(), ..Part::default() };
    for trained in [Classes::Base, Classes::All] {
        let grids = Grid::all(context, trained);
        for grid in &grids {
            for classes in [Classes::Base, Classes::New, Classes::All] {
                let figure = figure(context, grid, classes);
                if figure.groups.iter().all(|(_, methods)| methods.iter().all(Vec::is_empty)) {
                    continue;
                }
                let shots = shots_suffix(grid.shots, grids.len() > 1);
                // Trained and tested on all classes is plain; trained on all and tested on a half is not.
                let halved = trained == Classes::All && classes != Classes::All;
                let from = if halved { "_trained_on_all" } else { "" };
                let name = format!("by_seed_{classes}{from}{shots}");
                part.body.push_str(&format!("![{}]({name}.png)\n\n", figure.title));
                part.pictures.push(paint(&name, &boxes::draw(&figure))?);
            }
        }
    }
    let note = "_One point per seed. Below five seeds a bar marks the mean; from five on a box shows the \
        quartiles \
                (type 7), the median, and Tukey's whiskers, which end on a seed. A single point without \
                seeds is zero-shot. ×: no result. \
                Each row has its own scale._";
    part.body.push_str(if part.pictures.is_empty() { "No result to draw.\n" } else { note });
    Ok(part)
}

fn figure(context: &Context<'_>, grid: &Grid<'_>, classes: Classes) -> boxes::BoxFigure {
    let shots = comma_shots(grid.shots);
    let values = |d: usize, a: usize| grid.cell(d, a).map_or_else(Vec::new, |c| c.accuracy(classes).values());
    let group = |(d, id): (usize, &String)| {
        (dataset_name(id).to_owned(), (0..grid.arms.len()).map(|a| values(d, a)).collect())
    };
    boxes::BoxFigure {
        title: context.titled(&format!("Accuracy among {classes} classes{shots}")),
        y_title: "accuracy (%)".to_owned(),
        looks: looks(&grid.arms),
        groups: grid.datasets.iter().enumerate().map(group).collect(),
    }
}
