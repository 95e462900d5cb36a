//! Rectangles in an image, and torchvision's rules for which rectangle a transform keeps.
//!
//! It owns sizes and offsets only, no pixels. Easy to get wrong: `CenterCrop` rounds half-way offsets to
//! the even neighbour (Python's `round`), `Resize` truncates the long side.

/// A rectangle of pixels, in torchvision's order of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropBox {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

/// A crop that has no pixels or reaches outside its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("crop {crop:?}: it is empty or reaches outside an image of {width} x {height} pixels")]
pub struct CropError {
    /// The refused crop.
    pub crop: CropBox,
    /// Width of the image.
    pub width: usize,
    /// Height of the image.
    pub height: usize,
}

impl CropBox {
    /// The whole of a `width` by `height` image.
    pub fn whole(width: usize, height: usize) -> Self {
        Self { top: 0, left: 0, height, width }
    }

    /// Checks that the crop has pixels and lies inside a `width` by `height` image.
    ///
    /// # Errors
    /// [`CropError`] with both.
    pub fn inside(self, width: usize, height: usize) -> Result<Self, CropError> {
        let fits = |first: usize, count: usize, size: usize| {
            count > 0 && first.checked_add(count).is_some_and(|end| end <= size)
        };
        if fits(self.left, self.width, width) && fits(self.top, self.height, height) {
            Ok(self)
        } else {
            Err(CropError { crop: self, width, height })
        }
    }
}

/// The size (width, height) after torchvision's `Resize(short_side)`: the long side is
/// `int(short_side * long / short)`, so it truncates.
pub fn resized_size(width: usize, height: usize, short_side: usize) -> (usize, usize) {
    let long =
        |long: usize, short: usize| (short_side as u128 * long as u128 / short.max(1) as u128) as usize;
    if width <= height { (short_side, long(height, width)) } else { (long(width, height), short_side) }
}

/// The central `size` by `size` box of torchvision's `CenterCrop`, in an image with both sides at least
/// `size` (a smaller side gives offset 0; torchvision pads there, which never happens after `Resize`).
pub fn center_box(width: usize, height: usize, size: usize) -> CropBox {
    let offset = |side: usize| half_to_even(side.saturating_sub(size));
    CropBox { top: offset(height), left: offset(width), height: size, width: size }
}

/// `round(n / 2)` as Python rounds: n = 1, 3, 5, 7 give 0, 2, 2, 4.
fn half_to_even(n: usize) -> usize {
    let half = n / 2;
    if n % 2 == 1 { half + half % 2 } else { half }
}

#[cfg(test)]
mod tests {
    use super::{CropBox, center_box, half_to_even, resized_size};

    #[test]
    fn the_long_side_is_truncated() {
        assert_eq!(resized_size(500, 375, 224), (298, 224));
        assert_eq!(resized_size(375, 500, 224), (224, 298));
        assert_eq!(resized_size(7, 7, 224), (224, 224));
        assert_eq!(resized_size(1, 65_535, 224), (224, 14_679_840));
    }

    #[test]
    fn half_way_offsets_go_to_even() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(half_to_even), [0, 0, 1, 2, 2, 2, 3, 4]);
        assert_eq!(center_box(227, 224, 224), CropBox { top: 0, left: 2, height: 224, width: 224 });
    }

    #[test]
    fn crops_outside_are_refused() {
        let crop = CropBox { top: 1, left: 0, height: 4, width: 3 };
        assert!(crop.inside(3, 5).is_ok());
        assert!(crop.inside(3, 4).is_err());
        assert!(crop.inside(2, 5).is_err());
        assert!(CropBox { width: 0, ..crop }.inside(3, 5).is_err());
        assert!(CropBox { left: usize::MAX, ..crop }.inside(3, 5).is_err());
    }
}
