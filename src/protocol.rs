//! The published protocol as data: every switch with both settings, and every deviation that has none.
//!
//! `suites/PROTOCOL.md` is this table; `protocol=published` takes its published column. The surprising
//! fact: most switches default to the published side already.

use std::fmt::Write as _;

/// A choice between the published code's behaviour and ours.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Key for `--set`.
    pub key: &'static str,
    /// Value that gives the published code's behaviour, as TOML.
    pub published: &'static str,
    /// Value without `--set`, as TOML.
    pub default: &'static str,
    /// What it decides, and why the default is what it is.
    pub why: &'static str,
    /// The test of both settings in `tests/protocol_switches.rs`.
    pub test: &'static str,
}

const fn switch(
    key: &'static str,
    [published, default]: [&'static str; 2],
    why: &'static str,
    test: &'static str,
) -> Switch {
    Switch { key, published, default, why, test }
}

/// Every switch. A key appears once for each method it concerns.
pub const SWITCHES: [Switch; 12] = [
    switch(
        "rpo.raw_class_names",
        ["true", "false"],
        "The published RPO code leaves the underscores of class names in its prompts; CoOp's code does not.",
        "raw_class_names_keep_their_underscores",
    ),
    switch(
        "linear_probe.raw_class_names",
        ["true", "false"],
        "As for RPO.",
        "raw_class_names_keep_their_underscores",
    ),
    switch(
        "linear_probe.template",
        ["\"A photo of a {}\"", "\"a photo of a {}.\""],
        "Published: a capital and no full stop. Ours is the sentence of the other methods.",
        "the_probe_has_its_own_sentence",
    ),
    switch(
        "linear_probe.normalise",
        ["false", "false"],
        "Whether the image feature is l2-normalised before and after the layer. The default is the published one.",
        "the_probe_normalises_when_told",
    ),
    switch(
        "linear_probe.batch_size",
        ["32", "32"],
        "From the configuration that the published scripts name, whose name says ep10_batch1.",
        "the_probe_trains_as_told",
    ),
    switch("linear_probe.learning_rate", ["0.0005", "0.0005"], "As above.", "the_probe_trains_as_told"),
    switch(
        "linear_probe.epochs",
        ["30", "30"],
        "As above; the published test script loads epoch 30.",
        "the_probe_trains_as_told",
    ),
    switch(
        "rpo.st_noise",
        ["\"unit\"", "\"unit\""],
        "Noise of the ST-initialisation: a unit direction (code) or N(0, I) (`gaussian`, the paper's text), times 0.1.",
        "noise_has_unit_length_or_unit_variance",
    ),
    switch(
        "rpo.initialisation",
        ["\"special_token\"", "\"special_token\""],
        "Around the CLS and EOS embeddings, or N(0, 0.02²) (`random`, an ablation of the paper).",
        "random_prompts_ignore_the_special_tokens",
    ),
    switch(
        "rpo.mask",
        ["true", "true"],
        "The read-only mask; false makes prompts ordinary tokens (an ablation of the paper).",
        "without_the_mask_prompts_are_ordinary_tokens",
    ),
    switch(
        "views",
        ["\"per_method\"", "\"shared\""],
        "Which stream draws training crops and flips: one a method, or one that all methods of a seed share. \
         Same distribution; shared views make differences between methods less noisy.",
        "views_are_shared_unless_told",
    ),
    switch(
        "views_bank",
        ["0", "0"],
        "0 draws a new view every epoch. n keeps a bank of n views an item; epoch e uses view e mod n.",
        "a_bank_repeats_its_views",
    ),
];

/// What differs from the published code and has no switch: what, published, ours, why, where it is tested.
pub const DEVIATIONS: [[&str; 5]; 12] = [
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
    let switch = SWITCHES.iter().find(|switch| switch.key == key)?;
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
    for Switch { key, published, default, why, test } in SWITCHES {
        row(&mut page, [&format!("`{key}`"), &format!("`{published}`"), &format!("`{default}`"), why, test]);
    }
    page.push_str(
        "\nThe tests are in `tests/protocol_switches.rs`; each runs both settings.\n\n\
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
    use crate::method;

    #[test]
    fn the_page_is_this_table() {
        let file = include_str!("../suites/PROTOCOL.md");
        assert!(file == page(), "write it again: rpo-bench list switches > suites/PROTOCOL.md");
    }

    #[test]
    fn every_switch_names_a_test_that_exists() {
        let tests = include_str!("../tests/protocol_switches.rs");
        for switch in SWITCHES {
            assert!(tests.contains(&format!("fn {}()", switch.test)), "{} names no test", switch.key);
        }
    }

    #[test]
    fn defaults_are_those_of_the_method_files() {
        for switch in SWITCHES {
            let Some((id, field)) = switch.key.split_once('.') else { continue };
            let table = method::find(id).unwrap().default_table().unwrap();
            assert_eq!(table[field].to_string(), switch.default, "{}", switch.key);
        }
    }
}
