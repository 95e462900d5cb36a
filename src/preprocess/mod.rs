//! From encoded files to normalised pixels, bit for bit as Pillow and torchvision do it.

pub mod rgb;

pub use rgb::Rgb8;
