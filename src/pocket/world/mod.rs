//! Small seeded pictures, fifteen datasets made of them, and captions.
//!
//! Same bytes on every machine: decisions use only arithmetic that IEEE 754 fixes to the last bit.

pub mod backdrop;
pub mod caption;
pub mod classes;
pub mod dataset;
pub mod font;
pub mod geometry;
pub mod grammar;
pub mod landscape;
pub mod packs;
pub mod palette;
pub mod place;
pub mod preview;
pub mod raster;
pub mod region;
pub mod scene;
pub mod shapes;
pub mod sketch;
pub mod style;
pub mod subject;
pub mod texture;
pub mod tile;
