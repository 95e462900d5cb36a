//! From encoded files to normalised pixels, bit for bit as Pillow and torchvision do it.

pub mod augment;
pub mod crop;
pub mod decode;
mod file;
mod jpeg;
pub mod normalize;
pub mod pillow;
mod raster;
pub mod resample;
pub mod rgb;
mod transforms;

pub use augment::{CROP_SCALE, View, draw_view};
pub use crop::{CropBox, CropError};
pub use decode::{DECODER, DecodeError, decode};
pub use file::read_file;
pub use normalize::normalize;
pub use pillow::{test_transform, train_transform};
pub use rgb::Rgb8;
pub use transforms::transforms;
