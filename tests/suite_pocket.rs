//! The pocket profile's reductions leave other profiles alone, and what no setting expresses is stated.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use rpo_bench::suite::{Plan, SUITES, SuiteFile};
use rpo_bench::train::Views;

fn value(plan: &Plan, key: &str) -> String {
    plan.methods.iter().find_map(|method| method.config.get(key).cloned()).unwrap()
}

/// Every deviation that a suite's pocket profile states is in force, none is in force unstated, and none states a
/// setting: pages read those from the records, which know what the command line changed.
#[test]
fn suite_pocket() {
    for (name, _) in SUITES.iter().filter(|(name, _)| *name != "smoke") {
        let suite = SuiteFile::find(name).unwrap();
        let (datasets, shots, seeds) = (suite.datasets.len(), suite.shots.len(), suite.seeds.len());
        let suite = suite.for_profile("pocket");
        let subjects: Vec<String> = suite.deviations.iter().map(|d| d.subject.clone()).collect();
        let named = |subject: &str| subjects.iter().any(|s| s.starts_with(subject));
        let fewer = suite.datasets.len() < datasets || suite.shots.len() < shots || suite.seeds.len() < seeds;
        assert_eq!(fewer, named("datasets") || named("prompts"), "{name}");
        let stated = suite.deviations.iter().map(|d| d.ours.as_str());
        let states_a_setting =
            |text: &str| ["K =", "epochs", "views", "batch"].iter().any(|w| text.contains(w));
        assert_eq!(stated.filter(|text| states_a_setting(text)).count(), 0, "{name}");
        let own = Plan::new(SuiteFile::find(name).unwrap().for_profile(""), &[], None).unwrap();
        let plan = Plan::new(suite, &[], None).unwrap();
        assert_eq!(plan.settings.globals.views == Views::Bank(4), *name != "cost", "{name}");
        if *name != "cost" {
            assert_eq!(
                (value(&plan, "rpo.k"), value(&plan, "rpo.epochs")),
                ("4".into(), "6".into()),
                "{name}"
            );
        }
        if own.suite.methods.iter().any(|id| id == "coop") {
            let epochs = |plan: &Plan| (value(plan, "coop.epochs"), value(plan, "cocoop.epochs"));
            let short = epochs(&plan) == ("30".into(), "3".into());
            assert_eq!(short, epochs(&plan) != epochs(&own), "{name}");
        }
    }
}

#[test]
fn other_profiles_take_the_published_numbers() {
    let plan = Plan::new(SuiteFile::find("base2new").unwrap(), &[], None).unwrap();
    assert_eq!(plan.settings.globals.views, Views::Fresh);
    assert_eq!((value(&plan, "rpo.k"), value(&plan, "rpo.epochs")), ("24".into(), "15".into()));
    assert_eq!((value(&plan, "coop.epochs"), value(&plan, "cocoop.epochs")), ("200".into(), "10".into()));
    assert_eq!(value(&plan, "linear_probe.epochs"), "30");
}
