//! `suite new NAME`: a suite file to begin with.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::exit::{Exit, Failure};
use crate::suite::new_suite;

/// Writes NAME.toml into a folder; a file that is there stays as it is.
pub(super) fn write(name: &str, folder: &Path) -> Result<Exit, Failure> {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    let text = new_suite(name)?;
    let file = format!("{name}.toml");
    let path = if folder == Path::new(".") { file.into() } else { folder.join(file) };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(
            Exit::Usage,
            format!("write {}: it is there already; give another name", path.display()),
        ),
        _ => Failure::new(Exit::RunFailed, format!("write {}: {error}", path.display())),
    };
    let mut file = File::create_new(&path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    println!("{}: every key is explained there", path.display());
    println!("look: rpo-bench suite {0} --plan; run: rpo-bench suite {0}", path.display());
    Ok(Exit::Ok)
}
