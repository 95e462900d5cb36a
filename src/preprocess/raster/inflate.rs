//! Zlib streams whose length is known: rows of PNG, strips of TIFF.

use flate2::{Decompress, FlushDecompress, Status};

use super::super::decode::DecodeError;
use super::guard::guarded;
use super::malformed;

/// Most bytes that a byte of deflated data can become.
pub(super) const LARGEST_RATIO: u64 = 1032;

/// A zlib stream, read piece by piece.
pub(super) struct Inflater<'a> {
    format: &'static str,
    input: &'a [u8],
    state: Decompress,
    /// Whether the stream and its checksum were read to their end.
    pub(super) ended: bool,
}

impl<'a> Inflater<'a> {
    pub(super) fn new(format: &'static str, input: &'a [u8]) -> Self {
        Self { format, input, state: Decompress::new(true), ended: false }
    }

    /// Fills `out` as far as the stream goes; returns how much.
    ///
    /// # Errors
    /// Damaged data, or a wrong checksum at their end.
    pub(super) fn fill(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        guarded(self.format, || self.fill_inside(out))
    }

    fn fill_inside(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let mut filled = 0;
        while !self.ended {
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(self.input, &mut out[filled..], FlushDecompress::None);
            let damaged = |_| malformed(self.format, "its compressed data are damaged");
            self.ended = status.map_err(damaged)? == Status::StreamEnd;
            let read = (self.state.total_in() - read) as usize;
            let written = (self.state.total_out() - written) as usize;
            self.input = &self.input[read..];
            filled += written;
            if filled == out.len() || (read == 0 && written == 0) {
                break;
            }
        }
        Ok(filled)
    }

    /// Reads on behind the last byte that is wanted: the end of the stream and its checksum, where they are there.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub(super) fn finish(&mut self) -> Result<(), DecodeError> {
        let mut beyond = [0; 1];
        self.fill(&mut beyond).map(|_| ())
    }
}
