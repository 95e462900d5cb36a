//! Files that appear under their name only when complete: written beside it, synced, renamed.
//!
//! It owns the temporary names and the sweep of those a killed process left behind. Easy to get wrong: the
//! rename itself survives a power cut only once the folder is synced too.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Ending of temporary names; the rest is `.NAME.HOST-PID-COUNT`: machines that share a folder count their own ids.
const ENDING: &str = ".tmp";
/// No write takes this long: an older temporary file was left by a killed process.
const ABANDONED: Duration = Duration::from_secs(600);

/// Tells apart the temporary names of threads that write at once.
static COUNT: AtomicU64 = AtomicU64::new(0);
static HOST: OnceLock<String> = OnceLock::new();

/// Replaces `path` by `bytes` in one step.
///
/// # Errors
/// What the system says; what was there stays, and no temporary file does.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write()`], without waiting for the disk: for files that can be made again and are checked when read.
///
/// # Errors
/// What the system says; what was there stays, and no temporary file does.
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        drop(fs::remove_file(&temporary));
    })
}

/// Replaces `path` in one step by what `fill` writes.
///
/// # Errors
/// What the system or `fill` says; what was there stays, and no temporary file does.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary_name(path);
    let written = complete(&temporary, fill).and_then(|()| fs::rename(&temporary, path));
    written.inspect_err(|_| {
        // The first error is the one to report, whether or not the leftover could be removed.
        drop(fs::remove_file(&temporary));
    })?;
    sync_folder(path)
}

fn complete(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    fill(&mut file)?;
    file.flush()?;
    file.get_ref().sync_all()
}

/// A name beside `path` that nobody else uses and that [`sweep`] knows.
pub fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().display().to_string();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let host = HOST.get_or_init(|| {
        let host = super::machine::host();
        host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
    });
    path.with_file_name(format!(".{name}.{host}-{}-{count}{ENDING}", std::process::id()))
}

/// Makes a rename in the folder of `path` durable, where the system can.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network and user-space file systems cannot sync a folder: the file itself is complete.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes temporary files in `folder` that a killed process left more than ten minutes ago.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let temporary = name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(ENDING));
        let modified = entry.metadata().and_then(|data| data.modified());
        let old = modified
            .is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > ABANDONED));
        if temporary && old {
            // A leftover that stays does no harm: nothing reads temporary names.
            drop(fs::remove_file(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write(&path, b"old").unwrap();
        let error = write_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert_eq!(error.unwrap_err().to_string(), "disk full");
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path())),
            (b"old".to_vec(), vec!["a.json".into()])
        );
    }

    #[test]
    fn a_temporary_name_is_of_one_machine_and_one_write() {
        let (one, two) = (temporary_name(Path::new("d/a.json")), temporary_name(Path::new("d/a.json")));
        let name = one.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!(".a.json.{}", HOST.get().unwrap())), "{name}");
        assert!(one != two && one.parent() == Some(Path::new("d")));
    }

    #[test]
    fn only_old_leftovers_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".a.json.1-0.tmp", ".b.json.1-0.tmp", "c.json"] {
            let file = File::create(folder.path().join(name)).unwrap();
            if name != ".b.json.1-0.tmp" {
                file.set_modified(SystemTime::now() - Duration::from_secs(700)).unwrap();
            }
        }
        sweep(folder.path());
        assert_eq!(names(folder.path()), [".b.json.1-0.tmp", "c.json"]);
    }
}
