//! Who is working on which cell: one small file a cell, so that several processes can share an output.
//!
//! It owns the folder `claims` of a run directory: `KEY.json` says who works on a cell and is never changed, only
//! made (by `link`) and taken away (by `rename`); `.alive-TOKEN` is a process's sign of life, written by it alone.
//! So no lock is needed, on one machine or on two hundred. Claims are about work in progress only: a record never
//! mentions one, and losing one costs double work, never a wrong number. Easy to get wrong: after `kill -9` the claim
//! stays; its process being gone (by this system's word, or the scheduler's) frees it at once, silence in ten minutes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::claim_folder::{ClaimFolder, DiskFolder};
use super::holder::{ClaimedWork, Holder};
use crate::util::atomic_file;

/// A claim without a sign of life for this many seconds is void.
pub const STALE_SECS: u64 = 600;
/// Time between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// Another process may be as fast, time and again; after so many rounds the cell is its.
const ROUNDS: usize = 4;

/// Whether a holder is certainly gone, by somebody who knows more than its sign of life: a scheduler.
pub type Gone = Arc<dyn Fn(&Holder) -> bool + Send + Sync>;

/// The claims of one process on one run directory.
pub struct Claims {
    board: Arc<Board<DiskFolder>>,
    stop: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

/// A claim that is ours until this is dropped.
pub struct Held {
    board: Arc<Board<DiskFolder>>,
    key: String,
}

impl Claims {
    /// Opens the claims of the run directory `run`, and starts their signs of life. `task` says who holds them, where
    /// a scheduler started the process, and `gone` knows of holders that are.
    ///
    /// # Errors
    /// What the system says when the folder cannot be made or written to.
    pub fn open(run: &Path, me: Holder, gone: Gone) -> io::Result<Self> {
        let dir = run.join("claims");
        fs::create_dir_all(&dir)?;
        atomic_file::sweep(&dir);
        let board = Arc::new(Board { folder: DiskFolder::new(&dir), me, gone });
        board.beat()?;
        let (stop, stopped) = mpsc::channel();
        let beating = Arc::clone(&board);
        let heart = std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
            while stopped.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                // A sign of life that cannot be written costs double work at worst; the run goes on.
                drop(beating.beat());
            }
        })?;
        Ok(Self { board, stop: Some(stop), heart: Some(heart) })
    }

    /// Claims a cell; the other holder where it is taken.
    ///
    /// # Errors
    /// What the system says.
    pub fn take(&self, key: &str, work: Option<ClaimedWork>) -> io::Result<Result<Held, Holder>> {
        let taken = self.board.take(key, work)?;
        Ok(taken.map(|()| Held { board: Arc::clone(&self.board), key: key.to_owned() }))
    }

    /// Cells that somebody has claimed, dead or alive, as of some seconds ago: where not to look first.
    ///
    /// # Errors
    /// What the system says.
    pub fn listed(&self) -> io::Result<BTreeSet<String>> {
        Ok(keys(self.board.folder.list()?))
    }

    /// Removes void claims and the signs of life of dead processes: for the end of a run.
    ///
    /// # Errors
    /// What the system says.
    pub fn sweep(&self) -> io::Result<()> {
        self.board.sweep()
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(heart) = self.heart.take() {
            // A heartbeat that panicked has nothing left to stop.
            drop(heart.join());
        }
        // One that stays is swept at the end of another run.
        drop(self.board.folder.remove(&sign(&self.board.me.token)));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A claim that cannot be removed goes stale by itself.
        drop(self.board.release(&self.key));
    }
}

/// Holders of the run directory `run` that are alive, as far as can be told, with the key each works on.
///
/// # Errors
/// What the system says.
pub fn living(run: &Path, gone: Gone) -> io::Result<Vec<(String, Holder)>> {
    let folder = DiskFolder::new(&run.join("claims"));
    let board = Board { folder, me: Holder::this_process(), gone };
    let mut found = Vec::new();
    for key in keys(board.folder.list()?) {
        if let Some(Claim { holder, living: true, .. }) = board.look(&file(&key))? {
            found.push((key, holder));
        }
    }
    Ok(found)
}

/// Number of cells of the run directory `run` that living processes hold, as far as this machine can tell.
pub fn living_claims(run: &Path) -> usize {
    living(run, Arc::new(|_| false)).map_or(0, |holders| holders.len())
}

pub(super) fn keys(names: Vec<String>) -> BTreeSet<String> {
    let visible = names.into_iter().filter(|name| !name.starts_with('.'));
    visible.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect()
}

fn file(key: &str) -> String {
    format!("{key}.json")
}

fn sign(token: &str) -> String {
    format!(".alive-{token}")
}

