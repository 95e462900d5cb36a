//! Markdown tables with aligned source text: the files are read in diffs as often as in a browser.

/// A table under construction. The first column is left-aligned, the others right-aligned.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    left_columns: usize,
}

impl Table {
    /// A table with a header line.
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Self {
        Self { rows: vec![header.into_iter().map(Into::into).collect()], left_columns: 1 }
    }

    /// Left-aligns the first `count` columns instead of one.
    pub fn left(mut self, count: usize) -> Self {
        self.left_columns = count;
        self
    }

    /// Adds a line. Short lines are filled with empty cells.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Whether there is no line besides the header.
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The table as Markdown, ending in a line break.
    pub fn markdown(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], j: usize| row.get(j).map_or_else(String::new, |text| escape(text));
        let width = |j: usize| self.rows.iter().map(|row| cell(row, j).chars().count()).fold(3, usize::max);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for (i, row) in self.rows.iter().enumerate() {
            let padded = widths.iter().enumerate().map(|(j, &width)| {
                let text = cell(row, j);
                let fill = " ".repeat(width.saturating_sub(text.chars().count()));
                if j < self.left_columns { format!(" {text}{fill} ") } else { format!(" {fill}{text} ") }
            });
            out.push_str(&format!("|{}|\n", padded.collect::<Vec<_>>().join("|")));
            if i == 0 {
                let rule = widths.iter().enumerate().map(|(j, &width)| {
                    if j < self.left_columns {
                        format!(":{}", "-".repeat(width + 1))
                    } else {
                        format!("{}:", "-".repeat(width + 1))
                    }
                });
                out.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
            }
        }
        out
    }
}

/// Text that may hold anything (an error message, a file name) as the content of one cell.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// A block that is folded away until it is clicked.
pub fn folded(summary: &str, body: &str) -> String {
    format!("<details>\n<summary>{summary}</summary>\n\n{}\n\n</details>\n", body.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_aligned_and_cannot_break_the_table() {
        let mut table = Table::new(["a", "b"]);
        table.row(["x|y\nz", "1"]);
        table.row(["only one"]);
        let expected = "| a        |   b |\n|:---------|----:|\n| x\\|y z   |   1 |\n| only one |     |\n";
        assert_eq!(table.markdown(), expected);
    }
}
