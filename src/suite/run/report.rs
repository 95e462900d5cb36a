//! From a run directory to a report directory: reads records, fills in the report's frame.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::thumbnails::Pictures;
use crate::data::Catalog;
use crate::frame::{OwnSettings, predictions_of, unreadable_here};
use crate::method::REGISTRY;
use crate::protocol;
use crate::record::{Evaluation, RunRecord, Store, living_claims};
use crate::report::{Damage, Material, Planned, RenderedReport, ReportSpec, Section, render_with};
use crate::suite::disk::plans;
use crate::suite::error::SuiteError;
use crate::suite::plan::resolve::Plan;
use crate::suite::plan::scope;
use crate::suite::spec::file::SuiteFile;

/// Renders `OUT/reports/SUITE-PROFILE` from what lies in `OUT/runs/SUITE-PROFILE` alone: the records, and the
/// resolved suites of the commands that made them, which say what was planned.
///
/// # Errors
/// As [`render_run`].
pub fn render_report(out: &Path, name: &str, profile: &str) -> Result<RenderedReport, SuiteError> {
    let target = out.join("reports").join(format!("{name}-{profile}"));
    render_run(&Store::new(out, name, profile), (name, profile), &target, None)
}

/// Renders the run in `store` to the folder `target`. The explorer has small pictures of the embedded data, and of those
/// in `pictures`.
///
/// # Errors
/// [`SuiteError::Store`] for a record that cannot be read, [`SuiteError::NothingFinished`] without records,
/// [`SuiteError::Report`] for records that do not make a table or a picture that fails, [`SuiteError::Unknown`]
/// for a name without a run and without a suite.
pub fn render_run(
    store: &Store,
    (name, profile): (&str, &str),
    target: &Path,
    pictures: Option<Catalog>,
) -> Result<RenderedReport, SuiteError> {
    let suite = match SuiteFile::stored(store, name)? {
        Some(suite) => suite,
        None => SuiteFile::find(name)?.for_profile(profile),
    };
    let mut expected: Vec<Planned> = Vec::new();
    for (_, plan) in plans::all(store, name)? {
        expected.extend(plans::cells(&plan, profile)?);
    }
    expected.sort();
    expected.dedup();
    // Processes that share an output report one after the other, so the last report holds all records.
    let _lock = store.lock_report()?;
    let records = store.all()?;
    if records.is_empty() {
        return Err(SuiteError::NothingFinished {
            run: format!("{name}-{profile}"),
            planned: expected.len(),
            running: living_claims(store.dir()),
        });
    }
    let part = scope::part_of_suite(name, profile, &records);
    let spec = ReportSpec {
        title: suite.title,
        description: suite.description,
        sections: Section::of_page(&suite.sections),
        banners: part
            .iter()
            .map(|part| format!("Part of the suite: {part}. Averages are over these alone."))
            .collect(),
        marks: part.into_iter().collect(),
        deviations: suite.deviations,
        expected,
        own: own_settings(name, profile)?,
        published: published()?,
        damaged: damaged(store, &records),
    };
    let predictions = |_: &RunRecord, evaluation: &Evaluation| predictions_of(store, evaluation);
    let class_names = |evaluation: &Evaluation| store.class_names(evaluation);
    let pictures = Pictures::of(&records, pictures);
    let thumbnails = |dataset: &str, path: &str| pictures.thumbnail(dataset, path);
    let link = link_to(&store.dir().join("records"), target);
    let records_link = link.as_deref();
    let material = Material {
        predictions: &predictions,
        class_names: &class_names,
        thumbnails: &thumbnails,
        records_link,
    };
    Ok(render_with(&records, &spec, target, material)?)
}

/// The relative link from the folder `from` to the folder `to`, ending in `/`; `None` where they have no folder in common
/// but the root, since a page should say nothing of the machine it was made on.
fn link_to(to: &Path, from: &Path) -> Option<String> {
    let parts = |path: &Path| -> Option<Vec<String>> {
        let path = std::path::absolute(path).ok()?;
        let plain = |part: Component<'_>| match part {
            Component::Normal(name) => name.to_str().map(|name| Some(name.to_owned())),
            Component::RootDir | Component::Prefix(_) | Component::CurDir => Some(None),
            Component::ParentDir => None,
        };
        Some(path.components().map(plain).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
    };
    let (to, from) = (parts(to)?, parts(from)?);
    let common = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return None;
    }
    let encoded = |name: &String| name.replace('%', "%25").replace('#', "%23").replace('?', "%3F");
    let down: Vec<String> = to[common..].iter().map(encoded).collect();
    Some(format!("{}{}/", "../".repeat(from.len() - common), down.join("/")))
}

/// What the suite itself sets for each method; nothing is known of a suite of one's own.
///
/// # Errors
/// A suite of this program that does not resolve.
pub fn own_settings(name: &str, profile: &str) -> Result<OwnSettings, SuiteError> {
    let Ok(suite) = SuiteFile::find(name) else { return Ok(OwnSettings::default()) };
    let plan = Plan::new(SuiteFile { sweep: Vec::new(), ..suite.for_profile(profile) }, &[], None)?;
    let of = |method: crate::suite::Resolved| {
        let settings = method.config.into_iter().chain(method.switches).collect();
        (method.id.to_owned(), settings)
    };
    Ok(OwnSettings(plan.methods.into_iter().map(of).collect()))
}

/// Published values: those of the methods' files, and the published column of the switches.
fn published() -> Result<BTreeMap<String, String>, SuiteError> {
    let mut values = BTreeMap::new();
    for entry in REGISTRY {
        for (field, value) in entry.default_table()? {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            values.insert(format!("{}.{field}", entry.id), text);
        }
    }
    for switch in protocol::switches() {
        values.insert(switch.key, switch.published.trim_matches('"').to_owned());
    }
    Ok(values)
}

/// Predictions that a record names and that cannot be used.
fn damaged(store: &Store, records: &[RunRecord]) -> Vec<Damage> {
    let of = |record: &RunRecord| {
        let faults = record.evaluations.iter().filter(|e| e.has_predictions()).filter_map(|evaluation| {
            let path = evaluation.predictions_path.clone();
            let fault = store.fault(&path, &evaluation.predictions_sha256);
            let reason = fault.or_else(|| unreadable_here(&path))?;
            Some(Damage { key: record.key.clone(), path, reason })
        });
        faults.collect::<Vec<_>>()
    };
    records.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_or_none() {
        let link = |to: &str, from: &str| link_to(Path::new(to), Path::new(from));
        let standard = link("/w/out/runs/a-b/records", "/w/out/reports/a-b");
        assert_eq!(standard.as_deref(), Some("../../runs/a-b/records/"));
        assert_eq!(link("runs/a #1/records", "reports/a").as_deref(), Some("../../runs/a %231/records/"));
        assert_eq!(link("/x/records", "/w/reports"), None);
        assert_eq!(link("/w/../x/records", "/w/reports"), None);
    }
}
