//! The folder that claims lie in: the few operations they need of a file system, and the real one.
//!
//! Relied on, and no more: `link` and `rename` are single steps that all machines agree on, and a file that was
//! renamed into place is whole. NFS (3 and 4), Lustre, GPFS, BeeGFS, CephFS and local file systems give both. Not
//! relied on: locks, fresh listings, fresh reads, equal clocks.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::util::atomic_file;

/// A file as a claim reads it: its bytes, and when it was written by the file system's clock (seconds since 1970).
pub type ClaimText = (Vec<u8>, Option<u64>);

/// What claims ask of their folder. Names have no folder in them.
pub trait ClaimFolder: Send + Sync {
    /// Creates a whole file in one step; false where the name is taken.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool>;

    /// Replaces a file in one step.
    ///
    /// # Errors
    /// What the system says.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Renames a file; false where it is not there (any more). Of several who try, one succeeds.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<bool>;

    /// Reads a file; the answer may be some seconds old.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, name: &str) -> io::Result<Option<ClaimText>>;

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Names in the folder; the answer may be some seconds old.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Seconds since 1970 by the clock of this machine.
    fn now(&self) -> u64;
}

/// A folder of a real file system.
pub struct DiskFolder {
    dir: PathBuf,
}

impl DiskFolder {
    /// The folder `dir`, which need not exist.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// An answer, with "not there" told apart from what went wrong.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        // NFS calls a file that another machine removed "stale".
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::StaleNetworkFileHandle) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl ClaimFolder for DiskFolder {
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let whole = atomic_file::temporary_name(&self.path(name));
        fs::write(&whole, bytes)?;
        let linked = fs::hard_link(&whole, self.path(name));
        // A leftover is swept later.
        drop(fs::remove_file(&whole));
        match linked {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            // A file system without links (some in user space): the name alone is taken in one step there.
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
                match fs::File::create_new(self.path(name)) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                    file => file.and_then(|mut file| io::Write::write_all(&mut file, bytes)).map(|()| true),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        atomic_file::write_unsynced(&self.path(name), bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<bool> {
        there(fs::rename(self.path(from), self.path(to))).map(|done| done.is_some())
    }

    fn read(&self, name: &str) -> io::Result<Option<ClaimText>> {
        let path = self.path(name);
        let Some(bytes) = there(fs::read(&path))? else { return Ok(None) };
        let written = fs::metadata(&path).and_then(|data| data.modified()).ok();
        let written = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|age| age.as_secs());
        Ok(Some((bytes, written)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        there(fs::remove_file(self.path(name))).map(|_| ())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let Some(entries) = there(fs::read_dir(&self.dir))? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
    }
}
