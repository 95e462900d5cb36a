//! Which of a dataset's cells this process may run: those it could claim and nobody finished meanwhile.

use crate::record::{Claims, Held, Store, StoreError};
use crate::suite::error::SuiteError;
use crate::suite::plan::cells::CellPlan;

/// The claims of a run.
pub(in crate::suite) struct Claimed<'a> {
    store: &'a Store,
    claims: Claims,
    fresh: bool,
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
    pub fn new(store: &'a Store, fresh: bool) -> Result<Self, SuiteError> {
        let claims = Claims::open(store.dir()).map_err(|source| failed(store, source))?;
        Ok(Self { store, claims, fresh })
    }

    /// Claims what is free. A cell that was finished since the plan was made is in neither list.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn divide(&self, cells: Vec<CellPlan>) -> Result<Division, SuiteError> {
        let mut division = Division::default();
        for cell in cells {
            match self.claims.take(&cell.key).map_err(|source| failed(self.store, source))? {
                // The record may have been written between the plan and the claim.
                Ok(_) if !self.fresh && self.store.find_whole(&cell.key)?.is_some() => {}
                Ok(held) => {
                    division.held.push(held);
                    division.mine.push(cell);
                }
                Err(_) => division.others.push(cell),
            }
        }
        Ok(division)
    }
}

fn failed(store: &Store, source: std::io::Error) -> SuiteError {
    StoreError::Io { action: "claim cells in", path: store.dir().join("claims"), source }.into()
}