/// The claims in one folder, as one process sees them.
pub(super) struct Board<F> {
    pub folder: F,
    pub me: Holder,
    pub gone: Gone,
}

/// A claim that was read.
struct Claim {
    holder: Holder,
    living: bool,
    bytes: Vec<u8>,
}

impl<F: ClaimFolder> Board<F> {
    /// Claims a cell, or says who has it. A claim whose holder is gone is taken away first, which only one can do.
    pub(super) fn take(&self, key: &str, work: Option<ClaimedWork>) -> io::Result<Result<(), Holder>> {
        let mine = Holder { heartbeat: self.folder.now(), work, ..self.me.clone() };
        let bytes = serde_json::to_vec(&mine)?;
        let mut other = None;
        for _ in 0..ROUNDS {
            match self.look(&file(key))? {
                Some(claim) if claim.living => return Ok(Err(claim.holder)),
                Some(_) => other = self.take_away(key, |claim| !claim.living)?.or(other),
                None => {}
            }
            if self.folder.create(&file(key), &bytes)? {
                return Ok(Ok(()));
            }
            // A network file system may have done it and lost the answer.
            if let Some(claim) = self.look(&file(key))? {
                if claim.holder.token == mine.token && !mine.token.is_empty() {
                    return Ok(Ok(()));
                }
                other = Some(claim.holder);
            }
        }
        Ok(Err(other.unwrap_or(mine)))
    }

    /// Gives a cell back, unless it is somebody else's by now.
    pub(super) fn release(&self, key: &str) -> io::Result<()> {
        self.take_away(key, |claim| claim.holder.token == self.me.token).map(|_| ())
    }

    /// Takes a claim out of its place where it is as `wanted`; puts it back and gives its holder where, at second
    /// sight, it is not. What is renamed is read under a name of one's own, so nobody changes it meanwhile.
    fn take_away(&self, key: &str, wanted: impl Fn(&Claim) -> bool) -> io::Result<Option<Holder>> {
        let aside = format!(".void-{}-{key}", self.me.token);
        if !self.folder.rename(&file(key), &aside)? {
            return Ok(None);
        }
        let kept = match self.look(&aside)? {
            Some(claim) if !wanted(&claim) => {
                self.folder.create(&file(key), &claim.bytes)?;
                Some(claim.holder)
            }
            _ => None,
        };
        self.folder.remove(&aside)?;
        Ok(kept)
    }

    /// The claim in a file; a damaged one is nobody's.
    fn look(&self, name: &str) -> io::Result<Option<Claim>> {
        let Some((bytes, written)) = self.folder.read(name)? else { return Ok(None) };
        let Ok(holder) = serde_json::from_slice::<Holder>(&bytes) else {
            return Ok(Some(Claim { holder: Holder::default(), living: false, bytes }));
        };
        let living = self.is_living(&holder, written)?;
        Ok(Some(Claim { holder, living, bytes }))
    }

    fn is_living(&self, holder: &Holder, written: Option<u64>) -> io::Result<bool> {
        if holder.is_gone() || (self.gone)(holder) {
            return Ok(false);
        }
        let now = self.folder.now();
        if is_recent(now, holder.heartbeat, written) {
            return Ok(true);
        }
        let Some((bytes, written)) = self.folder.read(&sign(&holder.token))? else { return Ok(false) };
        let heartbeat = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        Ok(heartbeat.is_some_and(|heartbeat| is_recent(now, heartbeat, written)))
    }

    /// A sign of life. Not synced: one that a power cut loses was its process's last.
    pub(super) fn beat(&self) -> io::Result<()> {
        self.folder.replace(&sign(&self.me.token), self.folder.now().to_string().as_bytes())
    }

    fn sweep(&self) -> io::Result<()> {
        let names = self.folder.list()?;
        for key in keys(names.clone()) {
            if self.look(&file(&key))?.is_some_and(|claim| !claim.living) {
                self.take_away(&key, |claim| !claim.living)?;
            }
        }
        for name in names.iter().filter(|name| name.starts_with(".alive-") || name.starts_with(".void-")) {
            let Some((_, written)) = self.folder.read(name)? else { continue };
            if written.is_some_and(|written| !is_recent(self.folder.now(), written, Some(written))) {
                self.folder.remove(name)?;
            }
        }
        Ok(())
    }
}

/// Whether a sign of life is no older than [`STALE_SECS`]. One from the future is of a clock that is ahead; then the
/// time counts at which its file was written, which is the file system's.
fn is_recent(now: u64, heartbeat: u64, written: Option<u64>) -> bool {
    let last = if heartbeat > now { written.unwrap_or(0) } else { heartbeat };
    now.saturating_sub(last) <= STALE_SECS
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

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
