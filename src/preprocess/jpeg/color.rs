//! From upsampled JPEG components to RGB: libjpeg's fixed-point YCbCr, and Pillow's CMYK.
//!
//! Easy to get wrong: four-component files hold *inverted* ink by Adobe's convention, and Pillow inverts
//! every one of them, whatever its markers say.

use crate::util::vectorised;

/// What the components of a file mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColorModel {
    Grey,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}

impl ColorModel {
    /// libjpeg's guess (`default_decompress_parms`) from component ids and markers; `None` if the number of
    /// components is not 1, 3 or 4. `adobe_transform` is from the Adobe marker, where there is one.
    pub(super) fn guess(component_ids: &[u8], has_jfif: bool, adobe_transform: Option<u8>) -> Option<Self> {
        Some(match (component_ids, adobe_transform) {
            ([_], _) => Self::Grey,
            ([_, _, _], _) if has_jfif => Self::YCbCr,
            ([_, _, _], Some(0)) | (b"RGB", None) => Self::Rgb,
            ([_, _, _], _) => Self::YCbCr,
            ([_, _, _, _], Some(0) | None) => Self::Cmyk,
            ([_, _, _, _], Some(_)) => Self::Ycck,
            _ => return None,
        })
    }

    /// Writes one row of RGB from one row of each component, all at least as long as `out` has pixels.
    pub(super) fn write_rgb(self, rows: &[&[u8]], out: &mut [u8]) {
        vectorised(
            #[inline(always)]
            || self.convert(rows, out),
        );
    }

    #[inline(always)]
    fn convert(self, rows: &[&[u8]], out: &mut [u8]) {
        let out = out.as_chunks_mut::<3>().0;
        match (self, rows) {
            (Self::Grey, [grey, ..]) => {
                for (pixel, &value) in out.iter_mut().zip(*grey) {
                    *pixel = [value; 3];
                }
            }
            (Self::YCbCr, [y, cb, cr, ..]) => {
                for (((pixel, &y), &cb), &cr) in out.iter_mut().zip(*y).zip(*cb).zip(*cr) {
                    *pixel = rgb_from_ycc([y, cb, cr]);
                }
            }
            (Self::Rgb, [r, g, b, ..]) => {
                for (((pixel, &r), &g), &b) in out.iter_mut().zip(*r).zip(*g).zip(*b) {
                    *pixel = [r, g, b];
                }
            }
            (Self::Cmyk, [c, m, y, k]) => {
                for ((((pixel, &c), &m), &y), &k) in out.iter_mut().zip(*c).zip(*m).zip(*y).zip(*k) {
                    *pixel = rgb_from_ink([c, m, y], k);
                }
            }
            (Self::Ycck, [y, cb, cr, k]) => {
                for ((((pixel, &y), &cb), &cr), &k) in out.iter_mut().zip(*y).zip(*cb).zip(*cr).zip(*k) {
                    *pixel = rgb_from_ink(rgb_from_ycc([y, cb, cr]).map(|light| 255 - light), k);
                }
            }
            _ => {}
        }
    }
}

/// libjpeg's conversion with 16 fractional bits (`jdcolor.c`): red `1.402 cr`, green `-0.34414 cb - 0.71414 cr`,
/// blue `1.772 cb`. The whole parts of the constants are taken out, so that every product has 16-bit factors.
#[inline(always)]
fn rgb_from_ycc([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let y = i32::from(y);
    let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + cr + ((26_345 * cr + HALF) >> 16);
    let green = y - cr + ((18_734 * cr - 22_554 * cb + HALF) >> 16);
    let blue = y + 2 * cb + ((-14_942 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// Pillow's `cmyk2rgb` after its inversion: `255 - stored` is the amount of ink, so stored K is light.
#[inline(always)]
fn rgb_from_ink(stored: [u8; 3], light: u8) -> [u8; 3] {
    stored.map(|stored| light - multiply_divide_255(255 - stored, light))
}

/// Pillow's `MULDIV255`: `a · b / 255`, rounded.
#[inline(always)]
fn multiply_divide_255(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    (((product >> 8) + product) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::{ColorModel, rgb_from_ink, rgb_from_ycc};

    #[test]
    fn markers_come_before_component_names() {
        let guess = ColorModel::guess;
        assert_eq!(guess(&[1, 2, 3], false, None), Some(ColorModel::YCbCr));
        assert_eq!(guess(b"RGB", false, None), Some(ColorModel::Rgb));
        assert_eq!(guess(b"RGB", true, Some(0)), Some(ColorModel::YCbCr));
        assert_eq!(guess(&[1, 2, 3], false, Some(0)), Some(ColorModel::Rgb));
        assert_eq!(guess(&[1, 2, 3, 4], false, Some(2)), Some(ColorModel::Ycck));
        assert_eq!(guess(&[1, 2, 3, 4], true, None), Some(ColorModel::Cmyk));
        assert_eq!(guess(&[1, 2], false, None), None);
    }

    #[test]
    fn split_constants_equal_the_whole_ones() {
        for cb in 0..=255u8 {
            for cr in 0..=255u8 {
                let (b, r) = (i32::from(cb) - 128, i32::from(cr) - 128);
                let want = [
                    100 + ((91_881 * r + 32_768) >> 16),
                    100 + ((-22_554 * b - 46_802 * r + 32_768) >> 16),
                    100 + ((116_130 * b + 32_768) >> 16),
                ];
                assert_eq!(rgb_from_ycc([100, cb, cr]), want.map(|v| v.clamp(0, 255) as u8));
            }
        }
    }

    #[test]
    fn no_ink_is_white_and_full_key_is_black() {
        assert_eq!(rgb_from_ink([255; 3], 255), [255; 3]);
        assert_eq!(rgb_from_ink([255; 3], 0), [0; 3]);
        assert_eq!(rgb_from_ink([0, 255, 128], 255), [0, 255, 128]);
    }
}
