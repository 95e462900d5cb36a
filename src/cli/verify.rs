//! `verify RECORD…`: are records true?

use std::path::{Path, PathBuf};

use super::args::VerifyArgs;
use super::exit::{Exit, Failure};
use super::named;
use super::signals::{graceful, stopped};
use super::suite::device;
use crate::backbone::{Precision, PrecisionError};
use crate::check::verify::{CellVerdict, RecheckError, quick, rerun};
use crate::record::RunRecord;
use crate::record::store::list_files;
use crate::suite::World;

pub(super) fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let paths = record_files(&args.records, &args.out)?;
    graceful();
    let mut open: Option<(String, World)> = None;
    let mut verdicts = Vec::new();
    for path in paths {
        let (mut verdict, parsed) = quick(&path)?;
        // What another program made cannot be run again by this one.
        if let (false, Some((record, run_dir))) = (args.quick || verdict.imported, parsed) {
            let needed = format!(
                "{} {} {}",
                record.provenance.data_kind, record.cell.profile, record.provenance.dtype
            );
            let (_, world) = match open.take().filter(|(name, _)| *name == needed) {
                Some(same) => open.insert(same),
                None => open.insert((needed, open_world(args, &record)?)),
            };
            let name = if verdict.faults.is_empty() { "" } else { "; it is not sound, see below" };
            eprintln!("running {} again{name}", verdict.cell);
            rerun(&record, &run_dir, world, &stopped, &mut verdict)?;
        }
        if !args.json {
            show(&verdict);
        }
        verdicts.push(verdict);
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.passes()).count();
    let imported = verdicts.iter().filter(|verdict| verdict.imported).count();
    if args.json {
        println!("{}", serde_json::json!({ "records": verdicts, "imported": imported, "pass": failed == 0 }));
    } else {
        let others = match imported {
            0 => String::new(),
            n => format!("; {n} imported ones are not verified, other programs made them"),
        };
        println!("{} records checked, {failed} with faults{others}", verdicts.len() - imported);
    }
    Ok(if failed == 0 { Exit::Ok } else { Exit::Differs })
}

/// Files as given; of a run, by its name or directory, all its records in key order.
fn record_files(given: &[PathBuf], out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if path.is_file() {
            files.push(path.clone());
            continue;
        }
        let inside = path.join("records");
        // A folder is looked up without reading a record in it: damaged ones are what is looked for.
        let folder = match (inside.is_dir(), path.is_dir()) {
            (true, _) => inside,
            (false, true) => path.clone(),
            (false, false) => {
                named::find(out, &path.to_string_lossy(), "verify")?.store.dir().join("records")
            }
        };
        let found = list_files(&folder, "json")?;
        if found.is_empty() {
            let message =
                format!("verify {}: it holds no record; expected runs/SUITE-PROFILE", path.display());
            return Err(Failure::new(Exit::Data, message));
        }
        files.extend(found.into_iter().map(|file| folder.join(file)));
    }
    Ok(files)
}

/// The world a record needs, which must be given unless it is the embedded one.
fn open_world(args: &VerifyArgs, record: &RunRecord) -> Result<World, Failure> {
    let usage = |flag: &str, what: &str| {
        let message = format!("verify {}: it was made with {what}; give {flag}", record.key);
        Err(Failure::new(Exit::Usage, message))
    };
    if record.provenance.data_kind != "pocket" && args.data.is_none() {
        return usage("--data DIR", "your own data");
    }
    if record.cell.profile != "pocket" && args.clip.is_none() {
        return usage("--clip DIR", &format!("the model {}", record.cell.profile));
    }
    let data = args.data.as_deref().filter(|_| record.provenance.data_kind != "pocket");
    let clip = args.clip.as_deref().filter(|_| record.cell.profile != "pocket");
    let precision: Precision = record.provenance.dtype.parse().map_err(|error: PrecisionError| {
        Failure::new(Exit::Data, format!("verify {}: {error}", record.key))
    })?;
    let mut world = World::open(data, clip.map(Path::new), &device(&args.device)?)?.rounded(precision)?;
    for value in &args.split_file {
        world.use_split_file(value)?;
    }
    if let Some(dir) = &args.draws {
        world.use_draws(dir)?;
    }
    Ok(world)
}

fn show(verdict: &CellVerdict) {
    let mark = match (verdict.passes(), verdict.imported) {
        (true, false) => "ok    ",
        (true, true) => "import",
        (false, _) => "FAULTY",
    };
    let path = &verdict.record_path;
    match &verdict.comparison {
        Some(comparison) if comparison.bit_equal => println!("{mark} {}: bit-equal: {path}", verdict.cell),
        Some(comparison) => println!(
            "{mark} {}: {} of {} predictions differ ({} % allowed: {}), p_true by {:.1e} on average ({} allowed), {:.1e} \
             at most: {path}",
            verdict.cell,
            comparison.predictions_different,
            comparison.predictions,
            comparison.tolerance.different_pct,
            comparison.tolerance.basis,
            comparison.mean_p_true_diff,
            comparison.tolerance.mean_p_true_diff,
            comparison.max_p_true_diff
        ),
        None => println!("{mark} {}: {path}", verdict.cell),
    }
    for text in &verdict.faults {
        println!("       {text}");
    }
    for text in &verdict.environment {
        println!("       made elsewhere, {text}");
    }
}

impl From<RecheckError> for Failure {
    fn from(error: RecheckError) -> Self {
        match error {
            RecheckError::Run { source, .. } => (*source).into(),
            RecheckError::Store(_) => Self::new(Exit::Data, error),
        }
    }
}
