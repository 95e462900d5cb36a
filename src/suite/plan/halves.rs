//! Whether every half that a suite trains or tests on has classes to tell apart and images, before hours are spent.

use crate::data::Classes;
use crate::suite::error::SuiteError;
use crate::suite::plan::resolve::Plan;
use crate::suite::world::BenchDataset;

/// Fewest classes of a half: with one, every prediction is right.
const FEWEST: usize = 2;

/// Checks a dataset that is trained on (`trains`) or only tested on.
///
/// # Errors
/// [`SuiteError::Dataset`] naming the half and what it lacks.
pub(in crate::suite) fn check(plan: &Plan, dataset: &BenchDataset, trains: bool) -> Result<(), SuiteError> {
    let fail = |reason: String| Err(SuiteError::Dataset { id: dataset.id.clone(), reason });
    let trained = trains.then_some(plan.suite.train_classes);
    let needs_training = plan.methods.iter().any(|method| method.recipe.is_some());
    for classes in trained.into_iter().chain(plan.suite.evaluate.iter().copied()) {
        if let Some(reason) = too_few(dataset, classes) {
            return fail(reason);
        }
    }
    if let Some(classes) = trained.filter(|_| needs_training && plan.prompts_dir.is_none())
        && dataset.of_half(&dataset.split.train, classes, Some(1)).is_empty()
    {
        return fail(format!("no training image among its {classes} classes; leave it out with --datasets"));
    }
    for classes in &plan.suite.evaluate {
        if dataset.of_half(&dataset.split.test, *classes, Some(1)).is_empty() {
            return fail(format!("no test image among its {classes} classes; leave it out with --datasets"));
        }
    }
    Ok(())
}

fn too_few(dataset: &BenchDataset, classes: Classes) -> Option<String> {
    let count = dataset.labels(classes).labels().len();
    (count < FEWEST).then(|| {
        format!(
            "its {classes} half has {count} of {} classes: with one alone every prediction is right; it needs at least \
             {} classes for halves, or a suite over all classes",
            dataset.class_names.len(),
            2 * FEWEST - 1
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::suite::{SuiteFile, World};

    #[test]
    fn halves_without_images_or_with_one_class_are_refused() {
        let world = World::open(None, None, &candle_core::Device::Cpu).unwrap();
        let plan = Plan::new(SuiteFile::find("smoke").unwrap(), &[], None).unwrap();
        let with = |change: &dyn Fn(&mut BenchDataset)| {
            let mut dataset = BenchDataset::clone(&world.dataset("eurosat").unwrap());
            change(&mut dataset);
            check(&plan, &dataset, true).map_err(|error| error.to_string())
        };
        assert_eq!(with(&|_| {}), Ok(()));
        let base = |dataset: &BenchDataset| dataset.class_names.len().div_ceil(2) as u32;
        let said = with(&|d| {
            let base = base(d);
            Arc::make_mut(&mut d.split).test.retain(|item| item.label < base)
        })
        .unwrap_err();
        assert!(said.contains("no test image among its new classes"), "{said}");
        let said = with(&|d| {
            let base = base(d);
            Arc::make_mut(&mut d.split).train.retain(|item| item.label >= base)
        })
        .unwrap_err();
        assert!(said.contains("no training image among its base classes"), "{said}");
        let said = with(&|d| d.class_names.truncate(2)).unwrap_err();
        assert!(said.contains("base half has 1 of 2 classes"), "{said}");
    }
}
