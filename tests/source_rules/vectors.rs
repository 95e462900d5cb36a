//! Inner loops are compiled for the processor's vectors: whatever is run there can be inlined there.

use super::check;
use super::sources::{Source, sources};

/// What takes a closure and compiles it for every level of vector instructions.
const TAKERS: [&str; 7] = [
    "vectorised(",
    "for_each_row(",
    "for_each_pair_of_rows(",
    "map_rows(",
    "InPlace(",
    "Canvas::new(",
    "Canvas::soft(",
];

/// Calls of pulp that go past `util::vectorised`, and closures that the compiler may leave outside.
fn compiled_for_nothing(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.path != "util/vectors.rs") {
        if ["Arch::new()", "Arch::default()"].iter().any(|made| source.code.contains(made)) {
            faults.push(format!("{} dispatches by itself", source.path));
        }
        for (at, _) in source.code.match_indices(".vectorize(") {
            let argument = source.code[at..].split('|').next().unwrap_or_default();
            if !argument.contains("InPlace(") {
                faults.push(format!("{} hands a closure to vectorize", source.path));
            }
        }
        for taker in TAKERS {
            for (at, _) in source.code.match_indices(taker) {
                let rest = &source.code[at..];
                let closure = rest.find('|').filter(|bar| rest.find(';').is_none_or(|end| *bar < end));
                let declared = source.code[..at].ends_with("fn ");
                if closure.is_some_and(|bar| !declared && !rest[..bar].contains("#[inline(always)]")) {
                    faults.push(format!("{} has a closure in {taker}) that is not marked", source.path));
                }
            }
        }
    }
    faults
}

#[test]
fn closures_of_vector_loops_are_inlined() {
    check(compiled_for_nothing(&sources()));
    let of = |code: &str| compiled_for_nothing(&[Source::new("a/x.rs", code)]);
    assert_eq!(of("vectorised(|| sum(rows));").len(), 1);
    assert_eq!(of("for_each_row(&mut out, cols, |i, row| row.fill(i));").len(), 1);
    assert_eq!(of("pulp::Arch::new().dispatch(work);").len(), 1);
    assert_eq!(of("simd.vectorize(#[inline(always)] || sum(rows));").len(), 1);
    assert!(of("vectorised(#[inline(always)] || sum(rows));\nfor_each_row(&mut out, cols, f);").is_empty());
}
