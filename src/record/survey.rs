//! What listings of a shared folder say of cells, so that two hundred processes do not each ask for each of twenty
//! thousand cells by name.
//!
//! A listing is made at the start, and again only after a surprise (a cell that it called open was somebody's), and not
//! more often than every half minute: the number of listings does not grow with the number of cells.

use std::collections::BTreeSet;

/// Listings are not made more often than this.
const FRESH_SECS: u64 = 30;

/// What the listings say of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellSeen {
    /// It has a record that was not there at the start.
    Done,
    /// Somebody has claimed it, dead or alive.
    Claimed,
    /// Neither; the claim itself decides.
    Open,
}

/// Keys with a record and keys with a claim.
pub type Listed = (BTreeSet<String>, BTreeSet<String>);

/// The listings of one process.
pub struct Survey {
    /// Records that were there before: failed cells, and all of them where finished cells are run again.
    before: BTreeSet<String>,
    seen: Option<(u64, Listed)>,
    surprised: bool,
}

impl Survey {
    /// With the keys that had a record at the start.
    pub fn new(before: BTreeSet<String>) -> Self {
        Self { before, seen: None, surprised: false }
    }

    /// A cell that was called open is somebody's.
    pub fn surprise(&mut self) {
        self.surprised = true;
    }

    /// What is known of a cell, by a listing made now (in seconds of any clock) where one is due.
    ///
    /// # Errors
    /// What `list` says.
    pub fn look<E>(
        &mut self,
        key: &str,
        now: u64,
        list: impl FnOnce() -> Result<Listed, E>,
    ) -> Result<CellSeen, E> {
        let due = match &self.seen {
            None => true,
            Some((at, _)) => self.surprised && now.saturating_sub(*at) >= FRESH_SECS,
        };
        if due {
            self.seen = Some((now, list()?));
            self.surprised = false;
        }
        let Some((_, (done, claimed))) = &self.seen else { return Ok(CellSeen::Open) };
        Ok(match (done.contains(key) && !self.before.contains(key), claimed.contains(key)) {
            (true, _) => CellSeen::Done,
            (false, true) => CellSeen::Claimed,
            _ => CellSeen::Open,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn a_listing_is_made_once_and_again_after_a_surprise() {
        let mut survey = Survey::new(set(&["failed"]));
        let mut made = 0;
        let mut look = |survey: &mut Survey, key: &str, now| {
            survey.look(key, now, || {
                made += 1;
                Ok::<_, ()>((set(&["done", "failed"]), set(&["held"])))
            })
        };
        assert_eq!(look(&mut survey, "done", 0), Ok(CellSeen::Done));
        assert_eq!(look(&mut survey, "failed", 1000), Ok(CellSeen::Open), "to be run again");
        assert_eq!(look(&mut survey, "held", 2000), Ok(CellSeen::Claimed));
        survey.surprise();
        assert_eq!(look(&mut survey, "open", 20), Ok(CellSeen::Open));
        assert_eq!(look(&mut survey, "open", 40), Ok(CellSeen::Open));
        assert_eq!(look(&mut survey, "open", 80), Ok(CellSeen::Open));
        assert_eq!(made, 2);
    }
}
