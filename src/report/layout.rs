//! What makes a long page readable: its contents, and long tables folded away.

use super::markdown::folded;

/// Lines a table may have in sight.
const LONGEST: usize = 25;

/// Links to the sections, on one line.
pub fn contents(headings: &[String]) -> String {
    let links: Vec<String> =
        headings.iter().map(|text| format!("[{}](#{})", plain(text), anchor(text))).collect();
    format!("**Contents.** {}", links.join(" · "))
}

/// A heading without the words in brackets, which every one of them ends with.
fn plain(heading: &str) -> &str {
    heading.split(" [").next().unwrap_or(heading)
}

/// The anchor that GitHub makes of a heading: lower case, no punctuation but hyphens and underscores, hyphens for
/// spaces.
pub fn anchor(heading: &str) -> String {
    let keep = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    };
    heading.to_lowercase().chars().filter_map(keep).collect()
}

/// The text with every long table folded that is not folded yet.
pub fn with_long_tables_folded(text: &str) -> String {
    let (mut out, mut table, mut depth) = (String::new(), Vec::new(), 0usize);
    for line in text.lines() {
        if line.starts_with('|') {
            table.push(line);
            continue;
        }
        flush(&mut out, &mut table, depth);
        depth += line.matches("<details>").count();
        depth = depth.saturating_sub(line.matches("</details>").count());
        out.push_str(line);
        out.push('\n');
    }
    flush(&mut out, &mut table, depth);
    out
}

fn flush(out: &mut String, table: &mut Vec<&str>, depth: usize) {
    if table.is_empty() {
        return;
    }
    // A header and a rule come before the lines.
    let lines = table.len().saturating_sub(2);
    let text = format!("{}\n", table.join("\n"));
    table.clear();
    match depth == 0 && lines > LONGEST {
        true => out.push_str(&folded(&format!("Table of {lines} lines"), &text)),
        false => out.push_str(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!(anchor("Base to new [pocket]"), "base-to-new-pocket");
        assert_eq!(anchor("Do the methods differ?"), "do-the-methods-differ");
        assert_eq!(
            anchor("Transfer [pocket, at most 3 test images a class]"),
            "transfer-pocket-at-most-3-test-images-a-class"
        );
        let text = contents(&["Ablation [pocket]".to_owned(), "Cost".to_owned()]);
        assert_eq!(text, "**Contents.** [Ablation](#ablation-pocket) · [Cost](#cost)");
    }

    #[test]
    fn long_tables_are_folded_once_and_short_ones_stay() {
        let table = |lines: usize| format!("| a |\n|:--|\n{}", "| 1 |\n".repeat(lines));
        let short = format!("before\n\n{}\nafter\n", table(LONGEST));
        assert_eq!(with_long_tables_folded(&short), short);
        let long = with_long_tables_folded(&format!("before\n\n{}\nafter\n", table(LONGEST + 1)));
        assert!(
            long.contains("<summary>Table of 26 lines</summary>") && long.ends_with("</details>\n\nafter\n")
        );
        assert_eq!(with_long_tables_folded(&long), long, "what is folded is not folded again");
    }
}
