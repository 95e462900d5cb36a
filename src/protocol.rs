//! The published protocol as data: every switch with both settings, and every deviation that has none.
//!
//! `suites/PROTOCOL.md` is this table; `protocol=published` takes its published column. The surprising
//! fact: most switches default to the published side already.

use std::fmt::Write as _;

use crate::method;

/// A choice between the published code's behaviour and ours, with its whole key.
#[derive(Clone, Debug)]
pub struct ProtocolSwitch {
    /// Key for `--set`.
    pub key: String,
    /// Value that gives the published code's behaviour, as TOML.
    pub published: &'static str,
    /// Value without `--set`, as TOML.
    pub default: String,
    /// What it decides, and why the default is what it is.
    pub why: &'static str,
    /// The test of both settings in `tests/protocol_switches`.
    pub test: &'static str,
}

/// Switches that belong to no method: key, published, default, why, test.
const GLOBAL: [[&str; 5]; 2] = [
    [
        "views",
        "\"per_method\"",
        "\"shared\"",
        "Which stream draws training crops and flips: one a method, or one that all methods of a seed share. \
         Same distribution; shared views make differences between methods less noisy.",
        "views_are_shared_unless_told",
    ],
    [
        "views_bank",
        "0",
        "0",
        "0 draws a new view every epoch. n keeps a bank of n views an item; epoch e uses view e mod n.",
        "a_bank_repeats_its_views",
    ],
];

/// Every switch: those of the methods, in their order, then those that belong to none. A key appears once for each method
/// it concerns.
pub fn switches() -> Vec<ProtocolSwitch> {
    let mut all = Vec::new();
    for entry in method::REGISTRY {
        // A file that is no TOML is reported by whoever runs the method.
        let defaults = entry.default_table().unwrap_or_default();
        all.extend(entry.switches.iter().map(|switch| ProtocolSwitch {
            key: format!("{}.{}", entry.id, switch.key),
            published: switch.published,
            default: defaults.get(switch.key).map(ToString::to_string).unwrap_or_default(),
            why: switch.why,
            test: switch.test,
        }));
    }
    all.extend(GLOBAL.map(|[key, published, default, why, test]| ProtocolSwitch {
        key: key.to_owned(),
        published,
        default: default.to_owned(),
        why,
        test,
    }));
    all
}

/// What differs from the published code and has no switch: what, published, ours, why, where it is tested.
pub const DEVIATIONS: [[&str; 5]; 13] = [
    [
        "CoOp on ImageNet, base to new",
        "50 epochs in CoOp's own script, 200 in RPO's copy of it",
        "50: `[dataset.imagenet.set]` of the suite",
        "CoOp's authors chose it; `--set coop.epochs=200` gives the other",
        "tests/suite_pocket.rs",
    ],
    [
        "precision",
        "f16 weights and activations on the GPU",
        "f32 on the CPU",
        "f32 gives the same numbers on every machine of a kind",
        "tests/parity.rs",
    ],
    [
        "few-shot draw on ImageNet",
        "order of a directory listing, which cannot be rebuilt",
        "sorted paths",
        "anybody can draw it again; published index files can be passed",
        "tests/datasets",
    ],
    [
        "few-shot draws of LN-only and 2SFS",
        "165 published lists (11 datasets, 3 seeds, 5 numbers of shots)",
        "CoOp's draw, as for every method",
        "methods of a seed share their shots; published lists can be passed",
        "tests/datasets",
    ],
    [
        "order of training items, crops, initial values",
        "PyTorch's global generator",
        "named streams keyed by dataset, seed, method, epoch, item",
        "what one part draws never shifts another",
        "tests/prop_draws.rs, src/util/rng.rs",
    ],
    [
        "frozen features",
        "recomputed in every step by every method",
        "computed once an image and shared; cached keys and values for RPO",
        "exact algebra; only last bits differ",
        "tests/prop_readers.rs, tests/prop_text_prefix.rs",
    ],
    [
        "positions behind EOS",
        "computed and never read",
        "not computed",
        "exact under the causal mask",
        "tests/prop_text_prefix.rs",
    ],
    [
        "JPEG decoding",
        "libjpeg-turbo through Pillow",
        "own decoder with the same integer arithmetic",
        "no system library; bit-equal on every case at hand, damaged files included",
        "tests/golden_pixels.rs, tests/golden_pictures.rs",
    ],
    [
        "progressive JPEG with missing scans",
        "libjpeg guesses from neighbouring blocks",
        "a broken image",
        "such a file was cut short",
        "tests/golden_pictures.rs",
    ],
    [
        "other picture formats",
        "Pillow's decoders, libtiff and libwebp",
        "PNG, GIF, BMP, TIFF and WebP to Pillow's RGB; other formats and rare layouts are refused by name",
        "no picture differs in silence",
        "tests/golden_pictures.rs, tests/golden_formats.rs",
    ],
    [
        "picture far larger than its file can hold",
        "decoded up to 179 million pixels",
        "refused",
        "memory is bounded by the file",
        "tests/prop_picture_memory.rs",
    ],
    [
        "mojibake in class names and templates",
        "repaired by ftfy before tokenising (`â€™` becomes an apostrophe)",
        "left as it is; everything else ftfy and the tokenizer clean is cleaned alike",
        "ftfy judges by a table of likely neighbours; no class name of the fifteen datasets is touched",
        "tests/golden_tokens.rs",
    ],
    [
        "spread over seeds",
        "population standard deviation of accuracies rounded per seed",
        "sample standard deviation of exact counts",
        "three draws are a sample",
        "tests/stats_golden.rs",
    ],
];

