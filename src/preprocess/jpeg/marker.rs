//! JPEG markers and the tables they carry, up to the entropy-coded data.

use super::super::decode::DecodeError;
use super::huffman::HuffmanSpec;

/// The format's name in errors.
const FORMAT: &str = "JPEG";

pub(super) const START_OF_SCAN: u8 = 0xda;
pub(super) const END_OF_IMAGE: u8 = 0xd9;
pub(super) const FIRST_RESTART: u8 = 0xd0;
pub(super) const LAST_RESTART: u8 = 0xd7;

/// Where the coefficient at each zigzag position lies in a row-major block. The 16 entries behind the
/// 64th catch runs of damaged data that overshoot, as in libjpeg.
pub(super) const NATURAL_ORDER: [u8; 80] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
];

pub(super) fn malformed(reason: &str) -> DecodeError {
    DecodeError::Malformed { format: FORMAT, reason: reason.to_owned() }
}

pub(super) fn unsupported(kind: &str) -> DecodeError {
    DecodeError::Unsupported { format: FORMAT, kind: kind.to_owned() }
}

pub(super) fn truncated() -> DecodeError {
    DecodeError::Truncated { format: FORMAT }
}

/// Finds the next marker from byte `at` on, skipping anything else: its code and where it ends.
pub(super) fn next_marker(data: &[u8], at: usize) -> Option<(u8, usize)> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && pair[1] != 0 && pair[1] != 0xff;
    let found = at + data.get(at..)?.windows(2).position(is_marker)?;
    Some((data[found + 1], found + 2))
}

/// The payload of the marker segment whose length field is at `at`, and where the segment ends.
pub(super) fn segment(data: &[u8], at: usize) -> Result<(&[u8], usize), DecodeError> {
    let length = data.get(at..).and_then(|rest| rest.first_chunk::<2>()).ok_or_else(truncated)?;
    // A segment that claims to be shorter than its length field is empty, as in libjpeg.
    let end = at + usize::from(u16::from_be_bytes(*length)).max(2);
    Ok((data.get(at + 2..end).ok_or_else(truncated)?, end))
}

/// What marker segments set for the scans that follow.
#[derive(Default)]
pub(super) struct Tables {
    /// Quantisation tables, row-major.
    pub(super) quantisation: [Option<[u16; 64]>; 4],
    /// Huffman tables, not yet judged.
    pub(super) dc: [Option<HuffmanSpec>; 4],
    pub(super) ac: [Option<HuffmanSpec>; 4],
    /// MCUs between restart markers; 0 for none.
    pub(super) restart_interval: usize,
    pub(super) has_jfif: bool,
    pub(super) adobe_transform: Option<u8>,
}

impl Tables {
    /// Takes in one segment. Segments that say nothing about decoding are passed over.
    pub(super) fn read(&mut self, marker: u8, payload: &[u8]) -> Result<(), DecodeError> {
        match marker {
            0xc4 => self.read_huffman(payload)?,
            0xdb => self.read_quantisation(payload)?,
            0xdd => {
                let interval = <[u8; 2]>::try_from(payload);
                let interval = interval.ok().ok_or_else(|| malformed("a restart interval is damaged"))?;
                self.restart_interval = usize::from(u16::from_be_bytes(interval));
            }
            0xe0 if payload.len() >= 14 && payload.starts_with(b"JFIF\0") => self.has_jfif = true,
            0xee if payload.len() >= 12 && payload.starts_with(b"Adobe") => {
                self.adobe_transform = Some(payload[11]);
            }
            _ => {}
        }
        Ok(())
    }

    fn read_huffman(&mut self, mut payload: &[u8]) -> Result<(), DecodeError> {
        while let Some((&[head, ref counts @ ..], rest)) = payload.split_first_chunk::<17>() {
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) =
                rest.split_at_checked(total).ok_or_else(|| malformed("a Huffman table is cut off"))?;
            if total > 256 {
                return Err(malformed("a Huffman table has more than 256 codes"));
            }
            let table = HuffmanSpec { counts: *counts, symbols: symbols.to_vec() };
            let slots = if head & 0x10 == 0 { &mut self.dc } else { &mut self.ac };
            let slot = slots.get_mut(usize::from(head & !0x10));
            *slot.ok_or_else(|| malformed("a Huffman table has no such slot"))? = Some(table);
            payload = rest;
        }
        if payload.is_empty() { Ok(()) } else { Err(malformed("bytes are left over behind a Huffman table")) }
    }

    fn read_quantisation(&mut self, mut payload: &[u8]) -> Result<(), DecodeError> {
        while let Some((&head, rest)) = payload.split_first() {
            let bytes = if head >> 4 == 0 { 64 } else { 128 };
            let (values, rest) =
                rest.split_at_checked(bytes).ok_or_else(|| malformed("a quantisation table is cut off"))?;
            let mut table = [0; 64];
            for (&position, value) in NATURAL_ORDER.iter().zip(values.chunks_exact(bytes / 64)) {
                table[usize::from(position)] =
                    value.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
            }
            let slot = self.quantisation.get_mut(usize::from(head & 15));
            *slot.ok_or_else(|| malformed("a quantisation table has no such slot"))? = Some(table);
            payload = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Tables, next_marker, segment};

    #[test]
    fn fill_bytes_and_stuffing_are_passed_over() {
        assert_eq!(next_marker(&[1, 0xff, 0, 2, 0xff, 0xff, 0xd9, 3], 0), Some((0xd9, 7)));
        assert_eq!(next_marker(&[0xff, 0, 0xff], 0), None);
        assert_eq!(next_marker(&[], 5), None);
    }

    #[test]
    fn segments_are_cut_by_their_length() {
        assert_eq!(segment(&[0, 4, 8, 9, 7], 0).unwrap(), (&[8u8, 9][..], 4));
        assert_eq!(segment(&[0, 1, 8], 0).unwrap(), (&[][..], 2));
        assert!(segment(&[0, 9, 8], 0).is_err());
    }

    #[test]
    fn quantisation_leaves_zigzag_order() {
        let payload: Vec<u8> = std::iter::once(2).chain(0..64).collect();
        let mut tables = Tables::default();
        tables.read(0xdb, &payload).unwrap();
        let table = tables.quantisation[2].unwrap();
        assert_eq!((table[0], table[8], table[16], table[63]), (0, 2, 3, 63));
    }
}
