//! Do confidences say how often a prediction is right? Expected calibration error, reliability, NLL and Brier score of
//! the true class.

use super::Classified;

/// Number of bins: 15 (Guo et al. 2017, arXiv 1706.04599).
pub const BINS: usize = 15;

/// Smallest positive number of the format probabilities are written in: what a probability of 0 stands for.
pub(super) const SMALLEST: f64 = 1.401_298_464_324_817e-45;

/// Predictions of about the same confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Predictions.
    pub count: u64,
    /// Right ones.
    pub correct: u64,
    /// Sum of their confidences.
    pub confidence_sum: f64,
}

impl Bin {
    fn add(&mut self, (image, confidence): (Classified, f64)) {
        self.count += 1;
        self.correct += u64::from(image.is_right());
        self.confidence_sum += confidence;
    }

    /// Share of right predictions; `None` for an empty bin.
    pub fn accuracy(&self) -> Option<f64> {
        (self.count > 0).then(|| self.correct as f64 / self.count as f64)
    }

    /// Mean confidence; `None` for an empty bin.
    pub fn confidence(&self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence_sum / self.count as f64)
    }

    /// Adds the predictions of another bin.
    pub fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.correct += other.correct;
        self.confidence_sum += other.confidence_sum;
    }

    /// |right − expected to be right|, in predictions.
    fn gap(&self) -> f64 {
        (self.correct as f64 - self.confidence_sum).abs()
    }
}

/// Predictions with the probability of the predicted class.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    sorted: Vec<(Classified, f64)>,
}

impl Calibration {
    /// Pairs predictions with their confidences; `None` where one is no probability, or where there is none at all.
    pub fn new(rows: impl IntoIterator<Item = (Classified, f64)>) -> Option<Self> {
        let mut sorted: Vec<(Classified, f64)> = rows.into_iter().collect();
        let sound = sorted.iter().all(|(_, confidence)| is_probability(*confidence));
        (sound && !sorted.is_empty()).then_some(())?;
        sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
        Some(Self { sorted })
    }

    /// Bins of equal width: bin b holds confidences in (b / 15, (b + 1) / 15], the first one 0 as well.
    pub fn equal_width(&self) -> [Bin; BINS] {
        let mut bins = [Bin::default(); BINS];
        for row in &self.sorted {
            let above = (row.1 * BINS as f64).ceil() as usize;
            bins[above.clamp(1, BINS) - 1].add(*row);
        }
        bins
    }

    /// Bins of equal counts over ascending confidence; the first ones hold one more where 15 does not divide the count.
    pub fn equal_count(&self) -> [Bin; BINS] {
        let (each, more) = (self.sorted.len() / BINS, self.sorted.len() % BINS);
        let mut rows = self.sorted.iter();
        std::array::from_fn(|bin| {
            let mut filled = Bin::default();
            rows.by_ref().take(each + usize::from(bin < more)).for_each(|row| filled.add(*row));
            filled
        })
    }

    /// Expected calibration error over the whole set: Σ_b n_b / n · |accuracy_b − confidence_b|, bins of equal width.
    pub fn ece(&self) -> f64 {
        self.error(&self.equal_width())
    }

    /// The same over bins of equal counts (adaptive calibration error of the predicted class).
    pub fn adaptive_ece(&self) -> f64 {
        self.error(&self.equal_count())
    }

    fn error(&self, bins: &[Bin]) -> f64 {
        bins.iter().map(Bin::gap).sum::<f64>() / self.sorted.len() as f64
    }
}

/// Whether a number can be a probability.
pub(super) fn is_probability(p: f64) -> bool {
    (0.0..=1.0).contains(&p)
}

/// Mean of −ln p over the probabilities of the true classes, in nats. A probability that was rounded to 0 counts as the
/// smallest one of f32, 103.3 nats. `None` without a prediction or with a number that is no probability.
pub fn nll(p_true: &[f64]) -> Option<f64> {
    mean_of(p_true, |p| -p.max(SMALLEST).ln())
}

/// Mean of (1 − p)² over the probabilities of the true classes: the true class's part of the Brier score, which alone
/// is known where the other probabilities were not kept.
pub fn brier_true(p_true: &[f64]) -> Option<f64> {
    mean_of(p_true, |p| (1.0 - p) * (1.0 - p))
}

fn mean_of(p_true: &[f64], score: impl Fn(f64) -> f64) -> Option<f64> {
    let sound = !p_true.is_empty() && p_true.iter().all(|p| is_probability(*p));
    sound.then(|| p_true.iter().map(|p| score(*p)).sum::<f64>() / p_true.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(each: &[(bool, f64)]) -> Option<Calibration> {
        let row = |(right, confidence): &(bool, f64)| {
            (Classified { label: 0, predicted: u32::from(!right) }, *confidence)
        };
        Calibration::new(each.iter().map(row))
    }

    #[test]
    fn a_calibrated_set_has_no_error_and_a_boaster_has_his_gap() {
        let honest = rows(&[(true, 0.5), (false, 0.5)]).unwrap();
        assert_eq!((honest.ece(), honest.adaptive_ece()), (0.0, 0.5));
        let boaster = rows(&[(true, 1.0), (false, 1.0), (false, 1.0), (true, 1.0)]).unwrap();
        assert_eq!(boaster.ece(), 0.5);
        assert_eq!(boaster.equal_width()[14].count, 4);
    }

    #[test]
    fn edges_belong_to_the_lower_bin_and_zero_to_the_first() {
        let edges = rows(&[(true, 0.0), (true, 1.0 / 15.0), (true, 0.07)]).unwrap();
        let counts = edges.equal_width().map(|bin| bin.count);
        assert_eq!((counts[0], counts[1]), (2, 1));
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert!(rows(&[]).is_none() && rows(&[(true, 1.5)]).is_none() && rows(&[(true, f64::NAN)]).is_none());
        assert_eq!((nll(&[]), nll(&[f64::NAN]), brier_true(&[-0.1])), (None, None, None));
        assert!((nll(&[0.0]).unwrap() - 103.278_929).abs() < 1e-5);
    }
}
