//! `base2new.tex`: the table as LaTeX, for `\usepackage{booktabs}`.
//!
//! Bold and underline mean what they mean in the Markdown tables.

use super::context::Context;
use super::emphasis::latex;
use super::grid::Grid;
use super::headline::{Headline, QUANTITIES};
use super::names::dataset_name;
use super::number::count;

/// The whole table.
pub fn base_to_new(context: &Context<'_>, grid: &Grid<'_>, headline: &Headline) -> String {
    let arms = grid.arms.len();
    let mut out = String::from("% Needs \\usepackage{booktabs}.\n\\begin{table*}\n\\centering\n\\small\n");
    let caption = caption(context, grid);
    out.push_str(&format!(
        "\\caption{{{caption}}}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n",
        "rrr".repeat(arms)
    ));
    let names = grid.arms.iter().map(|arm| format!("& \\multicolumn{{3}}{{c}}{{{}}} ", escape(&arm.label())));
    out.push_str(&format!("{}\\\\\n", names.collect::<String>()));
    let rules = (0..arms).map(|a| format!("\\cmidrule(lr){{{}-{}}}", 3 * a + 2, 3 * a + 4));
    out.push_str(&format!("{}\n", rules.collect::<String>()));
    out.push_str(&format!("Dataset {}\\\\\n\\midrule\n", "& Base & New & H ".repeat(arms)));
    for (d, dataset) in grid.datasets.iter().enumerate() {
        let cells = (0..arms * 3).map(|column| cell(context, grid, headline, d, column));
        out.push_str(&format!("{} {}\\\\\n", escape(dataset_name(dataset)), cells.collect::<String>()));
    }
    let averages = averages(headline);
    out.push_str(&format!("\\midrule\n{averages}\\bottomrule\n\\end{{tabular}}\n\\end{{table*}}\n"));
    out
}

fn caption(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let shots = grid.shots.map_or_else(String::new, |k| format!(" ({})", count(k as usize, "shot")));
    let seeds = count(grid.seeds().1, "seed");
    let text = format!("Base-to-new accuracy in percent{shots}, mean over up to {seeds}");
    let rule = "Bold: better than every other method by a test at 5\\,\\% (within a dataset a linear model with \
        crossed random seeds and images, Holm's correction over the datasets; for averages Wilcoxon's signed \
        ranks over datasets). Underlined: second, in lines with a bold entry.";
    format!("{}. {rule}", escape(&context.titled(&text)))
}

fn cell(
    context: &Context<'_>,
    grid: &Grid<'_>,
    headline: &Headline,
    dataset: usize,
    column: usize,
) -> String {
    let (arm, half) = (column / 3, column % 3);
    let Some(value) = grid.cell(dataset, arm).and_then(|row| QUANTITIES[half].value(row)) else {
        let hole = super::section::hole(context, grid, dataset, arm);
        return format!("& {} ", if hole == "failed" { "failed" } else { "--" });
    };
    let mark = headline.line_marks[half].get(dataset).and_then(Option::as_ref);
    format!("& {} ", latex(format!("{value:.2}"), mark, arm))
}

/// The two last lines: base, new and H of averages; then the average of H alone.
fn averages(headline: &Headline) -> String {
    let text = |arm: usize, column: usize| match headline.averages[arm][column] {
        Some(value) => latex(format!("{value:.2}"), headline.average_marks[column].as_ref(), arm),
        None => "--".to_owned(),
    };
    let arms = 0..headline.averages.len();
    let first = |a: usize| format!("& {} & {} & {} ", text(a, 0), text(a, 1), text(a, 2));
    let first: String = arms.clone().map(first).collect();
    let second: String = arms.map(|a| format!("& & & {} ", text(a, 3))).collect();
    let n = headline.shared;
    format!("Average ($n={n}$), H of averages {first}\\\\\nAverage of H ($n={n}$) {second}\\\\\n")
}

/// Text that may hold anything (a folder's name) as LaTeX: every character with a meaning of its own is escaped.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            // Behind a line break `[` and `*` would be read as its argument.
            '[' => out.push_str("{[}"),
            '*' => out.push_str("{*}"),
            '\n' | '\r' | '\t' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn every_character_with_a_meaning_is_escaped() {
        assert_eq!(escape("a_b%c&d#e$f"), "a\\_b\\%c\\&d\\#e\\$f");
        assert_eq!(escape("{x}~^\\"), "\\{x\\}\\textasciitilde{}\\textasciicircum{}\\textbackslash{}");
        assert_eq!(escape("[*] a\nb"), "{[}{*}] a b");
        assert_eq!(escape("plain (k=4)"), "plain (k=4)");
    }
}
