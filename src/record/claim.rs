//! Who is working on which cell: one small file a cell, so that several processes can share an output.
//!
//! It owns the folder `claims` of a run directory. Claims are about work in progress only: a record never
//! mentions one, and losing one costs double work, never a wrong number. Easy to get wrong: after `kill -9`
//! the claim stays; its process being gone frees it at once, a silent one on another machine after ten minutes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::holder::Holder;
use super::store::list_files;
use crate::util::atomic_file;

/// A claim whose heartbeat is older than this many seconds is void.
pub const STALE_SECS: u64 = 600;
/// Time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// The file whose lock makes each change of a claim one step.
const LOCK: &str = ".lock";

/// The claims of one process on one run directory.
pub struct Claims {
    shared: Arc<Shared>,
    stop: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

struct Shared {
    dir: PathBuf,
    me: Holder,
    held: Mutex<BTreeSet<String>>,
}

/// A claim that is ours until this is dropped.
pub struct Held {
    shared: Arc<Shared>,
    key: String,
}

impl Claims {
    /// Opens the claims of the run directory `run`, and starts their heartbeat.
    ///
    /// # Errors
    /// What the system says when the folder cannot be made.
    pub fn open(run: &Path) -> io::Result<Self> {
        let dir = run.join("claims");
        fs::create_dir_all(&dir)?;
        let shared = Arc::new(Shared { dir, me: Holder::this_process(), held: Mutex::default() });
        shared.sweep()?;
        let (stop, stopped) = mpsc::channel();
        let beating = Arc::clone(&shared);
        let heart = std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
            while stopped.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                // A heartbeat that cannot be written costs double work at worst; the run goes on.
                drop(beating.beat());
            }
        })?;
        Ok(Self { shared, stop: Some(stop), heart: Some(heart) })
    }

    /// Claims a cell; the other holder where it is taken.
    ///
    /// # Errors
    /// What the system says.
    pub fn take(&self, key: &str) -> io::Result<Result<Held, Holder>> {
        let shared = &self.shared;
        let _lock = shared.lock()?;
        if let Some(other) = shared.living(key) {
            return Ok(Err(other));
        }
        shared.write(key)?;
        if let Ok(mut held) = shared.held.lock() {
            held.insert(key.to_owned());
        }
        Ok(Ok(Held { shared: Arc::clone(shared), key: key.to_owned() }))
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(heart) = self.heart.take() {
            // A heartbeat that panicked has nothing left to stop.
            drop(heart.join());
        }
    }
}

impl Shared {
    /// Held until dropped; a file system without locks goes without.
    fn lock(&self) -> io::Result<File> {
        lock_file(&self.dir.join(LOCK))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.dir.join(format!("{key}.json"))
    }

    /// Who holds a cell; a damaged claim is nobody's.
    fn holder(&self, key: &str) -> Option<Holder> {
        serde_json::from_slice(&fs::read(self.path(key)).ok()?).ok()
    }

    /// Who holds a cell and is alive, as far as can be told.
    fn living(&self, key: &str) -> Option<Holder> {
        let path = self.path(key);
        self.holder(key).filter(|holder| holder.holds(now(), written(&path)))
    }

    /// Removes claims that are void and temporary files that were never renamed.
    fn sweep(&self) -> io::Result<()> {
        let _lock = self.lock()?;
        atomic_file::sweep(&self.dir);
        for name in list_files(&self.dir, "json")? {
            let key = name.trim_end_matches(".json");
            if self.living(key).is_none() {
                fs::remove_file(self.path(key))?;
            }
        }
        Ok(())
    }

    /// Not synced: a claim that a power cut loses was its process's last.
    fn write(&self, key: &str) -> io::Result<()> {
        let claim = Holder { heartbeat: now(), ..self.me.clone() };
        atomic_file::write_unsynced(&self.path(key), &serde_json::to_vec(&claim)?)
    }

    fn beat(&self) -> io::Result<()> {
        let _lock = self.lock()?;
        let held = self.held.lock().map_or_else(|_| BTreeSet::new(), |held| held.clone());
        for key in held {
            // After a long suspension the cell may be somebody else's by now.
            if self.holder(&key).is_some_and(|holder| holder.is_same_process(&self.me)) {
                self.write(&key)?;
            }
        }
        Ok(())
    }

