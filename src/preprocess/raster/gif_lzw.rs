//! GIF's LZW, as Pillow's `GifDecode.c` expands it: a frame must be filled to its last pixel.

use super::super::decode::DecodeError;
use super::malformed;

/// The format's name in errors.
pub(super) const FORMAT: &str = "GIF";

/// Longest code, in bits.
const MAX_BITS: u32 = 12;
/// Entries of the table.
const TABLE: usize = 1 << MAX_BITS;

/// Where a frame lies on its screen.
pub(super) struct Canvas<'a> {
    pub(super) indices: &'a mut [u8],
    /// Pixels per row of the screen.
    pub(super) stride: usize,
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// The place of the next pixel.
struct Pen<'a> {
    canvas: Canvas<'a>,
    x: usize,
    /// Rows of the frame in the order in which they come.
    rows: Box<dyn Iterator<Item = usize>>,
    row: usize,
}

impl Pen<'_> {
    /// Writes one pixel; true once the frame is full.
    fn put(&mut self, index: u8) -> bool {
        let canvas = &mut self.canvas;
        canvas.indices[(canvas.top + self.row) * canvas.stride + canvas.left + self.x] = index;
        self.x += 1;
        if self.x < canvas.width {
            return false;
        }
        self.x = 0;
        self.rows.next().map(|row| self.row = row).is_none()
    }
}

/// Codes out of data blocks, least significant bits first.
struct Codes<'a> {
    data: &'a [u8],
    /// Bytes left of the current block.
    block: usize,
    bits: u32,
    count: u32,
}

impl Codes<'_> {
    /// The next code of `size` bits. Empty blocks are passed over; a block that is not whole is not read.
    fn next(&mut self, size: u32) -> Option<usize> {
        while self.count < size {
            let (&first, rest) = self.data.split_first()?;
            self.data = rest;
            if self.block == 0 {
                self.block = usize::from(first);
                if rest.len() < self.block {
                    return None;
                }
            } else {
                self.block -= 1;
                self.bits |= u32::from(first) << self.count;
                self.count += 8;
            }
        }
        let code = self.bits & ((1 << size) - 1);
        self.bits >>= size;
        self.count -= size;
        Some(code as usize)
    }
}

/// Fills a frame from the data blocks behind its header; `code_bits` is the length of a pixel.
///
/// # Errors
/// Where the data end early or a code has no meaning.
pub(super) fn fill_frame(
    data: &[u8],
    code_bits: u32,
    interlaced: bool,
    canvas: Canvas<'_>,
) -> Result<(), DecodeError> {
    if code_bits > MAX_BITS {
        return Err(malformed(FORMAT, "its code size is out of range"));
    }
    let broken = || malformed(FORMAT, "its compressed data are damaged");
    let clear = 1usize << code_bits;
    let height = canvas.height;
    let mut rows = row_order(height, interlaced);
    let row = rows.next().unwrap_or(0);
    let mut pen = Pen { canvas, x: 0, rows, row };
    let mut codes = Codes { data, block: 0, bits: 0, count: 0 };
    let mut link = vec![0u16; TABLE];
    let mut last_byte = vec![0u8; TABLE];
    let (mut next, mut size) = (clear + 2, code_bits + 1);
    let mut last: Option<usize> = None;
    let mut first_byte = 0;
    let mut string = Vec::with_capacity(TABLE);
    loop {
        let code = codes.next(size).ok_or(DecodeError::Truncated { format: FORMAT })?;
        if code == clear {
            (next, size, last) = (clear + 2, code_bits + 1, None);
            continue;
        }
        if code == clear + 1 {
            return Err(DecodeError::Truncated { format: FORMAT });
        }
        string.clear();
        match last {
            None if code > clear => return Err(broken()),
            None => first_byte = code as u8,
            Some(_) if code > next => return Err(broken()),
            Some(previous) => {
                let mut walk = code;
                if code == next {
                    string.push(first_byte);
                    walk = previous;
                }
                while walk >= clear {
                    if walk >= TABLE || string.len() >= TABLE {
                        return Err(broken());
                    }
                    string.push(last_byte[walk]);
                    walk = usize::from(link[walk]);
                }
                first_byte = walk as u8;
                if next < TABLE {
                    last_byte[next] = first_byte;
                    link[next] = previous as u16;
                    if next == (1 << size) - 1 && size < MAX_BITS {
                        size += 1;
                    }
                    next += 1;
                }
            }
        }
        last = Some(code);
        string.push(first_byte);
        for &index in string.iter().rev() {
            if pen.put(index) {
                return Ok(());
            }
        }
    }
}

/// The rows of a frame in the order of the file.
fn row_order(height: usize, interlaced: bool) -> Box<dyn Iterator<Item = usize>> {
    if !interlaced {
        return Box::new(0..height);
    }
    let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
    Box::new(passes.into_iter().flat_map(move |(first, step)| (first..height).step_by(step)))
}

#[cfg(test)]
mod tests {
    use super::row_order;

    #[test]
    fn interlaced_rows_come_in_four_passes() {
        assert_eq!(row_order(10, true).collect::<Vec<_>>(), [0, 8, 4, 2, 6, 1, 3, 5, 7, 9]);
        assert_eq!(row_order(3, true).collect::<Vec<_>>(), [0, 2, 1]);
        assert_eq!(row_order(3, false).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
