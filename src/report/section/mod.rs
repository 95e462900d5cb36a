//! One file per section. A section reads the [`Context`] and gives a [`Part`]; it writes nothing.

use super::context::Context;
use super::error::ReportError;
use super::part::Part;
use super::spec::Section;

mod ablation;
mod base_to_new;
mod box_plots;
mod calibration;
mod class_gains;
mod classes;
mod cost;
mod deviations;
mod domain_shift;
mod failures;
mod few_shot;
mod image_tests;
mod matrix;
mod measure_tables;
mod method_tests;
mod moved_tokens;
mod open_world;
mod other_settings;
mod pair_table;
mod prompt_files;
mod provenance;
mod representation_shift;
mod reproduce;
mod scatter;
mod shift_and_loss;
mod training_curves;
mod variance;
mod views;

pub use failures::missing;
pub use matrix::hole;
pub use other_settings::render as other_settings;

/// Renders one section.
///
/// # Errors
/// [`ReportError`] where a picture cannot be drawn.
pub fn render(section: Section, context: &Context<'_>) -> Result<Part, ReportError> {
    match section {
        Section::BaseToNew => Ok(base_to_new::render(context)),
        Section::BySeedBoxPlots => box_plots::render(context),
        Section::BaseVsNewScatter => scatter::render(context),
        Section::Failures => Ok(failures::render(context)),
        Section::Deviations => Ok(deviations::render(context)),
        Section::Provenance => Ok(provenance::render(context)),
        Section::Reproduce => Ok(reproduce::render(context)),
        Section::MethodTests => method_tests::render(context),
        Section::FewShotCurves => few_shot::render(context),
        Section::DomainShift => Ok(domain_shift::render(context)),
        Section::Variance => Ok(variance::render(context)),
        Section::Ablation => Ok(ablation::render(context)),
        Section::TrainingCurves => training_curves::render(context),
        Section::RepresentationShift => representation_shift::render(context),
        Section::Cost => Ok(cost::render(context)),
        Section::Calibration => calibration::render(context),
        Section::Classes => Ok(classes::render(context)),
        Section::OpenWorld => Ok(open_world::render(context)),
        Section::PublishedPrompts => prompt_files::render(context),
    }
}
