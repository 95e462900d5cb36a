//! Base and new classes in one label space: accuracy of each half among all classes, how well new images are told from
//! base ones, and the measure that asks for both.

use super::measure_tables::{number, with_interval};
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained};
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::number::{NONE, comma_shots, count};
use crate::report::one_space::{Joint, JointMeasure, term};
use crate::report::part::Part;
use crate::stats::grouped::{GroupedEstimate, Term};
use crate::stats::harmonic::{gradient, harmonic_mean};
use crate::stats::measures::NamedMeasure;

const HEADER: [&str; 5] =
    ["base among all", "new among all", "H", "AUROC (signed confidence)", "OpenworldAUC"];
const SINGLE: [JointMeasure; 4] =
    [JointMeasure::Base, JointMeasure::New, JointMeasure::Auroc, JointMeasure::OpenWorldAuc];

/// What was read of a cell: a joint test by seed.
type Seeds = Vec<(Option<u64>, Joint)>;

/// The section, for the highest number of shots.
pub fn render(context: &Context<'_>) -> Part {
    let mut part = Part { heading: "One label space".to_owned(), ..Part::default() };
    let grids = Grid::tested(context);
    let Some(grid) = grids.last() else {
        part.body.push_str("No cell has a result.\n");
        return part;
    };
    let cells: Vec<Vec<Option<Seeds>>> = (0..grid.datasets.len())
        .map(|d| (0..grid.arms.len()).map(|a| Joint::of_cell(context, grid.cell(d, a)?)).collect())
        .collect();
    let whole: Vec<usize> = (0..cells.len()).filter(|d| cells[*d].iter().all(Option::is_some)).collect();
    if whole.is_empty() {
        part.body.push_str(
            "No dataset was tested among base, new and all classes, with confidences, by every method.\n",
        );
        return part;
    }
    let over = count(whole.len(), "dataset");
    part.body.push_str(&format!(
        "_Means over {over} and over seeds{}. {}_\n\n",
        comma_shots(grid.shots),
        caption()
    ));
    let mut table = Table::new(std::iter::once("method").chain(HEADER));
    for (a, arm) in grid.arms.iter().enumerate() {
        let seeds: Vec<&Seeds> = whole.iter().filter_map(|d| cells[*d][a].as_ref()).collect();
        table.row(std::iter::once(arm.label()).chain(columns(&seeds)));
    }
    part.body.push_str(&format!("{}\n", table.markdown()));
    part.body.push_str(&folded("One label space, cell by cell", &by_cell(grid, &cells)));
    part.body.push('\n');
    part
}

fn caption() -> String {
    format!(
        "In percent, in brackets 95 % over seeds and images. Base, new among all: accuracy of the images of that half \
         where every class of both may be predicted; H is their harmonic mean. AUROC: the chance that a new image has a \
         higher score than a base one; the score is the signed confidence, the probability of the class predicted among \
         all, negative where it is a base class. OpenworldAUC (arXiv 2505.05180): the chance that of such a pair both \
         are named rightly within their own half and the new one's score is higher. Nothing is bold: no order is tested \
         here. {}",
        explained(Anchor::Measures)
    )
}

fn by_cell(grid: &Grid<'_>, cells: &[Vec<Option<Seeds>>]) -> String {
    let header = ["dataset", "method", "seeds", "base images", "new images"].into_iter().chain(HEADER);
    let mut table = Table::new(header).left(2);
    for (dataset, line) in grid.datasets.iter().zip(cells) {
        for (arm, cell) in grid.arms.iter().zip(line) {
            let Some(seeds) = cell else { continue };
            let drawn = seeds.iter().filter(|(seed, _)| seed.is_some()).count();
            let images = seeds.first().map_or([0, 0], |(_, joint)| joint.images);
            let start = [
                dataset_name(dataset).to_owned(),
                arm.label(),
                drawn.to_string(),
                images[0].to_string(),
                images[1].to_string(),
            ];
            table.row(start.into_iter().chain(columns(&[seeds])));
        }
    }
    table.markdown()
}

/// The five columns over datasets.
fn columns(datasets: &[&Seeds]) -> Vec<String> {
    let seeds = |of: &Seeds| of.iter().filter_map(|(seed, _)| *seed).collect::<Vec<u64>>();
    let Some(drawn) = datasets.first().map(|of| seeds(of)) else {
        return vec![NONE.to_owned(); HEADER.len()];
    };
    let same = datasets.iter().all(|of| seeds(of) == drawn);
    let text = |terms: Vec<Term>, value: f64| {
        let estimate = GroupedEstimate::of(&terms, !drawn.is_empty()).ok().filter(|_| same);
        let estimate = estimate.map(|estimate| GroupedEstimate { value, ..estimate });
        // Shares in percent, as an accuracy.
        with_interval(NamedMeasure::Accuracy, Some(value), estimate)
    };
    let weight = 1.0 / datasets.len() as f64;
    let mean = |term: &Term| term.values.iter().sum::<f64>() / term.values.len() as f64;
    let single = |measure: JointMeasure| {
        let terms: Vec<Term> = datasets.iter().map(|of| Term { weight, ..term(of, measure) }).collect();
        let value = terms.iter().map(|term| weight * mean(term)).sum();
        text(terms, value)
    };
    let pair = || {
        let (mut terms, mut value) = (Vec::new(), 0.0);
        for of in datasets {
            let (base, new) = (term(of, JointMeasure::Base), term(of, JointMeasure::New));
            let (b, n) = (mean(&base), mean(&new));
            let (by_base, by_new) = gradient(b, n)?;
            value += weight * harmonic_mean(b, n)?;
            terms.push(Term { weight: weight * by_base, ..base });
            terms.push(Term { weight: weight * by_new, ..new });
        }
        Some(text(terms, value))
    };
    let [base, new, curve, pairwise] = SINGLE.map(single);
    vec![base, new, pair().unwrap_or_else(|| number(NamedMeasure::Accuracy, 0.0)), curve, pairwise]
}
