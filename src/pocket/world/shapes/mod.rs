//! Every object that can be drawn, by family.

pub mod aircraft;
pub mod animals;
pub mod basic;
pub mod cars;
pub mod flowers;
pub mod foods;
pub mod object;
pub mod people;
pub mod things;

pub use object::{Object, ObjectFamily};
