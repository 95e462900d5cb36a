//! The first step: which of a dataset's cells this process may run, those it could claim and nobody finished meanwhile.
//!
//! With many processes on one folder most cells are somebody's already. Listings, made now and then, say where not to
//! look; only what they leave open is claimed one by one, so that nobody asks for every cell of everybody.

use std::sync::Mutex;
use std::time::Instant;

use super::cell::CellRun;
use crate::record::{CellSeen, ClaimedWork, Claims, Gone, Holder, Store, StoreError, Survey};
use crate::suite::error::SuiteError;

/// The claims of a run.
pub(in crate::suite) struct Claiming<'a> {
    store: &'a Store,
    claims: Claims,
    fresh: bool,
    survey: Mutex<Survey>,
    started: Instant,
}

impl<'a> Claiming<'a> {
    /// Opens the claims of a run directory; `fresh` runs finished cells again.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn new(store: &'a Store, fresh: bool, me: Holder, gone: Gone) -> Result<Self, SuiteError> {
        let claims = Claims::open(store.dir(), me, gone).map_err(|source| failed(store, source))?;
        let survey = Mutex::new(Survey::new(store.keys()?));
        Ok(Self { store, claims, fresh, survey, started: Instant::now() })
    }

    /// Claims what is free, and gives those cells and those of other processes. A cell that was finished since the plan
    /// was made is in neither. `listed` looks at listings first, and takes a cell that somebody claimed for his without
    /// asking whether he lives.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn divide(
        &self,
        planned: Vec<CellRun>,
        listed: bool,
    ) -> Result<(Vec<CellRun>, Vec<CellRun>), SuiteError> {
        let (mut mine, mut elsewhere) = (Vec::new(), Vec::new());
        for mut cell in planned {
            let key = cell.plan.key.clone();
            match self.look(&key)? {
                CellSeen::Done => continue,
                CellSeen::Claimed if listed => {
                    elsewhere.push(cell);
                    continue;
                }
                _ => {}
            }
            let work =
                ClaimedWork { cell: cell.plan.cell.clone(), training_key: cell.plan.training_key.clone() };
            match self.claims.take(&key, Some(work)).map_err(|source| failed(self.store, source))? {
                // The record may have been written between the plan and the claim.
                Ok(_) if !self.fresh && self.store.find_whole(&key)?.is_some() => self.surprise(),
                Ok(held) => {
                    cell.claim(held)?;
                    mine.push(cell);
                }
                Err(_) => {
                    self.surprise();
                    elsewhere.push(cell);
                }
            }
        }
        Ok((mine, elsewhere))
    }

    /// Removes what dead processes left.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn sweep(&self) -> Result<(), SuiteError> {
        self.claims.sweep().map_err(|source| failed(self.store, source))
    }

    fn surprise(&self) {
        if let Ok(mut survey) = self.survey.lock() {
            survey.surprise();
        }
    }

    fn look(&self, key: &str) -> Result<CellSeen, SuiteError> {
        let Ok(mut survey) = self.survey.lock() else { return Ok(CellSeen::Open) };
        survey.look(key, self.started.elapsed().as_secs(), || {
            let claimed = self.claims.listed().map_err(|source| failed(self.store, source))?;
            Ok((self.store.keys()?, claimed))
        })
    }
}

fn failed(store: &Store, source: std::io::Error) -> SuiteError {
    StoreError::Io { action: "claim cells in", path: store.dir().join("claims"), source }.into()
}