/// The published value of a switch as records write it; `None` for a key that is no switch.
pub fn published(key: &str) -> Option<&'static str> {
    let switch = switches().into_iter().find(|switch| switch.key == key)?;
    Some(switch.published.trim_matches('"'))
}

/// `suites/PROTOCOL.md`: both tables.
pub fn page() -> String {
    let mut page = String::from(
        "# Protocol switches and deviations\n\n\
         `--set KEY=VALUE` sets one switch, `--set protocol=published` the whole published column. The\n\
         values in force are in every record and in every report. Hyper-parameters of the methods are in\n\
         `suites/methods`; what the pocket profile reduces is in each suite file and its report.\n\n\
         ## Switches\n\n\
         | key | published | default | what and why | test |\n|---|---|---|---|---|\n",
    );
    for ProtocolSwitch { key, published, default, why, test } in switches() {
        row(&mut page, [&format!("`{key}`"), &format!("`{published}`"), &format!("`{default}`"), why, test]);
    }
    page.push_str(
        "\nThe tests are in `tests/protocol_switches`; each runs both settings.\n\n\
         ## Deviations without a switch\n\n\
         | what | published | here | why | tested in |\n|---|---|---|---|---|\n",
    );
    for cells in DEVIATIONS {
        row(&mut page, cells);
    }
    page
}

fn row(page: &mut String, cells: [&str; 5]) {
    // Writing into a String cannot fail.
    writeln!(page, "| {} |", cells.join(" | ")).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_this_table() {
        let file = include_str!("../suites/PROTOCOL.md");
        assert!(file == page(), "write it again: rpo-bench list switches > suites/PROTOCOL.md");
    }

    #[test]
    fn every_switch_names_a_test_that_exists() {
        let tests = concat!(
            include_str!("../tests/protocol_switches/main.rs"),
            include_str!("../tests/protocol_switches/chosen.rs"),
            include_str!("../tests/protocol_switches/sampled.rs"),
        );
        for switch in switches() {
            assert!(tests.contains(&format!("fn {}()", switch.test)), "{} names no test", switch.key);
        }
    }

    #[test]
    fn every_switch_is_a_setting_and_its_published_value_has_the_type_of_the_default() {
        let value = |text: &str| format!("x = {text}").parse::<toml::Table>().unwrap()["x"].clone();
        for switch in switches() {
            assert!(!switch.default.is_empty(), "{} is no setting", switch.key);
            assert!(value(&switch.default).same_type(&value(switch.published)), "{}", switch.key);
        }
    }
}
