//! JPEG to RGB, equal to libjpeg-turbo's default decoding (as Pillow uses it) byte for byte.
//!
//! Baseline, extended and progressive Huffman files of 8 bits. The numbers that make the result equal:
//! the "islow" inverse DCT, "fancy" (triangle) chroma upsampling, and 16-bit fixed-point colour. Like
//! libjpeg it forgives damaged scan data, but a file without its end is an error, as in Pillow.

mod bits;
mod color;
mod decoder;
mod frame;
mod huffman;
mod idct;
mod idct_bits;
#[cfg(target_arch = "x86_64")]
mod idct_wide;
mod marker;
mod progressive;
mod scan;
mod standard;
mod upsample;

pub(super) use decoder::decode;
