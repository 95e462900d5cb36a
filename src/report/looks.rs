//! Colour and marker of every arm in a picture.

use std::collections::BTreeSet;

use super::arm::Arm;
use super::families;
use super::plot::style::{Look, Marker, method_color};

/// Colour by method, or by family where there are too many methods; marker by the arm's place among those of its method.
pub fn looks(arms: &[Arm]) -> Vec<Look> {
    let methods: BTreeSet<&str> = arms.iter().map(|arm| arm.method.as_str()).collect();
    let many = methods.len() > families::AT_ONCE;
    let look = |(i, arm): (usize, &Arm)| Look {
        label: arm.label(),
        color: if many { families::color(families::family(arm)) } else { method_color(&arm.method) },
        marker: Marker::of_variant(arms[..i].iter().filter(|a| a.method == arm.method).count()),
    };
    arms.iter().enumerate().map(look).collect()
}
