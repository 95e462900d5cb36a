//! The random part of a training view: which box is cut out, and whether it is mirrored.
//!
//! It owns the draw only; [`super::train_transform`] applies it. The distribution is torchvision's
//! `RandomResizedCrop` and `RandomHorizontalFlip`, the random numbers are our own [`Stream`]: a published
//! run's views cannot be redrawn. Every view takes its own stream, so retries never shift another view.

use crate::util::rng::Stream;

use super::CropBox;

/// The least share of the image's area that a box covers, unless a method says otherwise. The largest is 1.
pub const CROP_SCALE: f64 = 0.08;
/// Width over height of a box.
pub(super) const RATIO: (f64, f64) = (3.0 / 4.0, 4.0 / 3.0);
/// Boxes tried before the central one is taken.
pub(super) const TRIES: u32 = 10;

/// What is done to one image for one training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The box that is resized to the input size.
    pub crop: CropBox,
    /// Whether it is mirrored left to right.
    pub flip: bool,
}

/// Draws the view of a `width` by `height` image: box first, then the flip (probability one half). The box covers at least
/// `crop_scale` of the area. Sides of 0 are taken as 1; the box lies inside the image.
pub fn draw_view(stream: &mut Stream, (width, height): (usize, usize), crop_scale: f64) -> View {
    let crop = draw_crop(stream, (width.max(1), height.max(1)), crop_scale);
    View { crop, flip: stream.chance(0.5) }
}

/// torchvision's `RandomResizedCrop.get_params`: area uniform, aspect ratio log-uniform, corner uniform.
fn draw_crop(stream: &mut Stream, (width, height): (usize, usize), crop_scale: f64) -> CropBox {
    let image_area = width as f64 * height as f64;
    for _ in 0..TRIES {
        let area = image_area * stream.uniform_in(crop_scale, 1.0);
        // From libm: the platform's own functions may round differently, and with them a box.
        let ratio = libm::exp(stream.uniform_in(libm::log(RATIO.0), libm::log(RATIO.1)));
        let w = (area * ratio).sqrt().round_ties_even() as usize;
        let h = (area / ratio).sqrt().round_ties_even() as usize;
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            let top = stream.below((height - h + 1) as u64) as usize;
            let left = stream.below((width - w + 1) as u64) as usize;
            return CropBox { top, left, height: h, width: w };
        }
    }
    central_crop(width, height)
}

/// The largest central box whose aspect ratio is allowed.
fn central_crop(width: usize, height: usize) -> CropBox {
    let image_ratio = width as f64 / height as f64;
    let (w, h) = if image_ratio < RATIO.0 {
        (width, (width as f64 / RATIO.0).round_ties_even() as usize)
    } else if image_ratio > RATIO.1 {
        ((height as f64 * RATIO.1).round_ties_even() as usize, height)
    } else {
        (width, height)
    };
    let (w, h) = (w.min(width), h.min(height));
    CropBox { top: (height - h) / 2, left: (width - w) / 2, height: h, width: w }
}

#[cfg(test)]
mod tests {
    use super::{CROP_SCALE, CropBox, Stream, View, central_crop, draw_view};

    const DRAWS: u32 = 20_000;

    fn views(width: usize, height: usize) -> Vec<View> {
        let mut stream = Stream::new(&["augment test"]);
        (0..DRAWS).map(|_| draw_view(&mut stream, (width, height), CROP_SCALE)).collect()
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        values.sum::<f64>() / f64::from(DRAWS)
    }

    /// Mean and standard deviation of the drawn boxes' area (share of the image) and of the logarithm of
    /// their aspect ratio, against 200 000 boxes of torchvision 0.29.2's `get_params` on the same size.
    /// The area's mean is not the 0.54 of its uniform draw: large long boxes do not fit and are redrawn.
    #[test]
    fn boxes_are_distributed_as_torchvisions() {
        let views = views(4000, 4000);
        let areas = views.iter().map(|v| (v.crop.width * v.crop.height) as f64 / 16e6);
        let log_ratios = views.iter().map(|v| (v.crop.width as f64 / v.crop.height as f64).ln());
        for (what, values, expected) in [
            ("area", areas.collect::<Vec<f64>>(), (0.4787, 0.2335)),
            ("log ratio", log_ratios.collect(), (0.0, 0.1592)),
        ] {
            let center = mean(values.iter().copied());
            let spread = mean(values.iter().map(|x| (x - center).powi(2))).sqrt();
            assert!((center - expected.0).abs() < 0.006, "mean {what} {center}");
            assert!((spread - expected.1).abs() < 0.005, "standard deviation of {what} {spread}");
        }
    }

    #[test]
    fn flips_are_fair_and_corners_fill_the_room() {
        let views = views(300, 200);
        let flips = mean(views.iter().map(|v| f64::from(u8::from(v.flip))));
        assert!((flips - 0.5).abs() < 0.015, "share of flips {flips}");
        let place = |v: &View| {
            let room = 200 - v.crop.height;
            if room == 0 { 0.5 } else { v.crop.top as f64 / room as f64 }
        };
        let mean_place = mean(views.iter().map(place));
        assert!((mean_place - 0.5).abs() < 0.015, "mean place {mean_place}");
    }

    #[test]
    fn a_larger_scale_leaves_more_of_the_image() {
        let least = |scale: f64| {
            let mut stream = Stream::new(&["scale"]);
            let areas = (0..2000).map(|_| draw_view(&mut stream, (400, 400), scale).crop);
            areas.map(|crop| (crop.width * crop.height) as f64 / 16e4).fold(1.0, f64::min)
        };
        // Sides are rounded to whole pixels.
        assert!(least(0.5) > 0.495 && least(CROP_SCALE) < 0.1);
    }

    #[test]
    fn the_fallback_is_central_with_an_allowed_ratio() {
        assert_eq!(central_crop(1000, 30), CropBox { top: 0, left: 480, height: 30, width: 40 });
        assert_eq!(central_crop(30, 1000), CropBox { top: 480, left: 0, height: 40, width: 30 });
        assert_eq!(central_crop(10, 9), CropBox { top: 0, left: 0, height: 9, width: 10 });
        assert_eq!(central_crop(1, 1), CropBox { top: 0, left: 0, height: 1, width: 1 });
    }

    #[test]
    fn a_strip_falls_back_and_a_point_is_itself() {
        let mut stream = Stream::new(&["strip"]);
        assert_eq!(draw_view(&mut stream, (1000, 3), CROP_SCALE).crop.height, 3);
        assert_eq!(draw_view(&mut stream, (1, 1), CROP_SCALE).crop, CropBox::whole(1, 1));
    }
}
