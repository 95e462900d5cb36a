//! What a method is set up with: the classes' wordings and, where it reads them, the training images' features.

use candle_core::{Device, Tensor};

use super::error::MethodError;
use super::parameters::{Named, Parameters};
use crate::util::rng::Stream;

/// The wordings of a class set, as token ids BOS … EOS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassTexts {
    /// The prompt of each class.
    pub prompts: Vec<Vec<u32>>,
    /// Further wordings that the method's TOML names (`wordings`): each holds one prompt a class.
    pub others: Vec<Vec<Vec<u32>>>,
}

impl ClassTexts {
    /// Prompts without further wordings.
    pub fn of(prompts: &[Vec<u32>]) -> Self {
        Self { prompts: prompts.to_vec(), others: Vec::new() }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.prompts.len()
    }

    /// The further wordings; the prompts themselves where none is named.
    pub fn wordings(&self) -> &[Vec<Vec<u32>>] {
        if self.others.is_empty() { std::slice::from_ref(&self.prompts) } else { &self.others }
    }
}

/// The training images of a draw as initial values may read them.
pub trait Shots {
    /// Labels among the trained classes, in drawing order.
    fn labels(&self) -> Vec<u32>;

    /// Pooled features `[images, joint]` of augmented view `view`, not l2-normalised.
    ///
    /// # Errors
    /// [`MethodError::Shots`] for an image that cannot be had, [`MethodError::Interrupted`].
    fn pooled(&self, view: usize) -> Result<Tensor, MethodError>;

    /// Images of the trained classes to choose by, under the test transform: pooled features `[images, joint]`, not
    /// l2-normalised, and labels. There are those that the method [asks for](super::Method::selection).
    ///
    /// # Errors
    /// As [`Shots::pooled`]; where there is none.
    fn validation(&self, _pool: Pool) -> Result<(Tensor, Vec<u32>), MethodError> {
        Err(MethodError::Shots("there is no validation image to choose by".to_owned()))
    }
}

/// Images of the trained classes that something is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pool {
    /// Validation images of the draw, at most min(shots, 4) a class: the few-shot rule.
    Few,
    /// As many validation images a class as there are shots.
    AsShots,
    /// The whole validation split; on a dataset without one the test images, as published code has it.
    WholeSplit,
    /// The test images.
    Test,
}

impl Pool {
    /// Its name in marks of tables; `None` for what the few-shot rule allows.
    pub fn mark(self) -> Option<&'static str> {
        match self {
            Self::Few => None,
            Self::AsShots => Some("as_many_as_shots"),
            Self::WholeSplit => Some("whole_split"),
            Self::Test => Some("test_images"),
        }
    }
}

/// What a method chooses by images that it does not train on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// What is chosen, in words.
    pub chooses: &'static str,
    /// By which images. Numbers that rest on more than [`Pool::Few`] carry a mark.
    pub pools: &'static [Pool],
    /// By which of them the epoch whose parameters count is chosen; absent where that is the last.
    pub epoch: Option<Pool>,
}

/// Features that are there already: of golden numbers and benchmarks.
#[derive(Clone, Debug)]
pub struct FixedShots {
    /// Labels of the images.
    pub labels: Vec<u32>,
    /// `[images, joint]` of each view; later views repeat them.
    pub views: Vec<Tensor>,
}

impl FixedShots {
    /// One image a class with random features, for shapes and timings.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn random(classes: usize, joint: usize, device: &Device) -> Result<Self, MethodError> {
        Self::random_images(classes, (classes, joint), device)
    }

    /// `images` of them, class by class and again.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn random_images(
        images: usize,
        (classes, joint): (usize, usize),
        device: &Device,
    ) -> Result<Self, MethodError> {
        let mut stream = Stream::new(&["shots", "random"]);
        let values: Vec<f32> = (0..images * joint).map(|_| stream.normal() as f32).collect();
        let view = Tensor::from_vec(values, (images, joint), device)?;
        let labels = (0..images).map(|image| (image % classes.max(1)) as u32).collect();
        Ok(Self { labels, views: vec![view] })
    }
}

impl Shots for FixedShots {
    fn labels(&self) -> Vec<u32> {
        self.labels.clone()
    }

    fn pooled(&self, view: usize) -> Result<Tensor, MethodError> {
        let place = view.checked_rem(self.views.len()).and_then(|index| self.views.get(index));
        place.cloned().ok_or_else(|| no_shots("features"))
    }

    /// The first view stands for them.
    fn validation(&self, _: Pool) -> Result<(Tensor, Vec<u32>), MethodError> {
        Ok((self.pooled(0)?, self.labels()))
    }
}

/// What a method with a solver of its own computes on the way, by the names that golden numbers have.
#[derive(Debug, Default)]
pub struct Golden {
    /// Names and values.
    pub numbers: Vec<(String, Tensor)>,
    /// Names of logits over the images, and the parameters that give them.
    pub logits: Vec<(String, Named)>,
}

/// A method asked for `what` of training images where there are none.
pub(super) fn no_shots(what: &str) -> MethodError {
    MethodError::Shots(format!("its initial values need the {what} of training images, and there are none"))
}

/// The shots, or an error naming what was wanted of them.
pub(super) fn required(shots: Option<&dyn Shots>) -> Result<&dyn Shots, MethodError> {
    shots.ok_or_else(|| no_shots("features"))
}

/// Name and shape of a stored parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterShape {
    /// Its name in files.
    pub name: String,
    /// Its dimensions; 0 where any size will do.
    pub shape: Vec<usize>,
    /// Whether it is trained; fixed ones follow from the training images.
    pub trained: bool,
}

impl ParameterShape {
    /// A trained parameter.
    pub fn trained(name: &str, shape: &[usize]) -> Self {
        Self { name: name.to_owned(), shape: shape.to_vec(), trained: true }
    }

    /// A fixed parameter.
    pub fn fixed(name: &str, shape: &[usize]) -> Self {
        Self { trained: false, ..Self::trained(name, shape) }
    }

    /// Whether a tensor of these dimensions fits.
    pub fn fits(&self, dims: &[usize]) -> bool {
        dims.len() == self.shape.len() && dims.iter().zip(&self.shape).all(|(d, s)| *s == 0 || d == s)
    }

    /// The shapes of parameters that are there.
    pub fn of(parameters: &Parameters) -> Vec<Self> {
        let fixed = Named::iter(parameters.fixed()).map(|(name, value)| Self::fixed(name, value.dims()));
        let trained = parameters.iter().map(|(name, var)| Self::trained(name, var.dims()));
        trained.chain(fixed).collect()
    }

    /// Number of trained scalars.
    pub fn count(shapes: &[Self]) -> u64 {
        let trained = shapes.iter().filter(|shape| shape.trained);
        trained.map(|shape| shape.shape.iter().product::<usize>() as u64).sum()
    }
}
