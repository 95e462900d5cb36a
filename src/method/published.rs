//! What is known of a method's published files and figures, as its file describes it.

/// A setting's value from a tensor's dimensions.
pub type FromShape = fn(&[usize]) -> Option<usize>;

/// A tensor of a published file.
#[derive(Clone, Copy, Debug)]
pub struct PublishedTensor {
    /// Its name there.
    pub theirs: &'static str,
    /// Its name here.
    pub ours: &'static str,
    /// Number of its dimensions.
    pub rank: usize,
    /// Whether a file without metadata is taken for the method's by it: all that tell must be there.
    pub tells: bool,
    /// A setting that its shape decides, and how.
    pub size: Option<(&'static str, FromShape)>,
}

impl PublishedTensor {
    /// One that has the same name here.
    pub const fn new(name: &'static str, rank: usize) -> Self {
        Self { theirs: name, ours: name, rank, tells: false, size: None }
    }

    /// The same, called otherwise here.
    #[must_use]
    pub const fn called(self, ours: &'static str) -> Self {
        Self { ours, ..self }
    }

    /// The same, by which a file is recognised.
    #[must_use]
    pub const fn telling(self) -> Self {
        Self { tells: true, ..self }
    }

    /// The same, whose shape decides a setting.
    #[must_use]
    pub const fn sizing(self, setting: &'static str, size: FromShape) -> Self {
        Self { size: Some((setting, size)), ..self }
    }
}

/// The first dimension.
pub fn rows(shape: &[usize]) -> Option<usize> {
    shape.first().copied()
}

/// Scalars a method trains on CLIP ViT-B/16, whatever the classes: from the values of these settings, in order.
#[derive(Clone, Copy, Debug)]
pub struct PublishedSize {
    /// Settings among the method's own; none where the model alone decides.
    pub settings: &'static [&'static str],
    /// The number of scalars.
    pub scalars: fn(&[u64]) -> Option<u64>,
}

/// ViT-B/16's width of the text tower.
pub const TEXT_WIDTH: u64 = 512;
/// ViT-B/16's width of the vision tower.
pub const VISION_WIDTH: u64 = 768;
/// ViT-B/16's width of the joint space.
pub const JOINT_WIDTH: u64 = 512;

/// A method's published files and figures.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// Tensors of its files; empty where none is read.
    pub tensors: &'static [PublishedTensor],
    /// How many scalars it trains, where that does not depend on the classes.
    pub size: Option<PublishedSize>,
}

impl Publication {
    /// Nothing is read, and nothing compared.
    pub const NONE: Self = Self { tensors: &[], size: None };
}
