//! Which of a dataset's cells this process may run: those it could claim and nobody finished meanwhile.
//!
//! With many processes on one folder most cells are somebody's already. Listings, made now and then, say where not to
//! look; only what they leave open is claimed one by one, so that nobody asks for every cell of everybody.

use std::sync::Mutex;
use std::time::Instant;

use crate::record::{Claims, Gone, Held, Holder, Look, Store, StoreError, Survey, Work};
use crate::suite::error::SuiteError;
use crate::suite::plan::cells::CellPlan;

/// The claims of a run.
pub(in crate::suite) struct Claimed<'a> {
    store: &'a Store,
    claims: Claims,
    fresh: bool,
    survey: Mutex<Survey>,
    started: Instant,
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
        let survey = Mutex::new(Survey::new(store.keys()?));
        Ok(Self { store, claims, fresh, survey, started: Instant::now() })
    }

    /// Claims what is free. A cell that was finished since the plan was made is in neither list. `listed` looks at
    /// listings first, and takes a cell that somebody claimed for his without asking whether he lives.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn divide(&self, cells: Vec<CellPlan>, listed: bool) -> Result<Division, SuiteError> {
        let mut division = Division::default();
        for cell in cells {
            match self.look(&cell.key)? {
                Look::Done => continue,
                Look::Claimed if listed => {
                    division.others.push(cell);
                    continue;
                }
                _ => {}
            }
            let work = Work { cell: cell.cell.clone(), training_key: cell.training_key.clone() };
            match self.claims.take(&cell.key, Some(work)).map_err(|source| failed(self.store, source))? {
                // The record may have been written between the plan and the claim.
                Ok(_) if !self.fresh && self.store.find_whole(&cell.key)?.is_some() => self.surprise(),
                Ok(held) => {
                    division.held.push(held);
                    division.mine.push(cell);
                }
                Err(_) => {
                    self.surprise();
                    division.others.push(cell);
                }
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

    fn surprise(&self) {
        if let Ok(mut survey) = self.survey.lock() {
            survey.surprise();
        }
    }

    fn look(&self, key: &str) -> Result<Look, SuiteError> {
        let Ok(mut survey) = self.survey.lock() else { return Ok(Look::Open) };
        survey.look(key, self.started.elapsed().as_secs(), || {
            let claimed = self.claims.listed().map_err(|source| failed(self.store, source))?;
            Ok((self.store.keys()?, claimed))
        })
    }
}

fn failed(store: &Store, source: std::io::Error) -> SuiteError {
    StoreError::Io { action: "claim cells in", path: store.dir().join("claims"), source }.into()
}
