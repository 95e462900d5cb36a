//! The pocket profile's reductions are what its deviations table says, and leave other profiles alone.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use rpo_bench::suite::{Plan, SuiteFile};
use rpo_bench::train::Views;

fn value(plan: &Plan, key: &str) -> String {
    plan.methods.iter().find_map(|method| method.config.get(key).cloned()).unwrap()
}

#[test]
fn suite_pocket() {
    let suite = SuiteFile::find("base2new").unwrap().for_profile("pocket");
    assert_eq!(suite.deviations.len(), 3);
    let plan = Plan::new(suite, &[], None).unwrap();
    assert_eq!(plan.settings.globals.views, Views::Bank(4));
    assert_eq!((value(&plan, "rpo.k"), value(&plan, "rpo.epochs")), ("4".into(), "6".into()));
    assert_eq!((value(&plan, "coop.epochs"), value(&plan, "cocoop.epochs")), ("30".into(), "3".into()));
}

#[test]
fn other_profiles_take_the_published_numbers() {
    let plan = Plan::new(SuiteFile::find("base2new").unwrap(), &[], None).unwrap();
    assert_eq!(plan.settings.globals.views, Views::Fresh);
    assert_eq!((value(&plan, "rpo.k"), value(&plan, "rpo.epochs")), ("24".into(), "15".into()));
    assert_eq!((value(&plan, "coop.epochs"), value(&plan, "cocoop.epochs")), ("200".into(), "10".into()));
    assert_eq!(value(&plan, "linear_probe.epochs"), "10");
}
