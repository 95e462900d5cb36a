//! Accuracy class by class: mean per class, worst classes, macro F1, and what every class gains against zero-shot.

use super::class_gains::{gains, worst};
use super::measure_tables::{averages, cells, halves, shared, titled, untrained};
use super::views::{ShownGrid, over_shots, views, which_shots};
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained};
use crate::report::markdown::folded;
use crate::report::number::{comma_shots, count};
use crate::report::part::Part;
use crate::report::valued::Shown;
use crate::stats::measures::NamedMeasure;

const MEASURES: [NamedMeasure; 4] =
    [NamedMeasure::MeanPerClass, NamedMeasure::WorstTenth, NamedMeasure::WorstClass, NamedMeasure::MacroF1];

/// The section, for the highest number of shots; the worst classes at every number where they are several.
pub fn render(context: &Context<'_>) -> Part {
    let mut part = Part { heading: "Classes".to_owned(), ..Part::default() };
    for view in views(context) {
        if !view.words.is_empty() {
            part.body.push_str(&format!("### {}\n\n", context.titled(&view.words)));
        }
        block(context, &view, &mut part);
    }
    if part.body.is_empty() {
        part.body.push_str("No cell has a result.\n");
    }
    part
}

fn block(context: &Context<'_>, view: &ShownGrid<'_>, part: &mut Part) {
    let grid = &view.grid;
    let halves = halves(grid);
    let columns = |half| MEASURES.map(|measure| (measure, Shown::Half(half)));
    let every: Vec<(NamedMeasure, Shown)> = halves.iter().flat_map(|half| columns(*half)).collect();
    let datasets = shared(context, grid, &every);
    if datasets.is_empty() {
        part.body.push_str("No dataset has predictions of every method.\n");
        return;
    }
    let over = count(datasets.len(), "dataset");
    part.body.push_str(&format!(
        "_Means over {over} and over seeds{}{}. {}_\n\n",
        comma_shots(grid.shots),
        which_shots(&Grid::tested(context)),
        caption()
    ));
    for half in &halves {
        let table = averages(context, grid, &datasets, &columns(*half), untrained(grid));
        part.body.push_str(&format!("**{}**\n\n{table}\n", context.titled(titled(*half))));
    }
    if view.suffix.is_empty() {
        let worst = |half| over_shots(context, NamedMeasure::WorstTenth, half);
        halves.iter().for_each(|half| part.body.push_str(&worst(*half)));
    }
    if let Some(reference) = untrained(grid) {
        let name = grid.arms[reference].label();
        let body = gains(context, grid, &halves, reference);
        part.body
            .push_str(&folded(&format!("Classes won and lost against {name}, dataset by dataset"), &body));
        part.body.push('\n');
    }
    part.body.push_str(&folded("The three worst classes of every cell", &worst(context, grid, &halves)));
    part.body.push('\n');
    let every = cells(context, grid, &halves, &[&[NamedMeasure::Accuracy], &MEASURES[..]].concat());
    part.body.push_str(&folded("Measures by class, cell by cell", &every));
    part.body.push('\n');
}

fn caption() -> String {
    format!(
        "In percent, in brackets 95 % over seeds and images; no interval from a single seed. Worst 10 %: mean accuracy \
         of the worst tenth of the classes, rounded up, seed by seed; the worst class of a small test set is worse than \
         that of a large one. Elsewhere on this page accuracy is correct / total, as papers of prompt learning have it \
         on all datasets; CLIP's paper has the mean per class for Caltech101, OxfordPets, Flowers102 and FGVCAircraft. \
         Nothing is bold: no order is tested here. {}",
        explained(Anchor::Measures)
    )
}
