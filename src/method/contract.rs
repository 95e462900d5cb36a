//! The seam between methods and everything that runs them.
//!
//! method + class texts → head; head + parameters → classifiers; classifier + images → logits, and with labels
//! what a step minimises. With tracked parameters the results carry a graph (training), with plain tensors none
//! (evaluation), so the code that trains is the code that is evaluated.

use std::sync::Arc;

use candle_core::Tensor;

use super::classifier::Classifier;
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::parameters::{Named, Parameters};
use super::sets::{Alone, ClassifierSet};
use super::setup::{ClassTexts, Golden, ParameterShape, Selection, Shots};
use super::token_rows::{TokenRows, Untouched, frozen_rows};
use super::work::{Shape, Work};
use crate::backbone::Clip;
use crate::util::rng::Stream;

/// A step of a method's own solver: its loss before the update (nats).
pub type OwnStep = Box<dyn FnMut() -> Result<f64, MethodError>>;

/// A method with its hyper-parameters. It holds no tensor.
pub trait Method: Send + Sync {
    /// The name in files and on the command line.
    fn id(&self) -> &'static str;

    /// What it reads of an image.
    fn needs(&self) -> Needs {
        Needs::POOLED
    }

    /// Whether it depends on a draw of training images at all.
    fn draws(&self) -> bool {
        true
    }

    /// Whether it can meet classes it was not trained on. One that owns a row a class cannot.
    fn transfers(&self) -> bool {
        true
    }

    /// Whether its initial values read the training images.
    fn reads_shots(&self) -> bool {
        false
    }

    /// Whether its files hold numbers beside the learnt ones: what follows from the training images, or an earlier stage.
    fn keeps_more(&self) -> bool {
        self.reads_shots()
    }

    /// Whether its texts depend on the image.
    fn texts_see_images(&self) -> bool {
        false
    }

    /// The setting that is 0 where its training steps draw no random numbers of their own, such as dropout's; `None` where
    /// they draw none.
    fn step_noise(&self) -> Option<&'static str> {
        None
    }

    /// The next step of a solver of its own, to be taken again and again: what [`Method::init`] goes on with until all are
    /// taken. `None` where the training loop trains, or nothing does.
    ///
    /// # Errors
    /// As [`Method::init`].
    fn own_step(
        &self,
        _clip: &Clip,
        _texts: &ClassTexts,
        _shots: &dyn Shots,
    ) -> Result<Option<OwnStep>, MethodError> {
        Ok(None)
    }

    /// What it chooses by images that it does not train on; `None` where it looks at none.
    fn selection(&self) -> Option<Selection> {
        None
    }

    /// The trained parameters with what is chosen after the training.
    ///
    /// # Errors
    /// As [`Method::init`].
    fn settle(
        &self,
        _clip: &Clip,
        _texts: &ClassTexts,
        _shots: &dyn Shots,
        trained: Parameters,
    ) -> Result<Parameters, MethodError> {
        Ok(trained)
    }

    /// Which trainings of it can share every step with each other, where they see the same images: none by default. One of them
    /// binds for all, so heads must not depend on the settings named.
    fn lockstep(&self, _clip: &Clip, _classes: usize, _batch: usize) -> Lockstep {
        Lockstep::default()
    }

    /// The smallest batch at which its training does not amplify last bits.
    fn steady_batch(&self) -> usize {
        1
    }

    /// Initial parameters for these class texts. The order of the trained ones is the order of the draws and of
    /// every file. None trained: these are the final ones. `shots` are there for a method that
    /// [reads them](Method::reads_shots).
    ///
    /// # Errors
    /// [`MethodError`] when the texts do not allow it, or shots are needed and absent.
    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError>;

    /// What a solver of the method's own computes on the way, for golden numbers; `given` are their initial values. Nothing
    /// where the training loop trains.
    ///
    /// # Errors
    /// As [`Method::init`].
    fn golden(
        &self,
        _clip: &Clip,
        _texts: &ClassTexts,
        _shots: Option<&dyn Shots>,
        _given: &dyn Fn(&str) -> Option<Tensor>,
    ) -> Result<Golden, MethodError> {
        Ok(Golden::default())
    }

    /// Names and shapes of what [`Method::init`] returns, without values. A method that reads shots overrides this.
    ///
    /// # Errors
    /// As [`Method::init`].
    fn shapes(&self, clip: &Clip, texts: &ClassTexts) -> Result<Vec<ParameterShape>, MethodError> {
        Ok(ParameterShape::of(&self.init(clip, texts, None, &mut Stream::new(&["shapes"]))?))
    }

    /// What it computes and keeps for a class set.
    fn work(&self, shape: &Shape<'_>) -> Work;

    /// The towers whose tokens it cannot touch, whatever is trained: a claim that measurements check.
    fn untouched(&self) -> Untouched {
        Untouched::BOTH
    }

    /// Token features with `parameters` in place, for class texts and images (with pixels). `None` stands for
    /// no prompts at all, or, where prompts take the place of words, for these words.
    ///
    /// # Errors
    /// [`MethodError`] as for [`Method::bind`], and [`MethodError::Images`] without pixels.
    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        _parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        // A method that overrides nothing has no prompts: its parameters lie behind the towers.
        frozen_rows(clip, &texts.prompts, images)
    }

    /// Binds the method to a class set and computes what is frozen about it.
    ///
    /// # Errors
    /// [`MethodError`] when the texts cannot be laid out.
    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError>;
}

