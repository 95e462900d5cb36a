//! Which methods a model's image tower can serve: a ResNet gives pooled features, but no tokens.

use super::resolve::Plan;
use crate::backbone::{Clip, NO_TOKENS};
use crate::suite::error::SuiteError;
use crate::suite::spec::file::Measure;
use crate::suite::spec::overrides::Resolved;

/// Refuses a plan with methods or measurements the model's image tower cannot serve, before anything is computed.
///
/// # Errors
/// [`SuiteError::Usage`] naming the methods and those that would run.
pub fn check(clip: &Clip, plan: &Plan) -> Result<(), SuiteError> {
    if clip.config.resnet.is_none() {
        return Ok(());
    }
    if plan.suite.measure.contains(&Measure::RepresentationShift) {
        return Err(SuiteError::Usage(format!("suite {}: {NO_TOKENS}", plan.suite.name)));
    }
    let (able, unable): (Vec<_>, Vec<_>) =
        plan.methods.iter().partition(|method| method.method.needs().only_pooled());
    if unable.is_empty() {
        return Ok(());
    }
    let names = |methods: Vec<&Resolved>| {
        let mut names: Vec<&str> = methods.into_iter().map(|method| method.id).collect();
        names.dedup();
        names.join(",")
    };
    let hint = if able.is_empty() { String::new() } else { format!("; --methods {} runs", names(able)) };
    Err(SuiteError::Usage(format!("methods {}: {NO_TOKENS}{hint}", names(unable))))
}
