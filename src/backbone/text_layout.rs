//! How a class set's prompts lie in memory: the shared beginning once, then each class's own tokens.

use std::ops::Range;

use candle_core::Result;

use super::nn::{AttentionPlan, Group, SelfKeys};

/// Token rows of a class set: BOS … EOS per class, unpadded, cut into a prefix all classes share and a
/// suffix per class. Causality gives the prefix the same keys and values for every class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLayout {
    prefix: Vec<u32>,
    suffix_ids: Vec<u32>,
    suffix_positions: Vec<u32>,
    /// Each class's rows among the suffix rows.
    suffixes: Vec<Range<usize>>,
}

/// Why prompts cannot be laid out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LayoutError {
    /// There is no class.
    #[error("lay out prompts: there is no class")]
    NoClass,
    /// A prompt leaves nothing behind the shared prefix, or differs from the others within it.
    #[error("lay out prompts: prompt {index} does not begin with the {prefix} tokens all prompts share")]
    Prefix {
        /// Position in the class list.
        index: usize,
        /// Required length of the shared beginning.
        prefix: usize,
    },
    /// A prompt is longer than the model's positions.
    #[error(
        "lay out prompts: prompt {index} has {length} tokens, the model reads {limit}; shorten the class name or the template"
    )]
    TooLong {
        /// Position in the class list.
        index: usize,
        /// Its tokens, BOS and EOS counted.
        length: usize,
        /// The model's positions.
        limit: usize,
    },
}

impl TextLayout {
    /// Lays out prompts (BOS … EOS, unpadded) that share their first `prefix` tokens.
    ///
    /// # Errors
    /// [`LayoutError`] when there is no prompt, or one is too long, or does not begin with the prefix.
    pub fn new(
        prompts: &[Vec<u32>],
        prefix: usize,
        context_length: usize,
    ) -> std::result::Result<Self, LayoutError> {
        let first = prompts.first().ok_or(LayoutError::NoClass)?;
        let (mut suffix_ids, mut suffix_positions, mut suffixes) = (Vec::new(), Vec::new(), Vec::new());
        for (index, prompt) in prompts.iter().enumerate() {
            if prompt.len() <= prefix || prompt[..prefix] != first[..prefix] {
                return Err(LayoutError::Prefix { index, prefix });
            }
            if prompt.len() > context_length {
                return Err(LayoutError::TooLong { index, length: prompt.len(), limit: context_length });
            }
            let start = suffix_ids.len();
            suffix_ids.extend_from_slice(&prompt[prefix..]);
            suffix_positions.extend(prefix as u32..prompt.len() as u32);
            suffixes.push(start..suffix_ids.len());
        }
        Ok(Self { prefix: first[..prefix].to_vec(), suffix_ids, suffix_positions, suffixes })
    }

    /// Lays out prompts with the longest beginning they share (at least one token stays behind it).
    ///
    /// # Errors
    /// As [`TextLayout::new`].
    pub fn shared(prompts: &[Vec<u32>], context_length: usize) -> std::result::Result<Self, LayoutError> {
        let first = prompts.first().ok_or(LayoutError::NoClass)?;
        let common = |other: &Vec<u32>| first.iter().zip(other).take_while(|(a, b)| a == b).count();
        let longest = prompts.iter().map(|p| common(p).min(p.len().saturating_sub(1))).min().unwrap_or(0);
        Self::new(prompts, longest, context_length)
    }

    /// Ids of the shared beginning.
    pub fn prefix(&self) -> &[u32] {
        &self.prefix
    }

    /// Ids of all suffix rows.
    pub fn suffix_ids(&self) -> &[u32] {
        &self.suffix_ids
    }

    /// Positions of all suffix rows.
    pub fn suffix_positions(&self) -> &[u32] {
        &self.suffix_positions
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.suffixes.len()
    }

