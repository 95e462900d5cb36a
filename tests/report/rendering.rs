//! Rendering into a temporary folder and reading back.

use std::collections::BTreeMap;
use std::fs;

use rpo_bench::record::{Evaluation, Prediction, RunRecord};
use rpo_bench::report::{Deviation, ReportError, ReportSpec, Section, render};
use rpo_bench::util::rng::Stream;

/// Every section, in the order of the enum.
pub const EVERY_SECTION: [Section; 13] = [
    Section::BaseToNew,
    Section::BySeedBoxPlots,
    Section::BaseVsNewScatter,
    Section::MethodTests,
    Section::FewShotCurves,
    Section::DomainShift,
    Section::Variance,
    Section::Ablation,
    Section::TrainingCurves,
    Section::Deviations,
    Section::Failures,
    Section::Provenance,
    Section::Reproduce,
];

/// A report with the given sections and one made-up deviation.
pub fn spec(sections: &[Section]) -> ReportSpec {
    ReportSpec {
        title: "Base to new".to_owned(),
        description: "Made-up numbers.".to_owned(),
        sections: sections.to_vec(),
        deviations: vec![Deviation {
            subject: "views".to_owned(),
            published: "drawn by each process".to_owned(),
            ours: "shared between methods".to_owned(),
            test: "views_are_keyed_by_item".to_owned(),
        }],
        ..ReportSpec::default()
    }
}

/// Renders and gives the files by name. Predictions are made up to fit each evaluation's counts.
pub fn files(records: &[RunRecord], spec: &ReportSpec) -> Result<BTreeMap<String, Vec<u8>>, ReportError> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("reports").join("suite");
    let report = render(records, spec, &out, &made_up_predictions)?;
    assert_eq!(report.files[0], "README.md");
    let on_disk = fs::read_dir(&out).unwrap().count();
    assert_eq!(on_disk, report.files.len(), "nothing but the listed files is left behind");
    Ok(report.files.into_iter().map(|name| (name.clone(), fs::read(out.join(&name)).unwrap())).collect())
}

/// The page alone.
pub fn page(records: &[RunRecord], spec: &ReportSpec) -> String {
    String::from_utf8(files(records, spec).unwrap().remove("README.md").unwrap()).unwrap()
}

fn made_up_predictions(record: &RunRecord, evaluation: &Evaluation) -> Option<Vec<Prediction>> {
    let mut right: Vec<bool> = (0..evaluation.total).map(|i| i < evaluation.correct).collect();
    let words = [record.key.as_str(), evaluation.dataset.as_str(), evaluation.classes.as_str()];
    Stream::new(&words).shuffle(&mut right);
    let row = |(i, right): (usize, bool)| Prediction {
        path: format!("{i}.jpg"),
        label: 1,
        predicted: u32::from(right),
        p_true: 0.5,
        confidence: None,
    };
    Some(right.into_iter().enumerate().map(row).collect())
}
