//! Who attends to whom, as data: groups of query rows and the key rows they see.
//!
//! Rows of all sequences lie in one flat matrix without padding; a plan cuts it into groups. Keys are
//! rows of the same matrix ("own") or of a frozen cache ("cached"). The fact a reader would get wrong:
//! a causal group is aligned at the end of its last own range, so the last query sees all of it.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Result, Tensor, bail};

/// Keys a group adds from the rows being computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfKeys {
    /// Every query sees every own key.
    Full,
    /// In the last own range, query j of q sees all but the last q − 1 − j keys.
    Causal,
}

/// Query rows that share their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Rows of the query matrix.
    pub queries: Range<usize>,
    /// Rows of the frozen cache, all visible; they come first.
    pub cached: Vec<Range<usize>>,
    /// Rows of the matrix being computed.
    pub own: Vec<Range<usize>>,
    /// How the last own range is seen.
    pub order: SelfKeys,
}

impl Group {
    /// Number of keys.
    pub fn key_count(&self) -> usize {
        self.cached.iter().chain(&self.own).map(ExactSizeIterator::len).sum()
    }

    /// Number of keys hidden from query `index` (counted within the group).
    pub fn hidden_from(&self, index: usize) -> usize {
        match self.order {
            SelfKeys::Full => 0,
            SelfKeys::Causal => self.queries.len() - 1 - index,
        }
    }
}

/// A partition of the query rows into groups, in row order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttentionPlan {
    groups: Vec<Group>,
}

impl AttentionPlan {
    /// Checks that the groups cover rows 0.. in order, each with at least one visible key per query.
    ///
    /// # Errors
    /// A candle error naming the group that is out of order or sees nothing.
    pub fn new(groups: Vec<Group>) -> Result<Self> {
        let mut next = 0;
        for (i, group) in groups.iter().enumerate() {
            if group.queries.start != next || group.queries.is_empty() {
                bail!("attention plan: group {i} has rows {:?}, expected to start at {next}", group.queries);
            }
            let last_own = group.own.last().map_or(0, ExactSizeIterator::len);
            if group.key_count() == 0 || (group.order == SelfKeys::Causal && last_own < group.queries.len()) {
                bail!("attention plan: group {i} leaves a query without a key");
            }
            next = group.queries.end;
        }
        Ok(Self { groups })
    }

    /// `count` sequences of `length` rows each, every row seeing its whole sequence (vision).
    ///
    /// # Errors
    /// When `length` is 0.
    pub fn full(count: usize, length: usize) -> Result<Self> {
        Self::new(
            (0..count)
                .map(|i| i * length..(i + 1) * length)
                .map(|rows| Group {
                    queries: rows.clone(),
                    cached: Vec::new(),
                    own: vec![rows],
                    order: SelfKeys::Full,
                })
                .collect(),
        )
    }

    /// `k` readers in `groups` of equal size for each of the given cached key sets: readers see the cache and nothing else.
    ///
    /// # Errors
    /// When `k` is 0 or cannot be cut evenly, or a key set is empty.
    pub fn readers(k: usize, groups: usize, keys: &[Vec<Range<usize>>]) -> Result<Self> {
        if groups == 0 || !k.is_multiple_of(groups) {
            bail!("attention plan: {k} readers cannot be cut into {groups} groups");
        }
        let each = k / groups;
        Self::new(
            keys.iter()
                .flat_map(|cached| std::iter::repeat_n(cached, groups))
                .enumerate()
                .map(|(i, cached)| Group {
                    queries: i * each..(i + 1) * each,
                    cached: cached.clone(),
                    own: Vec::new(),
                    order: SelfKeys::Full,
                })
                .collect(),
        )
    }

    /// `k` rows behind each of the given cached key sets, which they see, and in causal order each other.
    ///
    /// # Errors
    /// When `k` is 0.
    pub fn followers(k: usize, keys: &[Vec<Range<usize>>]) -> Result<Self> {
        Self::new(
            keys.iter()
                .enumerate()
                .map(|(i, cached)| Group {
                    queries: i * k..(i + 1) * k,
                    cached: cached.clone(),
                    own: std::iter::once(i * k..(i + 1) * k).collect(),
                    order: SelfKeys::Causal,
                })
                .collect(),
        )
    }

    /// `k` readers in `groups` for each of `count` cached sequences of `length` rows.
    ///
    /// # Errors
    /// As [`AttentionPlan::readers`]; when `length` is 0.
    pub fn image_readers(k: usize, groups: usize, count: usize, length: usize) -> Result<Self> {
        let keys: Vec<_> = (0..count).map(|i| vec![i * length..(i + 1) * length]).collect();
        Self::readers(k, groups, &keys)
    }

    /// The groups, in row order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Number of query rows.
    pub fn rows(&self) -> usize {
        self.groups.last().map_or(0, |group| group.queries.end)
    }

    /// The plan for only the rows in `read` (ascending), which become query rows 0.. in that order.
    /// Keys stay as they are.
    ///
    /// # Errors
    /// When a row of `read` does not exist or the rows are not ascending.
    pub fn reading(&self, read: &[usize]) -> Result<Self> {
        let mut groups = Vec::new();
        let mut taken = 0;
        for group in &self.groups {
            let first = taken;
            while taken < read.len() && group.queries.contains(&read[taken]) {
                taken += 1;
            }
            match group.order {
                SelfKeys::Full if taken > first => {
                    groups.push(Group { queries: first..taken, ..group.clone() });
                }
                SelfKeys::Full => {}
                SelfKeys::Causal => {
                    groups.extend((first..taken).map(|i| group.single(i, read[i] - group.queries.start)))
                }
            }
        }
        if taken != read.len() {
            bail!("attention plan: rows to read must be ascending rows below {}: {read:?}", self.rows());
        }
        Self::new(groups)
    }
}

impl Group {
    /// One query of a causal group, as query row `row` of another plan: it sees what it saw.
    fn single(&self, row: usize, index: usize) -> Self {
        let mut own = self.own.clone();
        if let Some(last) = own.last_mut() {
            last.end -= self.hidden_from(index);
        }
        Self { queries: row..row + 1, cached: self.cached.clone(), own, order: SelfKeys::Full }
    }
}

/// One attention call: who sees whom, number of heads, and the frozen keys and values.
#[derive(Clone)]
pub struct Attend {
    /// Groups of queries and their keys.
    pub plan: Arc<AttentionPlan>,
    /// Attention heads; scores are scaled by head_dim^-1/2.
    pub heads: usize,
    /// Frozen `[m, 2·width]`, keys then values, for the plan's cached ranges.
    pub cached: Option<Tensor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_keeps_what_a_causal_row_sees() {
        let plan = AttentionPlan::new(vec![
            Group { queries: 0..2, cached: vec![], own: vec![0..2], order: SelfKeys::Causal },
            Group { queries: 2..5, cached: vec![], own: vec![0..2, 2..5], order: SelfKeys::Causal },
        ])
        .unwrap();
        let read = plan.reading(&[1, 3]).unwrap();
        assert_eq!(read.groups()[0].own, [0..2]);
        assert_eq!(read.groups()[1].own, vec![0..2, 2..4]);
        assert!(plan.reading(&[3, 1]).is_err());
        assert!(plan.reading(&[5]).is_err());
    }

    #[test]
    fn a_gap_or_a_blind_query_is_refused() {
        let group = |queries| Group { queries, cached: vec![], own: vec![0..1], order: SelfKeys::Full };
        assert!(AttentionPlan::new(vec![group(0..1), group(2..3)]).is_err());
        assert!(AttentionPlan::readers(2, 1, &[vec![]]).is_err());
    }
}
