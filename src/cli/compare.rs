//! `compare A B` and `compare A --paper`: two runs, or a run and the published figures.

use std::path::Path;

use super::args::CompareArgs;
use super::exit::{Exit, Failure};
use super::named;
use crate::record::RunRecord;
use crate::report::compare::{against_paper, between_runs, drift, json, text};
use crate::report::files::write_atomically;
use crate::report::plot::Picture;

/// A comparison in every form it is given out in.
struct Compared {
    title: String,
    markdown: String,
    json: serde_json::Value,
    picture: Option<Picture>,
}

/// Differences are findings, not failures: the exit code is 0 whatever the comparison says.
pub(super) fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let first = records(&args.out, &args.first)?;
    let compared = match &args.second {
        Some(name) => two_runs(args, &first, name)?,
        None => with_paper(args, &first)?,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&compared.json)?);
    } else {
        println!("# {}\n\n{}", compared.title, compared.markdown.trim_end());
    }
    if let Some(dir) = &args.save {
        save(dir, &compared)?;
        eprintln!("comparison: {}", dir.join("README.md").display());
    }
    Ok(Exit::Ok)
}

fn two_runs(args: &CompareArgs, first: &[RunRecord], name: &str) -> Result<Compared, Failure> {
    let second = records(&args.out, name)?;
    let comparison = between_runs(first, &second)?;
    let title = format!("{} against {}", label(name), label(&args.first));
    Ok(Compared {
        markdown: text::runs(&comparison),
        json: json::runs(&comparison),
        picture: drift::runs(&comparison, &title)?,
        title,
    })
}

fn with_paper(args: &CompareArgs, first: &[RunRecord]) -> Result<Compared, Failure> {
    let comparison = against_paper(first)?;
    let title = format!("{} against the published figures", label(&args.first));
    Ok(Compared {
        markdown: text::paper(&comparison),
        json: json::paper(&comparison),
        picture: drift::paper(&comparison, &title)?,
        title,
    })
}

/// The last part of a name or path: a page must not hold the paths of a machine.
fn label(name: &str) -> String {
    Path::new(name).file_name().map_or_else(|| name.to_owned(), |part| part.to_string_lossy().into_owned())
}

/// Records of a run.
fn records(out: &Path, name: &str) -> Result<Vec<RunRecord>, Failure> {
    let records = named::find(out, name, "compare")?.store.all()?;
    if records.is_empty() {
        return Err(Failure::new(
            Exit::Data,
            format!("compare {name}: it holds no record; run the suite first"),
        ));
    }
    Ok(records)
}

fn save(dir: &Path, compared: &Compared) -> Result<(), Failure> {
    let mut page = format!("# {}\n\n", compared.title);
    if let Some(picture) = &compared.picture {
        page.push_str(&format!("![{}]({}.png)\n\n", compared.title, picture.name));
        page.push_str(
            "_Grey band: ±1 point. Bars: 95 % intervals, cut at 20 points. Hollow: no verdict. Each panel has its own scale._\n\n",
        );
        write_atomically(dir, &format!("{}.png", picture.name), &picture.png)?;
        write_atomically(dir, &format!("{}.svg", picture.name), picture.svg.as_bytes())?;
    }
    page.push_str(&compared.markdown);
    write_atomically(dir, "README.md", page.as_bytes())?;
    let json = serde_json::to_string_pretty(&compared.json)?;
    write_atomically(dir, "comparison.json", format!("{json}\n").as_bytes())?;
    Ok(())
}
