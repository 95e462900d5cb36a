//! Palettes as Pillow fills them: entries that a file does not give are black.

/// 256 colours.
pub(super) struct Palette([[u8; 3]; 256]);

impl Palette {
    /// The first entries from `colours`, the rest black; `None` if there are more than 256.
    pub(super) fn new(colours: impl ExactSizeIterator<Item = [u8; 3]>) -> Option<Self> {
        let mut entries = [[0; 3]; 256];
        if colours.len() > entries.len() {
            return None;
        }
        for (entry, colour) in entries.iter_mut().zip(colours) {
            *entry = colour;
        }
        Some(Self(entries))
    }

    /// What a file without any palette has.
    pub(super) fn black() -> Self {
        Self([[0; 3]; 256])
    }

    /// Every index its own grey.
    pub(super) fn grey() -> Self {
        Self(std::array::from_fn(|index| [index as u8; 3]))
    }

    /// The colour of an index.
    pub(super) fn colour(&self, index: u8) -> [u8; 3] {
        self.0[usize::from(index)]
    }

    /// RGB bytes of a row or picture of indices.
    pub(super) fn rgb(&self, indices: &[u8]) -> Vec<u8> {
        indices.iter().flat_map(|&index| self.colour(index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Palette;

    #[test]
    fn missing_entries_are_black_and_257_are_refused() {
        let palette = Palette::new([[9, 8, 7]].into_iter()).unwrap();
        assert_eq!(palette.rgb(&[0, 1, 255]), [9, 8, 7, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Palette::grey().colour(9), [9; 3]);
        assert!(Palette::new(vec![[0; 3]; 257].into_iter()).is_none());
    }
}
