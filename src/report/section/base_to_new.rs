//! Base, new and H: averages first, then one table per quantity, then the two kinds of error apart.

use super::matrix::{Matrix, TRAINED_ONLY, matrix};
use crate::data::Classes;
use crate::frame::Accuracy;
use crate::report::context::Context;
use crate::report::emphasis::markdown;
use crate::report::families::groups;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained, fewer_seeds, spread_over};
use crate::report::headline::{Headline, QUANTITIES};
use crate::report::latex;
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::number::{NONE, comma_shots, count, interval, interval_of_share, two};
use crate::report::part::Part;
use crate::stats::describe::{Interval, t_interval};
use crate::stats::proportions::wilson_at;

/// The section, with a block per number of shots and `base2new.tex` for the highest.
pub fn render(context: &Context<'_>) -> Part {
    let grids = Grid::all(context, Classes::Base);
    let mut part = Part { heading: "Base to new".to_owned(), ..Part::default() };
    for (i, grid) in grids.iter().enumerate() {
        if grids.len() > 1 {
            part.body.push_str(&format!("### {}\n\n", context.titled(&shots_title(grid))));
        }
        let headline = Headline::new(context, grid);
        part.body.push_str(&block(context, grid, &headline));
        if i + 1 == grids.len() {
            part.files.push(("base2new.tex".to_owned(), latex::base_to_new(context, grid, &headline)));
        }
    }
    if grids.is_empty() {
        part.body.push_str("No cell trained on base classes has a result.\n");
    }
    part
}

fn shots_title(grid: &Grid<'_>) -> String {
    grid.shots.map_or_else(|| "zero-shot only".to_owned(), |k| count(k as usize, "shot"))
}

fn block(context: &Context<'_>, grid: &Grid<'_>, headline: &Headline) -> String {
    let caption = caption(grid);
    let mut out = format!("{}\n{caption}\n\n", averages(grid, headline));
    let tables =
        [("H", 2, 3, "average of H"), ("Base classes", 0, 0, "average"), ("New classes", 1, 1, "average")];
    for (name, quantity, column, average_name) in tables {
        let shown = Matrix {
            quantity: QUANTITIES[quantity],
            average_name,
            marks: &headline.line_marks[quantity],
            average_mark: headline.average_marks[column].as_ref(),
        };
        let table = matrix(context, grid, &shown);
        out.push_str(&format!("**{}**\n\n{table}\n", context.titled(name)));
    }
    out.push_str(&format!("{}{}\n\n{}", marks(headline), untested(context, grid), fewer_seeds(grid)));
    out.push_str(&folded("Seed error and sampling error, cell by cell", &detail(grid)));
    out.push('\n');
    out
}

/// What the numbers are: n and kind of spread.
fn caption(grid: &Grid<'_>) -> String {
    let shots = comma_shots(grid.shots);
    format!(
        "_Accuracy in percent{shots}; {}; zero-shot draws nothing and has no spread. H is the harmonic mean of the \
         mean base and the mean new accuracy; its ± is the deviation of the seeds' H._",
        spread_over(grid.seeds()),
    )
}

fn marks(headline: &Headline) -> String {
    let (apart, lines) = headline.set_apart();
    let n = headline.shared;
    format!(
        "_**Bold**: better than every other method by a test at 5 %, in {apart} of these {lines} lines of datasets \
         (seeds and images both drawn at random, Holm's correction over the lines of a table; at least two seeds in \
         common), for averages by Wilcoxon's signed ranks over the {} (six at least). <u>Underlined</u>: second in a line that has a \
         bold one; that place is not tested. A line without either may be in any order. “—”: no record; “failed”: \
         every run of the cell failed. Averages run over the datasets on which every method has a value. {}_",
        count(n, "dataset"),
        explained(Anchor::BaseToNew),
    )
}

/// Says on which datasets lines could not be tested, where predictions are missing or damaged.
fn untested(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let damaged = |d: &usize| {
        (0..grid.arms.len()).filter_map(|a| grid.cell(*d, a)).any(|cell| context.is_damaged(cell))
    };
    let names: Vec<&str> =
        (0..grid.datasets.len()).filter(damaged).map(|d| dataset_name(&grid.datasets[d])).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" **Not tested: predictions of {} are missing or damaged.**", names.join(", "))
}

