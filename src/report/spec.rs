//! What a report should contain. Suite files name the sections; the rest is filled in by the caller.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use crate::frame::OwnSettings;
use crate::record::{Cell, RunRecord, SettingValues};

/// One part of a report. The order in a suite file is the order on the page, but for the closing ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Base, new and H per dataset and method, with both averages; also `base2new.tex`.
    BaseToNew,
    /// Accuracies over seeds, datasets × methods, one picture per half.
    BySeedBoxPlots,
    /// Base against new accuracy.
    BaseVsNewScatter,
    /// Friedman, Wilcoxon with Holm, effect sizes, bootstraps, critical-difference diagram.
    MethodTests,
    /// Accuracy over the number of training images per class.
    FewShotCurves,
    /// Trained on one dataset, evaluated on others.
    DomainShift,
    /// Variance over draws, with intervals and a test.
    Variance,
    /// Variants of a method side by side.
    Ablation,
    /// Loss over epochs.
    TrainingCurves,
    /// How far prompts move the tokens' features, and what that has to do with new-class accuracy.
    RepresentationShift,
    /// Parameters, multiply-adds, memory and time.
    Cost,
    /// Calibration errors, NLL and Brier score; reliability diagrams.
    Calibration,
    /// Mean per class, worst classes, macro F1, and what every class gains against zero-shot.
    Classes,
    /// Base and new classes in one label space.
    OpenWorld,
    /// Prompts read from files beside the counts they should give.
    PublishedPrompts,
    /// Deviations from the published method, protocol switches.
    Deviations,
    /// Cells that failed or are missing, images left out.
    Failures,
    /// Versions, machine, model, data, hashes.
    Provenance,
    /// How to make the numbers again.
    Reproduce,
}

impl Section {
    /// What every page ends with, in this order, whatever its suite asks for.
    pub const CLOSING: [Self; 4] = [Self::Deviations, Self::Failures, Self::Provenance, Self::Reproduce];

    /// The sections of a page: those a suite names, in its order, then the closing ones.
    pub fn of_page(named: &[Self]) -> Vec<Self> {
        let own = named.iter().filter(|section| !Self::CLOSING.contains(section));
        own.copied().chain(Self::CLOSING).collect()
    }
}

/// A difference from the published method or protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// What differs.
    pub subject: String,
    /// What the published code or paper does.
    pub published: String,
    /// What was done here.
    pub ours: String,
    /// Name of the test that pins it.
    pub test: String,
}

/// A cell that some command asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planned {
    /// Its coordinates.
    pub cell: Cell,
    /// The configuration and switches it was to have; empty where nobody knows.
    pub settings: SettingValues,
}

impl Planned {
    /// Whether `record` is this cell: its coordinates, and no setting that both name has another value.
    pub fn is(&self, record: &RunRecord) -> bool {
        let stated = |key: &String| record.config.get(key).or_else(|| record.switches.get(key));
        self.cell == record.cell
            && self.settings.iter().all(|(key, value)| stated(key).is_none_or(|other| other == value))
    }
}

/// A file of predictions that a record names and that is not there, or is not what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// Key of the record.
    pub key: String,
    /// The file, relative to the run directory.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A report to render.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportSpec {
    /// Title of the page.
    pub title: String,
    /// A paragraph below the title.
    pub description: String,
    /// Sections in order.
    pub sections: Vec<Section>,
    /// Banners shown above everything, besides the automatic ones (pocket, limited, failed).
    pub banners: Vec<String>,
    /// Words for every title, besides the automatic ones: what makes the numbers those of a part.
    pub marks: Vec<String>,
    /// Rows of the deviations table.
    pub deviations: Vec<Deviation>,
    /// The cells any command planned; one without a record is listed as missing. Left empty, the cells are
    /// every combination of the datasets, methods, seeds and shots that occur.
    pub expected: Vec<Planned>,
    /// The suite's own settings of each method, where they are known: what needs no name in tables.
    pub own: OwnSettings,
    /// Published values of settings, by dotted key.
    pub published: BTreeMap<String, String>,
    /// Predictions that cannot be used: what they would have been needed for was not tested.
    pub damaged: Vec<Damage>,
}