    fn release(&self, key: &str) -> io::Result<()> {
        if let Ok(mut held) = self.held.lock() {
            held.remove(key);
        }
        let _lock = self.lock()?;
        match self.holder(key) {
            Some(holder) if holder.is_same_process(&self.me) => fs::remove_file(self.path(key)),
            _ => Ok(()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A claim that cannot be removed goes stale by itself.
        drop(self.shared.release(&self.key));
    }
}

/// Waits for the lock of a file and holds it until the answer is dropped, or the process ends. A file system
/// without locks gives the file unlocked.
///
/// # Errors
/// What the system says.
pub fn lock_file(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    }
}

/// Number of cells of the run directory `run` that living processes hold.
pub fn living_claims(run: &Path) -> usize {
    let dir = run.join("claims");
    let shared = Shared { me: Holder::this_process(), held: Mutex::default(), dir };
    let names = list_files(&shared.dir, "json").unwrap_or_default();
    names.iter().filter(|name| shared.living(name.trim_end_matches(".json")).is_some()).count()
}

/// When a file was written, in seconds since 1970; `None` where the system does not say.
fn written(path: &Path) -> Option<u64> {
    let time = fs::metadata(path).and_then(|data| data.modified()).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|elapsed| elapsed.as_secs())
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(run: &Path, holder: &Holder) {
        fs::write(run.join("claims/k.json"), serde_json::to_vec(holder).unwrap()).unwrap();
    }

    #[test]
    fn a_cell_has_one_holder_until_it_is_released() {
        let run = tempfile::tempdir().unwrap();
        let (first, second) = (Claims::open(run.path()).unwrap(), Claims::open(run.path()).unwrap());
        let held = first.take("k").unwrap().ok().unwrap();
        assert_eq!(second.take("k").unwrap().err().unwrap().pid, std::process::id());
        assert!(second.take("other").unwrap().is_ok());
        drop(held);
        assert!(second.take("k").unwrap().is_ok());
        assert!(!run.path().join("claims/k.json").exists());
    }

    #[test]
    fn a_foreign_claim_holds_for_ten_minutes_and_a_dead_neighbour_s_not_at_all() {
        let run = tempfile::tempdir().unwrap();
        let claims = Claims::open(run.path()).unwrap();
        let me = Holder::this_process();
        let other = Holder { host: "elsewhere".to_owned(), heartbeat: now() - STALE_SECS + 20, ..me.clone() };
        plant(run.path(), &other);
        assert!(claims.take("k").unwrap().is_err());
        plant(run.path(), &Holder { heartbeat: now() - STALE_SECS - 1, ..other.clone() });
        assert!(claims.take("k").unwrap().is_ok());
        let gone = Holder { started: Some(1), heartbeat: now(), ..me.clone() };
        plant(run.path(), &gone);
        assert_eq!(claims.take("k").unwrap().is_ok(), me.started.is_some());
        fs::write(run.path().join("claims/k.json"), "{").unwrap();
        assert!(claims.take("k").unwrap().is_ok());
    }

    #[test]
    fn a_claim_of_a_clock_ahead_ends_ten_minutes_after_it_was_written() {
        let run = tempfile::tempdir().unwrap();
        let claims = Claims::open(run.path()).unwrap();
        let ahead =
            Holder { host: "elsewhere".to_owned(), heartbeat: now() + 86_400, ..Holder::this_process() };
        plant(run.path(), &ahead);
        assert!(claims.take("k").unwrap().is_err(), "just written");
        let old = SystemTime::now() - Duration::from_secs(STALE_SECS + 60);
        let file = File::options().write(true).open(run.path().join("claims/k.json")).unwrap();
        file.set_modified(old).unwrap();
        assert!(claims.take("k").unwrap().is_ok(), "a day ahead, and silent");
    }

    #[test]
    fn void_claims_and_half_written_ones_are_swept() {
        let run = tempfile::tempdir().unwrap();
        drop(Claims::open(run.path()).unwrap());
        let me = Holder::this_process();
        let other = Holder { host: "elsewhere".to_owned(), heartbeat: now(), ..me };
        plant(run.path(), &Holder { heartbeat: now() - STALE_SECS - 1, ..other.clone() });
        fs::write(run.path().join("claims/living.json"), serde_json::to_vec(&other).unwrap()).unwrap();
        drop(Claims::open(run.path()).unwrap());
        assert!(!run.path().join("claims/k.json").exists());
        assert_eq!(living_claims(run.path()), 1);
    }

    #[test]
    fn a_heartbeat_leaves_a_lost_claim_to_its_new_holder() {
        let run = tempfile::tempdir().unwrap();
        let claims = Claims::open(run.path()).unwrap();
        let held = claims.take("k").unwrap().ok().unwrap();
        let old = Holder { heartbeat: 5, ..Holder::this_process() };
        plant(run.path(), &old);
        claims.shared.beat().unwrap();
        assert!(claims.shared.holder("k").unwrap().heartbeat > 5);
        let other = Holder { host: "elsewhere".to_owned(), ..old };
        plant(run.path(), &other);
        claims.shared.beat().unwrap();
        drop(held);
        assert_eq!(claims.shared.holder("k").unwrap(), other);
    }
}
