//! Which of a dataset's cells this process may run: those it could claim and nobody finished meanwhile.
//!
//! With many processes on one folder most cells are somebody's already. Listings, made now and then, say where not to
//! look; only what they leave open is claimed one by one, so that nobody asks for every cell of everybody.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::record::{Claims, Gone, Held, Holder, Store, StoreError, Work};
use crate::suite::error::SuiteError;
use crate::suite::plan::cells::CellPlan;

/// Listings are made again after this time.
const FRESH: Duration = Duration::from_secs(30);

/// The claims of a run.
pub(in crate::suite) struct Claimed<'a> {
    store: &'a Store,
    claims: Claims,
    fresh: bool,
    /// Records that were there before: failed cells, and all of them where finished cells are run again.
    before: BTreeSet<String>,
    seen: Mutex<Option<Seen>>,
}

/// What the listings said.
struct Seen {
    at: Instant,
    done: BTreeSet<String>,
    claimed: BTreeSet<String>,
}

/// Cells after claiming.
#[derive(Default)]
pub(in crate::suite) struct Division {
    /// To be run here.
    pub mine: Vec<CellPlan>,
    /// The claims on them.
    pub held: Vec<Held>,
    /// Being run by another process.
    pub others: Vec<CellPlan>,
}

impl<'a> Claimed<'a> {
    /// Opens the claims of a run directory; `fresh` runs finished cells again.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn new(store: &'a Store, fresh: bool, me: Holder, gone: Gone) -> Result<Self, SuiteError> {
        let claims = Claims::open(store.dir(), me, gone).map_err(|source| failed(store, source))?;
        Ok(Self { store, claims, fresh, before: store.keys()?, seen: Mutex::default() })
    }

    /// Claims what is free. A cell that was finished since the plan was made is in neither list. `listed` looks at
    /// listings first, and takes a cell that somebody claimed for his without asking whether he lives.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn divide(&self, cells: Vec<CellPlan>, listed: bool) -> Result<Division, SuiteError> {
        let mut division = Division::default();
        for cell in cells {
            match self.look(&cell.key, listed)? {
                Look::Done => continue,
                Look::Claimed => {
                    division.others.push(cell);
                    continue;
                }
                Look::Open => {}
            }
            let work = Work { cell: cell.cell.clone(), training_key: cell.training_key.clone() };
            match self.claims.take(&cell.key, Some(work)).map_err(|source| failed(self.store, source))? {
                // The record may have been written between the plan and the claim.
                Ok(_) if !self.fresh && self.store.find(&cell.key)?.is_some() => {}
                Ok(held) => {
                    division.held.push(held);
                    division.mine.push(cell);
                }
                Err(_) => division.others.push(cell),
            }
        }
        Ok(division)
    }

    /// Removes what dead processes left.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn sweep(&self) -> Result<(), SuiteError> {
        self.claims.sweep().map_err(|source| failed(self.store, source))
    }

    fn look(&self, key: &str, listed: bool) -> Result<Look, SuiteError> {
        let Ok(mut seen) = self.seen.lock() else { return Ok(Look::Open) };
        let seen = match &mut *seen {
            Some(seen) if seen.at.elapsed() < FRESH => seen,
            slot => {
                let claimed = self.claims.listed().map_err(|source| failed(self.store, source))?;
                slot.insert(Seen { at: Instant::now(), done: self.store.keys()?, claimed })
            }
        };
        Ok(match (seen.done.contains(key) && !self.before.contains(key), seen.claimed.contains(key)) {
            (true, _) => Look::Done,
            (false, true) if listed => Look::Claimed,
            _ => Look::Open,
        })
    }
}

/// What the listings say of a cell.
enum Look {
    Done,
    Claimed,
    Open,
}

fn failed(store: &Store, source: std::io::Error) -> SuiteError {
    StoreError::Io { action: "claim cells in", path: store.dir().join("claims"), source }.into()
}
