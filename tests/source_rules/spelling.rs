//! One spelling on all pages: "dataset", in what the program prints and in what people read beside it.

use std::path::Path;

use crate::sources::sources;

/// Places of a text, as `FILE:LINE`, where the word is written as two, also over a line's end.
fn written_as_two(file: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> =
        text.lines().map(|line| line.trim_start_matches([' ', '\t', '/', '!', '*'])).collect();
    let is_found = |at: usize| {
        let next = lines.get(at + 1).and_then(|line| line.split_whitespace().next()).unwrap_or_default();
        let text = format!("{} {next}", lines[at].trim_end_matches('\\')).to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let bare = |word: &'_ str| word.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned();
        words.windows(2).any(|pair| pair[0] == "data" && ["set", "sets"].contains(&bare(pair[1]).as_str()))
    };
    (0..lines.len()).filter(|at| is_found(*at)).map(|at| format!("{file}:{}", at + 1)).collect()
}

#[test]
fn a_dataset_is_one_word() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for source in sources() {
        found.extend(written_as_two(&source.path, &source.code));
    }
    for folder in [".", "docs", "suites", "reports"] {
        for entry in std::fs::read_dir(top.join(folder)).expect("the folder can be read") {
            let path = entry.expect("the folder can be listed").path();
            if path.extension().is_some_and(|ending| ending == "md" || ending == "toml") {
                let text = std::fs::read_to_string(&path).expect("the page can be read");
                found.extend(written_as_two(&path.display().to_string(), &text));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn two_words_are_found_in_a_line_and_over_its_end() {
    assert_eq!(written_as_two("a", "one dataset\na Data set\nof data\n/// sets. And\n"), ["a:2", "a:3"]);
    assert!(written_as_two("a", "`--data`, set to the data; sets of data\n").is_empty());
}
