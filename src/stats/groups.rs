//! The bars of a critical-difference diagram.
//!
//! A bar joins methods that are neighbours in mean rank and hold no significant pair among them. Pairs
//! that are not neighbours can be indistinguishable without a bar: the table of tests says so, the
//! picture cannot.

/// Maximal runs (`first..=last`, at least two long) of positions 0..n that hold no significant pair.
/// `significant(i, j)` is asked for i < j, positions counted in order of mean rank.
pub fn indistinct_runs(n: usize, significant: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for first in 0..n {
        let mut last = first;
        while last + 1 < n && (first..=last).all(|i| !significant(i, last + 1)) {
            last += 1;
        }
        let contained = runs.last().is_some_and(|&(_, end)| end >= last);
        if last > first && !contained {
            runs.push((first, last));
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::indistinct_runs;

    #[test]
    fn overlapping_runs_are_maximal() {
        // Only the outermost pair of four differs.
        assert_eq!(indistinct_runs(4, |i, j| (i, j) == (0, 3)), vec![(0, 2), (1, 3)]);
    }

    #[test]
    fn extremes() {
        assert_eq!(indistinct_runs(3, |_, _| false), vec![(0, 2)]);
        assert_eq!(indistinct_runs(3, |_, _| true), vec![]);
        assert_eq!(indistinct_runs(0, |_, _| true), vec![]);
    }

    #[test]
    fn a_significant_pair_inside_a_wide_run_splits_it() {
        assert_eq!(indistinct_runs(3, |i, j| (i, j) == (0, 1)), vec![(1, 2)]);
    }
}
