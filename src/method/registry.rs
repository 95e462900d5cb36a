//! How a method is found. The table of all of them stands where their files are declared.

use super::entry::Entry;
use super::error::MethodError;
use super::{REGISTRY, zero_shot};
use crate::util::nearest;

/// What needs no training images: the others' gains are measured from it.
pub const BASELINE: &str = zero_shot::ENTRY.id;

/// The ids of [`REGISTRY`], in order.
pub fn ids() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|entry| entry.id)
}

/// The method `name`, if there is one.
pub fn look_up(name: &str) -> Option<&'static Entry> {
    REGISTRY.iter().find(|entry| entry.id == name)
}

/// The method `name`.
///
/// # Errors
/// [`MethodError::Unknown`] with the nearest name.
pub fn find(name: &str) -> Result<&'static Entry, MethodError> {
    look_up(name).ok_or_else(|| MethodError::Unknown {
        name: name.to_owned(),
        nearest: nearest(name, ids()).unwrap_or_default().to_owned(),
        known: ids().collect::<Vec<_>>().join(", "),
    })
}
