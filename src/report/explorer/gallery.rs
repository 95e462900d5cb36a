//! The images on which arms disagree most, a bounded number of them.

use super::data::Shot;
use crate::record::Prediction;
use crate::report::context::Context;

/// Images taken for every ordered pair of arms, where there is room.
const PER_PAIR: usize = 4;
/// Most images of one contest: with a small picture each has about two kilobytes.
const MOST: usize = 36;

/// What the seeds of an arm said of every image.
#[derive(Clone, Debug)]
pub struct Votes {
    /// How many were right.
    pub right: Vec<u32>,
    /// By image the classes it was taken for, and how often: few, however many seeds there are.
    said: Vec<Vec<(u32, u32)>>,
}

impl Votes {
    /// No vote yet.
    pub fn new(images: usize) -> Self {
        Self { right: vec![0; images], said: vec![Vec::new(); images] }
    }

    /// Adds a seed's predictions.
    pub fn add(&mut self, predictions: &[Prediction]) {
        for ((row, right), said) in predictions.iter().zip(&mut self.right).zip(&mut self.said) {
            *right += u32::from(row.label == row.predicted);
            match said.iter_mut().find(|(class, _)| *class == row.predicted) {
                Some((_, times)) => *times += 1,
                None => said.push((row.predicted, 1)),
            }
        }
    }

    /// What an image was taken for most often; of several the lowest class.
    fn said(&self, image: usize) -> u32 {
        let most = self.said[image].iter().max_by_key(|(class, times)| (*times, std::cmp::Reverse(*class)));
        most.map_or(0, |(class, _)| *class)
    }
}

/// The images, pair after pair, most disputed first; equal ones in test order.
pub fn gallery(
    context: &Context<'_>,
    dataset: &str,
    images: &[(String, u32)],
    votes: &[Votes],
    trainings: &[usize],
) -> Vec<Shot> {
    let chosen = disputed(votes, trainings);
    let shot = |image: usize| {
        let (path, label) = &images[image];
        Shot {
            path: path.clone(),
            label: *label,
            right: votes.iter().map(|votes| votes.right[image]).collect(),
            said: votes.iter().map(|votes| votes.said(image)).collect(),
            jpeg: (context.material.thumbnails)(dataset, path).map(|bytes| base64(&bytes)),
        }
    };
    chosen.into_iter().map(shot).collect()
}

fn disputed(votes: &[Votes], trainings: &[usize]) -> Vec<usize> {
    let images = votes.first().map_or(0, |votes| votes.right.len());
    let share = |arm: usize, image: usize| f64::from(votes[arm].right[image]) / trainings[arm].max(1) as f64;
    let pairs: Vec<(usize, usize)> = (0..votes.len())
        .flat_map(|a| (0..votes.len()).filter(move |b| *b != a).map(move |b| (a, b)))
        .collect();
    let ranked = |(a, b): &(usize, usize)| {
        let mut gaps: Vec<(f64, usize)> =
            (0..images).map(|i| (share(*a, i) - share(*b, i), i)).filter(|(gap, _)| *gap > 0.0).collect();
        gaps.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
        gaps.into_iter().map(|(_, image)| image).take(PER_PAIR).collect::<Vec<_>>()
    };
    let ranked: Vec<Vec<usize>> = pairs.iter().map(ranked).collect();
    let mut chosen = Vec::new();
    for rank in 0..PER_PAIR {
        for image in ranked.iter().filter_map(|images| images.get(rank)) {
            if chosen.len() < MOST && !chosen.contains(image) {
                chosen.push(*image);
            }
        }
    }
    chosen
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for digit in 0..4 {
            let is_padding = digit > chunk.len();
            let value = (bits >> (18 - 6 * digit)) & 63;
            text.push(if is_padding { '=' } else { char::from(DIGITS[value as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(right: &[u32]) -> Votes {
        Votes { right: right.to_vec(), said: right.iter().map(|_| vec![(3, 2), (1, 2), (0, 1)]).collect() }
    }

    #[test]
    fn the_most_disputed_come_first_and_agreement_is_left_out() {
        let arms = [votes(&[3, 3, 0, 2]), votes(&[3, 0, 3, 1])];
        assert_eq!(disputed(&arms, &[3, 3]), [1, 2, 3]);
        // A single training of the second arm: 1 of 1 is as sure as 3 of 3.
        assert_eq!(disputed(&[votes(&[3, 0]), votes(&[1, 1])], &[3, 1]), [1]);
        assert!(disputed(&arms[..1], &[3]).is_empty());
        assert_eq!(arms[0].said(0), 1, "of equally frequent classes the lowest");
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
