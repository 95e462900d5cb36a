//! The crate's sources as text.

use std::collections::BTreeSet;
use std::path::Path;

/// A source file: its path below `src`, and its code.
pub struct Source {
    pub path: String,
    /// Without comments and tests.
    pub code: String,
    /// The file's own description.
    pub head: String,
    /// Lines, with everything.
    pub lines: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let body = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code = body.lines().filter(|line| !line.trim_start().starts_with("//"));
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        Self {
            path: path.to_owned(),
            code: code.collect::<Vec<_>>().join("\n"),
            head: head.join("\n"),
            lines: text.lines().count(),
        }
    }

    /// The room: the first folder, or the file's name for a file at the top.
    pub fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Names that stand behind `crate::`, several levels joined by `::`.
    pub fn imports(&self) -> BTreeSet<String> {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let mut found = BTreeSet::new();
        for (at, _) in self.code.match_indices("crate::") {
            let rest = &self.code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                None => {
                    found.insert(rest.split(|c| !word(c)).next().unwrap_or_default().to_owned());
                }
                Some(list) => {
                    let list = list.split("};").next().unwrap_or_default();
                    found.extend(
                        list.split(',').map(|name| {
                            name.trim().split(|c| !word(c)).next().unwrap_or_default().to_owned()
                        }),
                    );
                }
            }
        }
        found
    }
}

/// Every file below `dir`, with its path below `top`.
fn walk(dir: &Path, top: &Path, out: &mut Vec<Source>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, top, out)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            out.push(Source::new(&name, &std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// Every source of the crate, in path order.
pub fn sources() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    walk(&top, &top, &mut out).expect("the sources can be read");
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}
