//! The tags of a TIFF's first picture: classic and BigTIFF, either byte order.

use super::super::decode::DecodeError;
use super::{malformed, unsupported};

/// The format's name in errors.
pub(super) const FORMAT: &str = "TIFF";

/// Most values that are read of a tag: the colours of a palette are 768, pieces of a picture may be more.
const MAX_VALUES: usize = 1 << 20;

/// Whether the bytes begin as a TIFF does.
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    matches!(bytes.first_chunk::<4>(), Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+"))
}

/// A file and its first directory.
pub(super) struct Tags<'a> {
    bytes: &'a [u8],
    pub(super) big_endian: bool,
    /// Whether offsets and counts have eight bytes.
    big: bool,
    /// Tag, type, count, and where the value or its offset stands.
    entries: Vec<(u16, u16, u64, usize)>,
}

impl<'a> Tags<'a> {
    /// Reads the first directory.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] where the file ends inside it; also where a tag stands twice (readers differ in
    /// which they take).
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let big_endian = bytes.starts_with(b"MM");
        let big = bytes[2] == 43 || bytes[3] == 43;
        let mut tags = Self { bytes, big_endian, big, entries: Vec::new() };
        tags.fill().ok_or(DecodeError::Truncated { format: FORMAT })?;
        if let Some([first, _]) = tags.entries.array_windows().find(|[a, b]| a.0 == b.0) {
            return Err(malformed(FORMAT, &format!("tag {} stands twice in it", first.0)));
        }
        Ok(tags)
    }

    fn fill(&mut self) -> Option<()> {
        let at = usize::try_from(if self.big { self.number(8, 8)? } else { self.number(4, 4)? }).ok()?;
        let (head, length) = if self.big { (8, 20) } else { (2, 12) };
        let count = self.number(at, head)?;
        for index in 0..count {
            let at = at.checked_add(head)?.checked_add(usize::try_from(index).ok()?.checked_mul(length)?)?;
            let (tag, kind) = (self.number(at, 2)? as u16, self.number(at + 2, 2)? as u16);
            let wide = if self.big { 8 } else { 4 };
            self.entries.push((tag, kind, self.number(at + 4, wide)?, at + 4 + wide));
        }
        self.entries.sort_unstable();
        Some(())
    }

    /// The number of `length` bytes (up to 8) at `at`.
    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    /// Whether the directory has the tag.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries.iter().any(|entry| entry.0 == tag)
    }

    /// Whole numbers of a tag; none if the file lacks it.
    ///
    /// # Errors
    /// Where they lie outside the file or are no whole numbers.
    pub(super) fn values(&self, tag: u16) -> Result<Vec<u64>, DecodeError> {
        let Some(&(_, kind, count, at)) = self.entries.iter().find(|entry| entry.0 == tag) else {
            return Ok(Vec::new());
        };
        let length = match kind {
            1 => 1,
            3 => 2,
            4 => 4,
            16 => 8,
            _ => return Err(unsupported(FORMAT, &format!("tag {tag} of type {kind}"))),
        };
        let out_of_range = || malformed(FORMAT, &format!("tag {tag} lies outside the file"));
        let count = usize::try_from(count).ok().filter(|count| *count <= MAX_VALUES);
        let count = count.ok_or_else(out_of_range)?;
        let wide = if self.big { 8 } else { 4 };
        let start = if count * length <= wide {
            at
        } else {
            self.number(at, wide).and_then(|at| usize::try_from(at).ok()).ok_or_else(out_of_range)?
        };
        let end = start.checked_add(count * length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(out_of_range)?;
        (start..end).step_by(length).map(|at| self.number(at, length).ok_or_else(out_of_range)).collect()
    }

    /// The only value of a tag, or `default` if the file lacks it.
    ///
    /// # Errors
    /// As [`values`](Self::values), and where there are more values than one.
    pub(super) fn one(&self, tag: u16, default: u64) -> Result<u64, DecodeError> {
        match self.values(tag)?.as_slice() {
            [] => Ok(default),
            [value] => Ok(*value),
            _ => Err(malformed(FORMAT, &format!("tag {tag} has several values"))),
        }
    }

    /// The raw bytes of a tag that holds text or bytes.
    pub(super) fn text(&self, tag: u16) -> Option<&'a [u8]> {
        let &(_, _, count, at) = self.entries.iter().find(|entry| entry.0 == tag)?;
        let start = self.number(at, if self.big { 8 } else { 4 })?;
        let start = usize::try_from(start).ok()?;
        self.bytes.get(start..start.checked_add(usize::try_from(count).ok()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::Tags;

    /// A directory of one entry at byte 8.
    fn file(tag: u16, kind: u16, count: u32, value: u32) -> Vec<u8> {
        let mut bytes = b"II*\0\x08\0\0\0\x01\0".to_vec();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
        bytes
    }

    #[test]
    fn short_values_stand_in_the_entry_and_long_ones_elsewhere() {
        let bytes = file(258, 3, 2, 8 | 16 << 16);
        let tags = Tags::read(&bytes).unwrap();
        assert_eq!(tags.values(258).unwrap(), [8, 16]);
        assert!(tags.one(258, 1).is_err());
        assert_eq!(tags.one(259, 7).unwrap(), 7);
        let bytes = file(273, 4, 2, 2);
        assert_eq!(Tags::read(&bytes).unwrap().values(273).unwrap(), [0x0008_002a, 0x0001_0000]);
    }

    #[test]
    fn values_outside_the_file_are_refused_before_they_are_read() {
        for (kind, count, at) in [(4, u32::MAX, 8), (4, 1 << 20, 8), (4, 2, 20), (12, 1, 8)] {
            let bytes = file(273, kind, count, at);
            assert!(Tags::read(&bytes).unwrap().values(273).is_err(), "{kind} {count} {at}");
        }
        assert!(Tags::read(&file(1, 3, 1, 1)[..17]).is_err());
    }
}
