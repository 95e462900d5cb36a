//! What happens to images that cannot be read: the run stops, or they are left out and counted.
//!
//! Leaving out costs one more decoding of every image, before the pass: chunks of a pass are a fixed grid over
//! the items that take part, so an image cannot drop out in the middle of one.

use rayon::prelude::*;

use super::error::TrainError;
use crate::data::{ImageSource, Item, PixelError};

/// Images decoded between two questions whether to stop.
const CHUNK: usize = 256;

/// The policy for images that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenImages {
    /// The run stops and names the image.
    Fail,
    /// The image is left out; records and reports say how many were.
    Skip,
}

/// Items with their labels among the classes at hand.
pub type Labelled<'i> = Vec<(&'i Item, u32)>;

/// The items to work with, and why each of the others is left out. Under [`BrokenImages::Fail`] nothing is
/// opened: whoever needs the pixels fails.
///
/// # Errors
/// [`TrainError::Interrupted`].
pub fn readable<'i>(
    policy: BrokenImages,
    source: &dyn ImageSource,
    items: Labelled<'i>,
    stop: &dyn Fn() -> bool,
) -> Result<(Labelled<'i>, Vec<PixelError>), TrainError> {
    if policy == BrokenImages::Fail {
        return Ok((items, Vec::new()));
    }
    let (mut kept, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for chunk in items.chunks(CHUNK) {
        if stop() {
            return Err(TrainError::Interrupted);
        }
        let found: Vec<Option<PixelError>> =
            chunk.par_iter().map(|(item, _)| source.image(item).err()).collect();
        for (item, error) in chunk.iter().zip(found) {
            match error {
                None => kept.push(*item),
                Some(error) => errors.push(error),
            }
        }
    }
    Ok((kept, errors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::Rgb8;

    struct OddOnly;

    impl ImageSource for OddOnly {
        fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
            let whole = (item.label % 2 == 1).then(|| Rgb8::new(1, 1, vec![0; 3])).flatten();
            whole.ok_or_else(|| PixelError::Unknown { path: item.path.clone() })
        }
    }

    #[test]
    fn broken_images_are_left_out_only_when_told_and_order_stays() {
        let items: Vec<Item> = (0..600).map(|n| Item { path: n.to_string(), label: n }).collect();
        let all: Labelled<'_> = items.iter().map(|item| (item, item.label)).collect();
        let (kept, errors) = readable(BrokenImages::Fail, &OddOnly, all.clone(), &|| false).unwrap();
        assert!(kept == all && errors.is_empty());
        let (kept, errors) = readable(BrokenImages::Skip, &OddOnly, all.clone(), &|| false).unwrap();
        assert!(kept.iter().map(|(_, label)| *label).eq((1..600).step_by(2)));
        assert!(errors.len() == 300 && errors[1].to_string().contains("find image 2:"), "{}", errors[1]);
        assert!(matches!(
            readable(BrokenImages::Skip, &OddOnly, all, &|| true),
            Err(TrainError::Interrupted)
        ));
    }
}
