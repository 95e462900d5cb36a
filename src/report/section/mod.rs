//! One file per section. A section reads the [`Context`] and gives a [`Part`]; it writes nothing.

use super::context::Context;
use super::error::ReportError;
use super::page::Part;
use super::spec::Section;

mod base_to_new;
mod box_plots;
mod failures;
mod matrix;
mod provenance;
mod reproduce;
mod scatter;

pub use matrix::hole;

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
        Section::Provenance => Ok(provenance::render(context)),
        Section::Reproduce => Ok(reproduce::render(context)),
        _ => Ok(Part::default()),
    }
}
