//! The two image transforms of the protocol, as torchvision runs them on Pillow images.
//!
//! It owns which part of an image is resized to what; the filter is [`super::resample`]'s, the random
//! draw of a training view [`super::augment`]'s. Easy to get wrong: the training crop is cut out *before*
//! resizing, so pixels beside it never show, while the central crop of the test transform comes after.

use super::crop::{center_box, resized_size};
use super::resample::resize_window;
use super::{CropBox, CropError, Rgb8};

/// Test transform: resize the short side to `size` (bicubic, antialiased), crop the central `size` by
/// `size` pixels. Equal to torchvision's `Resize(size)` and `CenterCrop(size)`, byte for byte. A `size` of
/// 0 is taken as 1.
///
/// ```
/// use rpo_bench::preprocess::{Rgb8, test_transform};
/// let grey = Rgb8::new(50, 30, vec![128; 50 * 30 * 3]).unwrap();
/// assert_eq!(test_transform(&grey, 8).data(), [128; 8 * 8 * 3]);
/// ```
pub fn test_transform(image: &Rgb8, size: usize) -> Rgb8 {
    let size = size.max(1);
    let full = resized_size(image.width(), image.height(), size);
    let whole = CropBox::whole(image.width(), image.height());
    resize_window(image, whole, full, center_box(full.0, full.1, size))
}

/// Training transform: cut `crop` out, resize it to `size` by `size`, mirror it if `flip`. Equal to
/// torchvision's `resized_crop` and `hflip`, byte for byte. A `size` of 0 is taken as 1.
///
/// # Errors
/// [`CropError`] if the crop is empty or reaches outside the image.
pub fn train_transform(image: &Rgb8, crop: CropBox, flip: bool, size: usize) -> Result<Rgb8, CropError> {
    let size = size.max(1);
    let crop = crop.inside(image.width(), image.height())?;
    let resized = resize_window(image, crop, (size, size), CropBox::whole(size, size));
    Ok(if flip { mirrored(&resized) } else { resized })
}

fn mirrored(image: &Rgb8) -> Rgb8 {
    let rows = image.data().chunks_exact(image.width() * 3);
    let data = rows.flat_map(|row| row.rchunks_exact(3).flatten().copied()).collect();
    Rgb8::new(image.width(), image.height(), data).expect("mirroring keeps every pixel")
}

#[cfg(test)]
mod tests {
    use super::{CropBox, Rgb8, train_transform};

    #[test]
    fn a_crop_of_the_target_size_is_copied_and_mirrored() {
        let bytes: Vec<u8> = (0..4 * 3 * 3).collect();
        let image = Rgb8::new(4, 3, bytes).unwrap();
        let crop = CropBox { top: 1, left: 2, height: 2, width: 2 };
        let plain = train_transform(&image, crop, false, 2).unwrap();
        assert_eq!(plain.data(), [18, 19, 20, 21, 22, 23, 30, 31, 32, 33, 34, 35]);
        let flipped = train_transform(&image, crop, true, 2).unwrap();
        assert_eq!(flipped.data(), [21, 22, 23, 18, 19, 20, 33, 34, 35, 30, 31, 32]);
    }

    #[test]
    fn a_crop_outside_is_an_error() {
        let image = Rgb8::new(2, 2, vec![0; 12]).unwrap();
        let crop = CropBox { top: 0, left: 1, height: 2, width: 2 };
        let said = train_transform(&image, crop, false, 2).unwrap_err().to_string();
        assert!(said.contains("left: 1") && said.contains("2 x 2 pixels"), "{said}");
    }
}