/// Which trainings of a method can go through the same products, each with the bits it would have alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lockstep {
    /// Its settings that decide nothing but initial values: trainings may differ in them.
    pub settings: &'static [&'static str],
    /// How many can share a step.
    pub at_most: usize,
}

/// A method bound to a class set.
pub trait Head: Send + Sync {
    /// The text sides of several parameters of one shape together, computed once. A method that can share products
    /// among them does; the others compute one after the other.
    ///
    /// # Errors
    /// [`MethodError::Parameter`] for a missing parameter or a wrong shape.
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError>;

    /// The same for a training step. `noise` names each one's random numbers of this step; without a name nothing is
    /// drawn.
    ///
    /// # Errors
    /// As [`Head::classifiers`].
    fn step_classifiers(
        &self,
        parameters: &[Named],
        _noise: &[Option<&str>],
    ) -> Result<Box<dyn ClassifierSet>, MethodError> {
        self.classifiers(parameters)
    }

    /// The same for trainings that all see the same images, in [`Method::lockstep`]: each computes what it would alone, bit
    /// for bit.
    ///
    /// # Errors
    /// As [`Head::classifiers`].
    fn alike_classifiers(
        &self,
        parameters: &[Named],
        noise: &[Option<&str>],
    ) -> Result<Box<dyn ClassifierSet>, MethodError> {
        self.step_classifiers(parameters, noise)
    }

    /// The second stage of its training, where there is one.
    fn second_stage(&self) -> Option<&dyn SecondStage> {
        None
    }

    /// One classifier.
    ///
    /// # Errors
    /// As [`Head::classifiers`].
    fn classifier(&self, parameters: &Named) -> Result<Box<dyn Classifier>, MethodError> {
        Ok(Box::new(Alone(self.classifiers(std::slice::from_ref(parameters))?)))
    }
}

/// A training that goes on with other parameters, a fresh optimiser and a schedule of its own.
pub trait SecondStage {
    /// Share of all steps that the first stage takes, above 0 and below 1.
    fn first_share(&self) -> f64;

    /// What the second stage trains and how it begins, from what the first ended with; that stays among the fixed
    /// parameters. `first` may hold the second's own as well.
    ///
    /// # Errors
    /// [`MethodError`] for a parameter that is missing or has another shape.
    fn start(&self, first: &Named) -> Result<Parameters, MethodError>;
}