    /// Rows of every class behind the prefix.
    pub fn suffix_lengths(&self) -> impl Iterator<Item = usize> + '_ {
        self.suffixes.iter().map(Range::len)
    }

    /// First row of every class behind the prefix, in the flat matrix of one copy.
    pub fn suffix_starts(&self) -> impl Iterator<Item = usize> + '_ {
        self.suffixes.iter().map(|suffix| self.prefix.len() + suffix.start)
    }

    /// The layout of some of the classes, under the same prefix.
    pub(super) fn narrow(&self, classes: Range<usize>) -> Self {
        let suffixes = &self.suffixes[classes];
        let (start, end) = match suffixes {
            [first, .., last] => (first.start, last.end),
            [only] => (only.start, only.end),
            [] => (0, 0),
        };
        Self {
            prefix: self.prefix.clone(),
            suffix_ids: self.suffix_ids[start..end].to_vec(),
            suffix_positions: self.suffix_positions[start..end].to_vec(),
            suffixes: suffixes.iter().map(|s| s.start - start..s.end - start).collect(),
        }
    }

    /// Rows of one copy: prefix and all suffixes.
    pub fn rows(&self) -> usize {
        self.prefix.len() + self.suffix_ids.len()
    }

    /// Prefix and own rows of every class, copy 0: the keys a reader of that class sees.
    pub fn keys(&self) -> Vec<Vec<Range<usize>>> {
        let p = self.prefix.len();
        self.suffixes
            .iter()
            .map(|s| [0..p, p + s.start..p + s.end].into_iter().filter(|r| !r.is_empty()).collect())
            .collect()
    }

    /// The causal plan for `copies` prefixes, each followed by all suffixes.
    ///
    /// # Errors
    /// Never for a layout made by this type; the signature is the plan's.
    pub fn plan(&self, copies: usize) -> Result<AttentionPlan> {
        let p = self.prefix.len();
        let mut groups = Vec::with_capacity(copies * (1 + self.suffixes.len()));
        for base in (0..copies).map(|copy| copy * self.rows()) {
            let prefix = base..base + p;
            if p > 0 {
                groups.push(causal(prefix.clone(), vec![prefix.clone()]));
            }
            for suffix in &self.suffixes {
                let rows = base + p + suffix.start..base + p + suffix.end;
                let own = [prefix.clone(), rows.clone()].into_iter().filter(|r| !r.is_empty()).collect();
                groups.push(causal(rows, own));
            }
        }
        AttentionPlan::new(groups)
    }

    /// Rows of the EOS tokens, ascending.
    pub fn eos_rows(&self, copies: usize) -> Vec<usize> {
        (0..copies)
            .flat_map(|copy| {
                let base = copy * self.rows() + self.prefix.len();
                self.suffixes.iter().map(move |suffix| base + suffix.end - 1)
            })
            .collect()
    }
}

fn causal(queries: Range<usize>, own: Vec<Range<usize>>) -> Group {
    Group { queries, cached: Vec::new(), own, order: SelfKeys::Causal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_the_longest_beginning_and_keeps_eos() {
        let prompts = vec![vec![1, 5, 6, 9, 2], vec![1, 5, 6, 2], vec![1, 5, 6, 7, 8, 2]];
        let layout = TextLayout::shared(&prompts, 8).unwrap();
        assert_eq!(layout.prefix(), [1, 5, 6]);
        assert_eq!(layout.suffix_ids(), [9, 2, 2, 7, 8, 2]);
        assert_eq!(layout.suffix_positions(), [3, 4, 3, 3, 4, 5]);
        assert_eq!(layout.eos_rows(2), [4, 5, 8, 13, 14, 17]);
        assert_eq!(layout.plan(2).unwrap().rows(), 18);
    }

    #[test]
    fn some_classes_are_laid_out_as_if_alone() {
        let prompts = vec![vec![1, 5, 6, 9, 2], vec![1, 5, 6, 2], vec![1, 5, 6, 7, 8, 2]];
        let layout = TextLayout::new(&prompts, 2, 8).unwrap();
        assert_eq!(layout.narrow(1..3), TextLayout::new(&prompts[1..], 2, 8).unwrap());
        assert_eq!(layout.narrow(0..3), layout);
        assert_eq!(layout.suffix_lengths().collect::<Vec<_>>(), [3, 2, 4]);
    }

    #[test]
    fn one_prompt_leaves_its_eos_behind_the_prefix() {
        let layout = TextLayout::shared(&[vec![1, 5, 2]], 8).unwrap();
        assert_eq!((layout.prefix().len(), layout.suffix_ids().len()), (2, 1));
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(TextLayout::shared(&[], 8), Err(LayoutError::NoClass));
        let differing = [vec![1, 5, 2], vec![1, 6, 2]];
        assert_eq!(TextLayout::new(&differing, 2, 8), Err(LayoutError::Prefix { index: 1, prefix: 2 }));
        let long = LayoutError::TooLong { index: 0, length: 3, limit: 2 };
        assert_eq!(TextLayout::new(&[vec![1, 5, 2]], 1, 2), Err(long));
    }
}
