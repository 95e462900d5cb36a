//! Pictures: figures are lists of shapes, painted the same way to PNG and SVG.
//!
//! Nothing here reads a record: a figure gets numbers and names, and computes only its own layout.

pub mod axis;
pub mod boxes;
pub mod cd;
pub mod curves;
pub mod drawing;
pub mod drift;
pub mod legend;
pub mod lettering;
pub mod paint;
pub mod points;
pub mod reliability;
pub mod scatter;
pub mod style;

pub use drawing::{Align, Drawing};
pub use paint::{Picture, paint};
