//! Whether a run may stand beside published figures at all: real pictures, all of them, and CLIP ViT-B/16.
//!
//! Records do not name the model's shape. What gives it away is how many scalars a method trains: the published
//! widths are 512 (text) and 768 (vision). ViT-B/32 has the same widths and passes.

use crate::data::Classes;
use crate::data::embedded::manifest;
use crate::method::look_up;
use crate::record::RunRecord;
use crate::report::context::is_pocket;
use crate::report::error::ReportError;
use crate::report::names::method_name;

/// Refuses what answers another question.
///
/// # Errors
/// [`ReportError::NotComparable`] for pocket, folder or limited records and for another model.
pub fn check_comparable(records: &[RunRecord]) -> Result<(), ReportError> {
    let refuse = |reason: &str| Err(ReportError::NotComparable { reason: reason.to_owned() });
    if records.iter().any(is_pocket) {
        return refuse("pocket pictures and the pocket CLIP are not what was published on");
    }
    if records.iter().any(|r| r.provenance.data_kind != "coop") {
        return refuse("the pictures are not those of the published datasets (--data names a folder)");
    }
    if let Some(limit) = records.iter().find_map(|r| r.cell.limit) {
        return refuse(&format!(
            "the run was limited (--limit {limit}) to part of the test images; run it without --limit"
        ));
    }
    match records.iter().find_map(other_model) {
        Some(reason) => refuse(&reason),
        None => Ok(()),
    }
}

/// Why the model behind a trained record cannot be ViT-B/16.
fn other_model(record: &RunRecord) -> Option<String> {
    let trained = record.training.as_ref()?.trainable_parameters;
    let (key, expected) = expected_parameters(record)?;
    (trained != expected).then(|| {
        format!(
            "the model is not CLIP ViT-B/16, on which the figures were published: {} {key} trains {expected} \
             scalars there and trained {trained} here; give --clip a ViT-B/16",
            method_name(&record.cell.method),
        )
    })
}

/// The settings that decide it, and the number of scalars trained on ViT-B/16.
fn expected_parameters(record: &RunRecord) -> Option<(String, u64)> {
    let method = &record.cell.method;
    let size = look_up(method)?.published.size?;
    let value = |key: &&str| record.config.get(&format!("{method}.{key}"))?.parse::<u64>().ok();
    let values: Vec<u64> = size.settings.iter().map(value).collect::<Option<_>>()?;
    let named = size.settings.iter().zip(&values).map(|(key, value)| format!("{method}.{key} = {value}"));
    let named = named.collect::<Vec<_>>().join(" and ");
    let named = if named.is_empty() { "whatever its settings".to_owned() } else { format!("with {named}") };
    Some((named, (size.scalars)(&values)?))
}

/// Published number of test images; `None` where it was not found.
pub fn published_images(dataset: &str, classes: Classes) -> Option<u64> {
    let counts = manifest(dataset).ok()?.counts?;
    let images = match classes {
        Classes::All => Some(counts.test),
        Classes::Base => counts.base_test,
        Classes::New => counts.new_test,
    };
    images.map(|n| n as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_totals_are_those_of_the_manifests() {
        assert_eq!(published_images("caltech101", Classes::Base), Some(1_549));
        assert_eq!(published_images("imagenet_a", Classes::All), Some(7_500));
        assert_eq!(published_images("imagenet", Classes::Base), None);
        assert_eq!(published_images("mine", Classes::All), None);
    }
}