/// One line per arm: both averages under their names.
fn averages(grid: &Grid<'_>, headline: &Headline) -> String {
    let header = ["method", "base", "new", "H of averages", "average of H", "trained parameters"];
    let mut table = Table::new(header);
    for group in groups(&grid.arms) {
        if !group.name.is_empty() {
            table.row([format!("_{}_", group.name)]);
        }
        for a in group.arms {
            let arm = &grid.arms[a];
            let cells = (0..4).map(|j| match headline.averages[a][j] {
                None if j > 0 && !arm.transfers() => TRAINED_ONLY.to_owned(),
                value => markdown(two(value), headline.average_marks[j].as_ref(), a),
            });
            table.row(std::iter::once(arm.label()).chain(cells).chain([parameters(grid, a)]));
        }
    }
    let over = count(headline.shared, "dataset");
    format!(
        "Averages over {over}; the two averages of H are different statistics, and papers mix them.\n\n{}",
        table.markdown()
    )
}

/// Number of trained scalars; a range where it depends on the dataset's classes.
fn parameters(grid: &Grid<'_>, arm: usize) -> String {
    // Nobody says how many another program trained.
    let cells = || (0..grid.datasets.len()).filter_map(|d| grid.cell(d, arm));
    let numbers =
        || cells().filter(|cell| !cell.place.is_imported()).map(|cell| cell.place.trainable_parameters);
    match (numbers().min(), numbers().max()) {
        (Some(low), Some(high)) if low < high => format!("{low} to {high}"),
        (Some(only), _) => only.to_string(),
        _ => NONE.to_owned(),
    }
}

/// Per cell: means, seed error (t interval), sampling error (Wilson interval).
fn detail(grid: &Grid<'_>) -> String {
    let header = [
        "dataset",
        "method",
        "classes",
        "n seeds",
        "mean",
        "seed error (95 % t)",
        "sampling error (95 % Wilson)",
        "images",
    ];
    let mut table = Table::new(header).left(3);
    for (d, dataset) in grid.datasets.iter().enumerate() {
        for (a, arm) in grid.arms.iter().enumerate() {
            let Some(cell) = grid.cell(d, a) else { continue };
            for classes in [Classes::Base, Classes::New] {
                let accuracy = cell.accuracy(classes);
                if accuracy.n() == 0 {
                    continue;
                }
                let seeds = accuracy.by_seed.iter().filter(|(seed, _)| seed.is_some()).count();
                table.row([
                    dataset_name(dataset).to_owned(),
                    arm.label(),
                    classes.to_string(),
                    seeds.to_string(),
                    two(accuracy.mean()),
                    interval_of_share(seed_error(accuracy)),
                    interval(sampling_error(accuracy)),
                    images(accuracy),
                ]);
            }
        }
    }
    let note = "The t interval says how far the mean over seeds may lie from that over all seeds, cut where it leaves 0 to \
        100; at 3 seeds it is the mean ± 2.48 standard deviations, and without spread there is none. The Wilson \
        interval says how far the accuracy on this test set may lie from that on other images of the kind; it is \
        taken at the mean accuracy, with the images counted once, because seeds share them.";
    format!("{}\n{}\n", table.markdown(), note)
}

/// Test images of a seed; none where percentages were reported without counts.
fn images(accuracy: &Accuracy) -> String {
    match accuracy.total / accuracy.n().max(1) as u64 {
        0 => NONE.to_owned(),
        images => images.to_string(),
    }
}

/// Student's interval of the mean over seeds, in percent; `None` without spread, which would be an interval of
/// no width.
fn seed_error(accuracy: &Accuracy) -> Option<Interval> {
    let values = accuracy.values();
    accuracy.std().filter(|spread| *spread > 0.0)?;
    t_interval(&values, 0.95)
}

/// Wilson's interval in percent at the mean accuracy. Seeds see the same images, so these count once.
fn sampling_error(accuracy: &Accuracy) -> Option<Interval> {
    if accuracy.total == 0 {
        return None;
    }
    let images = accuracy.total as f64 / accuracy.n().max(1) as f64;
    let interval = wilson_at(accuracy.correct as f64 / accuracy.total as f64, images, 0.95)?;
    Some(Interval { low: 100.0 * interval.low, high: 100.0 * interval.high })
}
