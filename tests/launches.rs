//! Operations that a step asks of a GPU. Alone in its process: tensors are numbered by the whole process, and other tests
//! would be counted too.

use rpo_bench::check::bench::{LaunchBench, ModelShape, bench_launches};

/// Launches of RPO's step at the published size, and no upload once plans are there.
#[test]
fn a_step_of_twelve_layers_stays_within_its_launches() {
    let shape = ModelShape::find("vit-b-16").unwrap();
    let count = |method: &str| {
        let bench = LaunchBench { method: method.to_owned(), shape, k: 24, batch: None, classes: 10 };
        bench_launches(&bench).unwrap()
    };
    for (method, most) in [("rpo", 2600), ("coop", 2200), ("cocoop", 2200)] {
        let report = count(method);
        assert!(report.at_most <= most && report.tower_launches > 500, "{report:?}");
        assert!(report.at_most_own_kernels <= 1500 && report.tower_launches_own_kernels > 300, "{report:?}");
        assert_eq!(report.tower_uploads, 0, "{report:?}");
    }
}
