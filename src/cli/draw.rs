//! `data draw`: a draw handed out, in every form asked for.

use std::io::Write;
use std::path::Path;

use super::args::DrawArgs;
use super::exit::{Exit, Failure};
use crate::data::{Classes, DataRoot, FewShot, PyRandom};
use crate::handout::{DatasetLists, DrawHandout, HandoutError, dassl_pickle, jsonl};
use crate::import::error::read;
use crate::util::atomic_file;

pub(super) fn draw(args: &DrawArgs) -> Result<Exit, Failure> {
    let lists = DatasetLists::open(args.data.as_deref(), &args.dataset)?;
    let drawn = drawn(args, &lists)?;
    let whole = |format: &'static str| match args.classes {
        Classes::All => Ok(()),
        classes => Err(HandoutError::WholeOnly { format, classes }),
    };
    if let Some(file) = &args.json {
        put(file, format!("{}\n", serde_json::to_string_pretty(&drawn)?).as_bytes())?;
    }
    if let Some(file) = &args.csv {
        put(file, &drawn.csv().map_err(|error| Failure::new(Exit::Internal, error))?)?;
    }
    if let Some(file) = &args.jsonl {
        whole("--jsonl")?;
        put(file, jsonl::write(&drawn)?.as_bytes())?;
    }
    if let Some(file) = &args.dassl {
        whole("--dassl")?;
        let root = match (&args.root, &args.data) {
            (Some(root), _) => root.clone(),
            (None, Some(data)) => DataRoot::parse(data)?.path().display().to_string(),
            (None, None) => String::new(),
        };
        put(file, &dassl_pickle::bytes(&drawn, root.trim_end_matches('/')))?;
    }
    Ok(Exit::Ok)
}

/// CoOp's draw of the seed, or the one of a file.
fn drawn(args: &DrawArgs, lists: &DatasetLists) -> Result<DrawHandout, Failure> {
    let name = (args.seed.as_str(), args.shots);
    let random = PyRandom::from_decimal(&args.seed).map_err(|error| Failure::new(Exit::Usage, error))?;
    let Some(file) = &args.from else { return Ok(DrawHandout::new(lists, args.classes, name, random)) };
    let train = jsonl::read(&read(file)?, &file.display().to_string(), lists)?;
    Ok(DrawHandout::of(lists, args.classes, name, &FewShot { train, val: Vec::new() }))
}

/// Writes a file, or stdout for `-`.
fn put(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if file == Path::new("-") {
        return Ok(std::io::stdout().write_all(bytes)?);
    }
    atomic_file::write(file, bytes)
        .map_err(|error| Failure::new(Exit::RunFailed, format!("write {}: {error}", file.display())))
}
