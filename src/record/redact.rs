//! Keeps this machine out of what is written: paths become `<data>`, `<clip>`, `<out>`, `<path>`.
//!
//! It owns the command line of a record and the error texts of failed cells. Easy to get wrong: an error
//! of the operating system or of a library can carry a path nobody typed, so any absolute path goes.

use std::path::Path;

/// Command-line flags whose values are paths, with the word they become.
const PATH_FLAGS: [&str; 7] = ["data", "clip", "prompts", "out", "cache", "split-file", "draws"];
/// Longest error text kept; a library may append a stack trace.
const MAX_CHARS: usize = 500;

/// Replaces known places by their names, and every other absolute path by `<path>`.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Path and name, longest path first.
    places: Vec<(String, &'static str)>,
}

impl Redactor {
    /// A redactor that knows these places, each as typed and as the system resolves it.
    pub fn new<'a>(places: impl IntoIterator<Item = (&'a Path, &'static str)>) -> Self {
        let mut known = Vec::new();
        for (path, name) in places {
            let real = path.canonicalize().ok();
            let forms = [Some(path.to_owned()), real];
            known.extend(forms.into_iter().flatten().map(|form| (form.display().to_string(), name)));
        }
        // A relative place such as `.` stands inside ordinary words.
        known.retain(|(path, _)| path.starts_with('/') && path.len() > 1);
        known.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        known.dedup();
        Self { places: known }
    }

    /// The first line of `text` without paths of this machine, at most 500 characters.
    pub fn text(&self, text: &str) -> String {
        let mut line = text.lines().next().unwrap_or_default().to_owned();
        for (path, name) in &self.places {
            line = line.replace(path, name);
        }
        without_absolute_paths(&line).chars().take(MAX_CHARS).collect()
    }
}

/// The command line with the values of the flags that take paths named, and every other word that is a path
/// hidden.
pub fn command_line(args: impl IntoIterator<Item = String>) -> String {
    let mut words = vec!["rpo-bench".to_owned()];
    let mut hide: Option<String> = None;
    for arg in args.into_iter().skip(1) {
        if let Some(name) = hide.take() {
            words.push(format!("<{name}>"));
            continue;
        }
        let (flag, value) = arg.split_once('=').map_or((arg.as_str(), None), |(f, v)| (f, Some(v)));
        match flag.strip_prefix("--").filter(|name| PATH_FLAGS.contains(name)) {
            Some(name) if value.is_some() => words.push(format!("--{name}=<{name}>")),
            Some(name) => {
                hide = Some(name.to_owned());
                words.push(arg);
            }
            None if is_path(&arg) => words.push("<path>".to_owned()),
            None => words.push(without_absolute_paths(&arg)),
        }
    }
    words.join(" ")
}

fn is_path(word: &str) -> bool {
    ["/", "~", "./", "../"].iter().any(|start| word.starts_with(start)) || word.contains(":\\")
}

/// Every `/a/b…` that starts a word (after a space, quote, bracket, `=` or `:`) becomes `<path>`.
fn without_absolute_paths(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'`()[]{}<>,;".contains(c);
    let starts = |c: char| c.is_whitespace() || "\"'`([{,;=:".contains(c);
    let (mut out, mut rest, mut previous) = (String::with_capacity(text.len()), text, ' ');
    while let Some(c) = rest.chars().next() {
        let word = rest.split(ends).next().unwrap_or_default();
        if c == '/' && starts(previous) && word.len() > 1 {
            let kept = word.trim_end_matches([':', '.']);
            out.push_str("<path>");
            rest = &rest[kept.len()..];
            previous = '>';
            continue;
        }
        out.push(c);
        previous = c;
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(args: &[&str]) -> String {
        command_line(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn paths_leave_the_command_line() {
        let typed = ["x", "suite", "base2new", "--data", "/home/me/DATA", "--clip=/models/x", "--seeds", "1"];
        assert_eq!(line(&typed), "rpo-bench suite base2new --data <data> --clip=<clip> --seeds 1");
        assert_eq!(line(&["x", "suite", "/home/me/a.toml"]), "rpo-bench suite <path>");
        assert_eq!(line(&["x", "--set", "a=/home/me"]), "rpo-bench --set a=<path>");
        assert_eq!(line(&["x", "--shard", "1/2"]), "rpo-bench --shard 1/2");
    }

    #[test]
    fn paths_leave_error_texts() {
        let redactor = Redactor::new([(Path::new("/srv/DATA"), "<data>"), (Path::new("."), "<out>")]);
        let said =
            redactor.text("read /srv/DATA/eurosat/a.jpg: open '/home/me/x y': no such file\n  0: /rustc/z");
        assert_eq!(said, "read <data>/eurosat/a.jpg: open '<path> y': no such file");
        assert_eq!(redactor.text("shape [2, 3]/[4]: 1/2 of a/b"), "shape [2, 3]/[4]: 1/2 of a/b");
        assert_eq!(redactor.text("é /x: ü"), "é <path>: ü");
    }
}
