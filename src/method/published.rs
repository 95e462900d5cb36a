//! What is known of a method's published files and figures, as its file describes it.

/// A setting's value from a tensor's dimensions.
pub type FromShape = fn(&[usize]) -> Option<usize>;

/// A tensor of a published file, or one a block: in such names `{}` stands for a number.
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
    /// A setting that says how many there are, and our name of the one at the tower's input, which counts too.
    pub count: Option<(&'static str, &'static str)>,
    /// Whether a file without it is sound: its settings are 0 then.
    pub may_lack: bool,
}

impl PublishedTensor {
    /// One that has the same name here.
    pub const fn new(name: &'static str, rank: usize) -> Self {
        Self { theirs: name, ours: name, rank, tells: false, size: None, count: None, may_lack: false }
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

    /// The same, of which there are as many as a setting says, `first` included.
    #[must_use]
    pub const fn counted(self, setting: &'static str, first: &'static str) -> Self {
        Self { count: Some((setting, first)), ..self }
    }

    /// The same, which a file may lack.
    #[must_use]
    pub const fn or_none(self) -> Self {
        Self { may_lack: true, ..self }
    }

    /// Our name of the tensor that a file calls `name`, by their word or ours; none where it is another.
    pub fn our_name(&self, name: &str) -> Option<String> {
        let number = number(self.theirs, name).or_else(|| number(self.ours, name))?;
        Some(self.ours.replace(NUMBER, number))
    }

    /// Their name of the tensor that is called `name` here; none where it is another.
    pub fn their_name(&self, name: &str) -> Option<String> {
        Some(self.theirs.replace(NUMBER, number(self.ours, name)?))
    }
}

/// What stands for a number in names.
const NUMBER: &str = "{}";

/// The number with which `pattern` is `name`; empty for one that has none.
fn number<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    let Some((head, tail)) = pattern.split_once(NUMBER) else { return (pattern == name).then_some("") };
    let number = name.strip_prefix(head)?.strip_suffix(tail)?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
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
    /// How a name begins that only its files have, where their other names are another method's as well.
    pub mark: Option<&'static str>,
    /// How many scalars it trains, where that does not depend on the classes.
    pub size: Option<PublishedSize>,
}

impl Publication {
    /// Nothing is read, and nothing compared.
    pub const NONE: Self = Self { tensors: &[], mark: None, size: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_numbers_go_both_ways() {
        let deep = PublishedTensor::new("learner.deep.{}.weight", 2).called("deep.{}.weight");
        assert_eq!(deep.our_name("learner.deep.12.weight").as_deref(), Some("deep.12.weight"));
        assert_eq!(deep.our_name("deep.0.weight").as_deref(), Some("deep.0.weight"));
        assert_eq!(deep.their_name("deep.3.weight").as_deref(), Some("learner.deep.3.weight"));
        for other in ["learner.deep..weight", "learner.deep.x.weight", "deep.1.bias", "deep.-1.weight"] {
            assert_eq!(deep.our_name(other), None, "{other}");
        }
    }
}
