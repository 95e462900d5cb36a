//! The run-length code of BMP, as Pillow's `BmpRleDecoder` expands it.
//!
//! Easy to get wrong: skipped pixels have index 0, and a picture that ends early is refused.

use super::super::decode::DecodeError;

/// Indices of `size` (width, height), row by row in the order of the file; `nibbles` for the code of four bits.
///
/// # Errors
/// [`DecodeError::Truncated`] where fewer come.
pub(super) fn expand(
    bytes: &[u8],
    start: usize,
    (width, height): (usize, usize),
    nibbles: bool,
) -> Result<Vec<u8>, DecodeError> {
    let wanted = width * height;
    let mut out: Vec<u8> = Vec::with_capacity(wanted);
    let (mut at, mut x) = (start, 0usize);
    while out.len() < wanted {
        let Some(&[count, value]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) else { break };
        at += 2;
        match (count, value) {
            (0, 0) => {
                out.resize(out.len().next_multiple_of(width), 0);
                x = 0;
            }
            (0, 1) => break,
            (0, 2) => {
                let Some(&[right, up]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) else {
                    break;
                };
                at += 2;
                let jump = usize::from(right) + usize::from(up) * width;
                out.resize(out.len() + jump.min(wanted - out.len()), 0);
                x = out.len() % width;
            }
            (0, literal) => {
                let pixels = usize::from(literal).min(wanted - out.len());
                let length = if nibbles { pixels.div_ceil(2) } else { pixels };
                let found = &bytes[at..(at + length).min(bytes.len())];
                at += found.len();
                if nibbles {
                    let both = found.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                    out.extend(both.take(pixels));
                } else {
                    out.extend_from_slice(found);
                }
                if found.len() < length || out.len() == wanted {
                    break;
                }
                x += usize::from(literal);
                at += at % 2;
            }
            (run, value) => {
                let run = usize::from(run).min(width.saturating_sub(x));
                let pair = if nibbles { [value >> 4, value & 15] } else { [value; 2] };
                out.extend(pair.iter().cycle().take(run));
                x += run;
            }
        }
    }
    if out.len() < wanted { Err(DecodeError::Truncated { format: "BMP" }) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn runs_jumps_and_literals_fill_the_rows() {
        let code = [3, 7, 0, 2, 2, 0, 0, 3, 1, 2, 3, 0, 2, 9, 0, 1];
        assert_eq!(expand(&code, 0, (5, 2), false).unwrap(), [7, 7, 7, 0, 0, 1, 2, 3, 9, 9]);
        assert_eq!(expand(&[5, 0x12], 0, (5, 1), true).unwrap(), [1, 2, 1, 2, 1]);
        assert!(expand(&code[..6], 0, (5, 2), false).is_err());
    }
}
