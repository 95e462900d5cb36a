//! The frame header: image size, components and how many blocks each has.

use super::super::decode::DecodeError;
use super::marker::{malformed, unsupported};

/// Longest side that libjpeg takes (`JPEG_MAX_DIMENSION`).
const MAX_SIDE: usize = 65_500;

/// One colour component.
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks per MCU of an interleaved scan, across and down.
    pub(super) sampling: (usize, usize),
    /// Which quantisation table the component uses.
    pub(super) quantisation_slot: usize,
    /// Pixels per sample, across and down.
    pub(super) ratio: (usize, usize),
    /// Samples that belong to the image, across and down.
    pub(super) size: (usize, usize),
    /// Blocks that cover those samples: the blocks of a scan of this component alone.
    pub(super) own_blocks: (usize, usize),
    /// Blocks of whole MCUs: what an interleaved scan holds and a [`Plane`] has room for.
    pub(super) blocks: (usize, usize),
}

/// The frame header.
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
    /// MCUs of an interleaved scan, across and down.
    pub(super) mcus: (usize, usize),
}

/// The decoded samples of a component, whole blocks.
pub(super) struct Plane {
    /// Samples per row.
    pub(super) stride: usize,
    pub(super) samples: Vec<u8>,
}

impl Plane {
    /// Mid-grey, which is what libjpeg leaves where a file has no data.
    pub(super) fn grey(component: &Component) -> Self {
        let (across, down) = component.blocks;
        Self { stride: across * 8, samples: vec![128; across * down * 64] }
    }

    /// Stores the samples of one block.
    #[inline]
    pub(super) fn set_block(&mut self, (x, y): (usize, usize), rows: &[[u8; 8]; 8]) {
        let start = y * 8 * self.stride + x * 8;
        for (line, row) in self.samples[start..].chunks_mut(self.stride).zip(rows) {
            line[..8].copy_from_slice(row);
        }
    }
}

/// Reads the payload of a start-of-frame marker.
pub(super) fn read_frame(payload: &[u8], progressive: bool) -> Result<Frame, DecodeError> {
    let Some((&[precision, h1, h0, w1, w0, count], specs)) = payload.split_first_chunk::<6>() else {
        return Err(malformed("its frame header is too short"));
    };
    if precision != 8 {
        return Err(unsupported(&format!("{precision}-bit")));
    }
    let (width, height) =
        (usize::from(u16::from_be_bytes([w1, w0])), usize::from(u16::from_be_bytes([h1, h0])));
    let (specs, rest) = specs.as_chunks::<3>();
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(malformed("a side is longer than 65500 pixels"));
    }
    if width == 0 || height == 0 || specs.len() != usize::from(count) || !rest.is_empty() || count == 0 {
        return Err(malformed("its frame header is inconsistent"));
    }
    if !matches!(count, 1 | 3 | 4) {
        return Err(unsupported(&format!("{count}-component")));
    }
    let sampling = |spec: &[u8; 3]| (usize::from(spec[1] >> 4), usize::from(spec[1] & 15));
    let largest = specs.iter().map(sampling).fold((1, 1), |max, s| (max.0.max(s.0), max.1.max(s.1)));
    let mcus = (width.div_ceil(largest.0 * 8), height.div_ceil(largest.1 * 8));
    let component = |spec: &[u8; 3]| {
        let (h, v) = sampling(spec);
        if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
            return Err(malformed("a component's sampling is out of range"));
        }
        if largest.0 % h != 0 || largest.1 % v != 0 {
            return Err(unsupported(&format!("{h} x {v} of {} x {} sampled", largest.0, largest.1)));
        }
        Ok(Component {
            id: spec[0],
            sampling: (h, v),
            quantisation_slot: usize::from(spec[2]),
            ratio: (largest.0 / h, largest.1 / v),
            size: ((width * h).div_ceil(largest.0), (height * v).div_ceil(largest.1)),
            own_blocks: ((width * h).div_ceil(largest.0 * 8), (height * v).div_ceil(largest.1 * 8)),
            blocks: (mcus.0 * h, mcus.1 * v),
        })
    };
    let components = specs.iter().map(component).collect::<Result<Vec<_>, _>>()?;
    Ok(Frame { width, height, progressive, components, mcus })
}

#[cfg(test)]
mod tests {
    use super::read_frame;

    #[test]
    fn chroma_of_half_size_is_rounded_up() {
        let payload = [8, 0, 19, 0, 33, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        let frame = read_frame(&payload, false).unwrap();
        assert_eq!((frame.width, frame.height, frame.mcus), (33, 19, (3, 2)));
        let [luma, chroma, _] = frame.components.as_slice() else { panic!("three components") };
        assert_eq!((luma.size, luma.own_blocks, luma.blocks), ((33, 19), (5, 3), (6, 4)));
        assert_eq!((chroma.size, chroma.own_blocks, chroma.blocks), ((17, 10), (3, 2), (3, 2)));
        assert_eq!(chroma.ratio, (2, 2));
    }

    #[test]
    fn odd_headers_are_refused() {
        assert!(read_frame(&[8, 0, 1, 0, 1], false).is_err());
        assert!(read_frame(&[12, 0, 1, 0, 1, 1, 1, 0x11, 0], false).is_err());
        assert!(read_frame(&[8, 0, 0, 0, 1, 1, 1, 0x11, 0], false).is_err());
        assert!(read_frame(&[8, 0, 1, 0, 1, 1, 1, 0x01, 0], false).is_err());
        assert!(read_frame(&[8, 0, 1, 0, 1, 3, 1, 0x31, 0, 2, 0x21, 0, 3, 0x11, 0], false).is_err());
        assert!(read_frame(&[8, 0, 1, 0, 1, 2, 1, 0x11, 0, 2, 0x11, 0], false).is_err());
        assert!(read_frame(&[8, 0, 1, 0xff, 0xdd, 1, 1, 0x11, 0], false).is_err());
        assert!(read_frame(&[8, 0, 1, 0xff, 0xdc, 1, 1, 0x11, 0], false).is_ok());
    }
}
