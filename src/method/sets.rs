//! Several classifiers of one head together: the trainings or tests of several seeds in as few products as a method can.

use candle_core::Tensor;

use super::classifier::{Classifier, Objective};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::Named;

/// Which images each classifier of a set sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shares {
    /// Every classifier all of them.
    All,
    /// The images are cut evenly among the classifiers, in order.
    Even,
}

impl Shares {
    /// What classifier `index` of `count` sees of `images`.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub(super) fn of(
        self,
        index: usize,
        count: usize,
        images: &ImageBatch,
    ) -> Result<ImageBatch, MethodError> {
        match self {
            Self::All => Ok(images.clone()),
            Self::Even => {
                let each = self.each(count, images)?;
                images.narrow(index * each, each)
            }
        }
    }

    /// Images that each of `count` classifiers sees.
    ///
    /// # Errors
    /// [`MethodError::Tensor`] where they cannot be cut evenly.
    pub(super) fn each(self, count: usize, images: &ImageBatch) -> Result<usize, MethodError> {
        let all = images.len();
        match self {
            Self::All => Ok(all),
            Self::Even if count > 0 && all.is_multiple_of(count) => Ok(all / count),
            Self::Even => {
                Err(candle_core::Error::Msg(format!("{all} images for {count} classifiers")).into())
            }
        }
    }
}

/// Classifiers of one head, in a fixed order. What one of them computes does not depend on the others' parameters,
/// bit for bit; how many they are decides last bits, but not where they are alike
/// ([`Head::alike_classifiers`](super::contract::Head::alike_classifiers)).
pub trait ClassifierSet: Send + Sync {
    /// Logits `[its images, classes]` of every classifier, in order.
    ///
    /// # Errors
    /// [`MethodError::Images`] when the batch lacks what the method reads.
    fn logits(&self, images: &ImageBatch, shares: Shares) -> Result<Vec<Tensor>, MethodError>;

    /// What a step minimises for each classifier by the labels of its images; `None` where there are none.
    ///
    /// # Errors
    /// As [`ClassifierSet::logits`].
    fn objectives(
        &self,
        images: &ImageBatch,
        shares: Shares,
        labels: &[Option<&Tensor>],
    ) -> Result<Vec<Option<Objective>>, MethodError> {
        let logits = self.logits(images, shares)?;
        let each = logits.into_iter().zip(labels);
        each.map(|(logits, labels)| labels.map(|labels| Objective::cross_entropy(logits, labels)).transpose())
            .collect()
    }
}

/// Classifiers that share no product.
pub(super) struct OneByOne(pub Vec<Box<dyn Classifier>>);

/// The set of classifiers that `make` builds, one of each parameters.
pub(super) fn one_by_one(
    parameters: &[Named],
    make: impl Fn(&Named) -> Result<Box<dyn Classifier>, MethodError>,
) -> Result<Box<dyn ClassifierSet>, MethodError> {
    Ok(Box::new(OneByOne(parameters.iter().map(make).collect::<Result<_, _>>()?)))
}

impl ClassifierSet for OneByOne {
    fn logits(&self, images: &ImageBatch, shares: Shares) -> Result<Vec<Tensor>, MethodError> {
        let each = self.0.iter().enumerate();
        each.map(|(index, one)| one.logits(&shares.of(index, self.0.len(), images)?)).collect()
    }

    fn objectives(
        &self,
        images: &ImageBatch,
        shares: Shares,
        labels: &[Option<&Tensor>],
    ) -> Result<Vec<Option<Objective>>, MethodError> {
        let each = self.0.iter().zip(labels).enumerate();
        each.map(|(index, (one, labels))| {
            let Some(labels) = labels else { return Ok(None) };
            one.objective(&shares.of(index, self.0.len(), images)?, labels).map(Some)
        })
        .collect()
    }
}

/// A set of one, as a classifier.
pub(super) struct Alone(pub Box<dyn ClassifierSet>);

fn only<T>(all: Vec<T>) -> Result<T, MethodError> {
    let missing = || candle_core::Error::Msg("a set of no classifier".to_owned()).into();
    all.into_iter().next().ok_or_else(missing)
}

impl Classifier for Alone {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        only(self.0.logits(images, Shares::All)?)
    }

    fn objective(&self, images: &ImageBatch, labels: &Tensor) -> Result<Objective, MethodError> {
        only(self.0.objectives(images, Shares::All, &[Some(labels)])?.into_iter().flatten().collect())
    }
}
