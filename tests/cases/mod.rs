//! How many cases a property test runs.

use proptest::prelude::ProptestConfig;

/// Twelve, or `PROPTEST_CASES`; nothing is written beside the tests.
pub fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}
