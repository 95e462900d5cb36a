//! An 8-bit RGB picture in memory. It owns pixels only: no file name, no colour profile.

/// An 8-bit RGB image: `data` holds `height × width × 3` bytes, row-major, channels interleaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb8 {
    width: usize,
    height: usize,
    data: Vec<u8>,
}

impl Rgb8 {
    /// Wraps interleaved RGB bytes.
    ///
    /// Returns `None` unless both sides are at least 1 and `data.len() == width · height · 3`.
    pub fn new(width: usize, height: usize, data: Vec<u8>) -> Option<Self> {
        let expected = width.checked_mul(height)?.checked_mul(3)?;
        (width > 0 && height > 0 && data.len() == expected).then_some(Self { width, height, data })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes, `height × width × 3`.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes, given away.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}
