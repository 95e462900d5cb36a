//! Plane figures: circle, square, star and their like.

use super::object::{Object, ObjectFamily};
use crate::pocket::world::sketch::{Ink, Sketch};

/// All of them.
pub static ALL: [&Object; 12] =
    [&CIRCLE, &SQUARE, &TRIANGLE, &DIAMOND, &STAR, &HEART, &CROSS, &RING, &CRESCENT, &ARROW, &HEXAGON, &BOLT];

/// A disc.
pub static CIRCLE: Object =
    Object::new("circle", ObjectFamily::Figure, |s, _| s.oval(Ink::Body, 0.0, 0.0, 0.9, 0.9));

/// A square.
pub static SQUARE: Object =
    Object::new("square", ObjectFamily::Figure, |s, _| s.rect(Ink::Body, -0.8, -0.8, 0.8, 0.8));

/// An upright triangle.
pub static TRIANGLE: Object = Object::new("triangle", ObjectFamily::Figure, |s, _| {
    s.poly(Ink::Body, &[[0.0, -0.9], [0.95, 0.8], [-0.95, 0.8]]);
});

/// A tall diamond.
pub static DIAMOND: Object = Object::new("diamond", ObjectFamily::Figure, |s, _| {
    s.poly(Ink::Body, &[[0.0, -1.0], [0.65, 0.0], [0.0, 1.0], [-0.65, 0.0]]);
});

/// A star of five points.
pub static STAR: Object = Object::new("star", ObjectFamily::Figure, |s, _| {
    s.star(Ink::Body, [0.0, 0.05], [1.0, 0.42], 5, 0.75);
});

/// A heart.
pub static HEART: Object = Object::new("heart", ObjectFamily::Figure, |s, _| {
    let mut rim = Sketch::arc([-0.45, -0.32], [0.47, 0.47], 0.40, 1.0);
    rim.extend(Sketch::arc([0.45, -0.32], [0.47, 0.47], 0.5, 1.1));
    rim.push([0.0, 0.92]);
    s.poly(Ink::Body, &rim);
});

/// A cross with equal arms.
pub static CROSS: Object = Object::new("cross", ObjectFamily::Figure, |s, _| {
    const W: f64 = 0.3;
    const L: f64 = 0.92;
    s.poly(
        Ink::Body,
        &[
            [-W, -L],
            [W, -L],
            [W, -W],
            [L, -W],
            [L, W],
            [W, W],
            [W, L],
            [-W, L],
            [-W, W],
            [-L, W],
            [-L, -W],
            [-W, -W],
        ],
    );
});

/// A ring.
pub static RING: Object = Object::new("ring", ObjectFamily::Figure, |s, r| {
    let hole = r.uniform_in(0.42, 0.56);
    s.ring(Ink::Body, 0.0, 0.0, 0.95, hole);
});

/// A crescent.
pub static CRESCENT: Object = Object::new("crescent", ObjectFamily::Figure, |s, _| {
    let mut rim = Sketch::arc([0.0, 0.0], [0.95, 0.95], 0.13, 0.87);
    rim.extend(Sketch::arc([0.38, 0.0], [0.74, 0.74], 0.78, 0.22));
    s.poly(Ink::Body, &rim);
});

/// An arrow pointing right.
pub static ARROW: Object = Object::new("arrow", ObjectFamily::Figure, |s, _| {
    s.poly(
        Ink::Body,
        &[[-0.95, -0.24], [0.1, -0.24], [0.1, -0.7], [0.98, 0.0], [0.1, 0.7], [0.1, 0.24], [-0.95, 0.24]],
    );
});

/// A regular hexagon.
pub static HEXAGON: Object =
    Object::new("hexagon", ObjectFamily::Figure, |s, _| s.regular(Ink::Body, [0.0, 0.0], 0.95, 6, 0.0));

/// A lightning bolt.
pub static BOLT: Object = Object::new("bolt", ObjectFamily::Figure, |s, _| {
    s.poly(
        Ink::Body,
        &[[0.2, -1.0], [-0.6, 0.15], [-0.05, 0.15], [-0.25, 1.0], [0.6, -0.25], [0.05, -0.25], [0.55, -1.0]],
    );
});
