//! Household and outdoor objects.

use super::object::{Object, ObjectFamily};
use crate::pocket::world::sketch::{DARK, GLASS, Ink, LIGHT, METAL, Sketch, WOOD};

/// All of them.
pub static ALL: [&Object; 20] = [
    &KITE, &UMBRELLA, &CHAIR, &LAMP, &CUP, &BOTTLE, &CLOCK, &KEY, &BELL, &HOUSE, &TREE, &GUITAR, &BOAT,
    &BALLOON, &MUSHROOM, &HAT, &BOOK, &FLAG, &HAMMER, &ANCHOR,
];

/// A kite with a tail of bows.
pub static KITE: Object = Object::new("kite", ObjectFamily::Thing, |s, _| {
    s.path(DARK, &[[0.0, 0.35], [0.15, 0.6], [-0.1, 0.8], [0.1, 1.0]], 0.035);
    s.poly(Ink::Accent, &[[-0.08, 0.56], [0.38, 0.44], [0.36, 0.7]]);
    s.poly(Ink::Accent, &[[0.1, 0.82], [-0.34, 0.7], [-0.32, 0.98]]);
    s.poly(Ink::Body, &[[0.0, -1.0], [0.62, -0.4], [0.0, 0.45], [-0.62, -0.4]]);
    s.line(DARK, [0.0, -0.98], [0.0, 0.42], 0.025);
    s.line(DARK, [-0.6, -0.4], [0.6, -0.4], 0.025);
});

/// An open umbrella.
pub static UMBRELLA: Object = Object::new("umbrella", ObjectFamily::Thing, |s, _| {
    s.line(WOOD, [0.0, 0.0], [0.0, 0.8], 0.06);
    s.path(WOOD, &[[0.0, 0.8], [0.1, 0.93], [0.24, 0.92], [0.3, 0.78]], 0.06);
    let mut dome = Sketch::arc([0.0, 0.05], [0.98, 0.95], 0.5, 1.0);
    for x in [0.65, 0.0, -0.65] {
        dome.extend(Sketch::arc([x, 0.05], [0.325, 0.16], 1.0, 0.5));
    }
    s.poly(Ink::Body, &dome);
    s.line(DARK, [0.0, -0.98], [0.0, -0.85], 0.04);
});

/// A chair seen from the side.
pub static CHAIR: Object = Object::new("chair", ObjectFamily::Thing, |s, _| {
    for x in [-0.5, 0.5] {
        s.line(WOOD, [x, 0.2], [x * 1.15, 0.92], 0.075);
    }
    s.rect(Ink::Body, -0.62, -0.95, -0.34, 0.25);
    s.rect(Ink::Body, -0.62, 0.02, 0.66, 0.28);
});

/// A standing lamp.
pub static LAMP: Object = Object::new("lamp", ObjectFamily::Thing, |s, _| {
    s.line(METAL, [0.0, -0.2], [0.0, 0.85], 0.06);
    s.oval(METAL, 0.0, 0.88, 0.42, 0.1);
    s.poly(Ink::Body, &[[-0.3, -0.95], [0.3, -0.95], [0.68, -0.05], [-0.68, -0.05]]);
});

/// A cup with a handle.
pub static CUP: Object = Object::new("cup", ObjectFamily::Thing, |s, _| {
    s.ring(Ink::Shade(0.15), 0.55, -0.02, 0.4, 0.22);
    s.poly(Ink::Body, &[[-0.75, -0.62], [0.55, -0.62], [0.42, 0.72], [-0.62, 0.72]]);
    s.oval(Ink::Shade(0.45), -0.1, -0.62, 0.65, 0.16);
});

/// A bottle with a label.
pub static BOTTLE: Object = Object::new("bottle", ObjectFamily::Thing, |s, _| {
    s.rect(DARK, -0.15, -1.0, 0.15, -0.82);
    s.poly(
        Ink::Body,
        &[
            [-0.13, -0.84],
            [0.13, -0.84],
            [0.13, -0.45],
            [0.38, -0.15],
            [0.38, 0.96],
            [-0.38, 0.96],
            [-0.38, -0.15],
            [-0.13, -0.45],
        ],
    );
    s.rect(LIGHT, -0.38, 0.42, 0.38, 0.62);
});

/// A round clock.
pub static CLOCK: Object = Object::new("clock", ObjectFamily::Thing, |s, r| {
    s.oval(Ink::Body, 0.0, 0.0, 0.95, 0.95);
    s.oval(LIGHT, 0.0, 0.0, 0.66, 0.66);
    let [x, y] = crate::pocket::world::geometry::direction(r.uniform());
    s.line(DARK, [0.0, 0.0], [0.5 * x, 0.5 * y], 0.06);
    s.line(DARK, [0.0, 0.0], [0.0, -0.34], 0.08);
});

/// A key.
pub static KEY: Object = Object::new("key", ObjectFamily::Thing, |s, _| {
    s.ring(Ink::Body, -0.55, 0.0, 0.42, 0.18);
    s.rect(Ink::Body, -0.2, -0.12, 0.98, 0.12);
    s.rect(Ink::Body, 0.5, 0.0, 0.66, 0.42);
    s.rect(Ink::Body, 0.8, 0.0, 0.97, 0.48);
});

/// A bell.
pub static BELL: Object = Object::new("bell", ObjectFamily::Thing, |s, _| {
    s.oval(DARK, 0.0, 0.76, 0.18, 0.18);
    s.oval(Ink::Shade(0.3), 0.0, -0.85, 0.14, 0.14);
    let mut dome = Sketch::arc([0.0, -0.2], [0.52, 0.62], 0.5, 1.0);
    dome.extend([[0.58, 0.3], [0.9, 0.7], [-0.9, 0.7], [-0.58, 0.3]]);
    s.poly(Ink::Body, &dome);
});

/// A house with a roof, a door and a window.
pub static HOUSE: Object = Object::new("house", ObjectFamily::Thing, |s, _| {
    s.rect(Ink::Body, -0.72, -0.15, 0.72, 0.9);
    s.poly(Ink::Shade(0.5), &[[-0.98, -0.12], [0.0, -0.98], [0.98, -0.12]]);
    s.rect(DARK, -0.45, 0.3, -0.08, 0.9);
    s.rect(GLASS, 0.15, 0.15, 0.5, 0.48);
});

/// A tree with a round crown.
pub static TREE: Object = Object::new("tree", ObjectFamily::Thing, |s, r| {
    s.rect(WOOD, -0.12, 0.2, 0.12, 0.98);
    let lean = r.uniform_in(-0.08, 0.08);
    s.oval(Ink::Body, -0.4, 0.05, 0.45, 0.38);
    s.oval(Ink::Body, 0.4, 0.05, 0.45, 0.38);
    s.oval(Ink::Body, lean, -0.45, 0.55, 0.52);
});

/// A guitar.
pub static GUITAR: Object = Object::new("guitar", ObjectFamily::Thing, |s, _| {
    s.line(WOOD, [0.0, 0.0], [0.0, -0.8], 0.09);
    s.rect(DARK, -0.16, -1.0, 0.16, -0.74);
    s.oval(Ink::Body, 0.0, 0.5, 0.56, 0.48);
    s.oval(Ink::Body, 0.0, -0.02, 0.4, 0.36);
    s.oval(DARK, 0.0, 0.22, 0.17, 0.17);
});

/// A sailing boat.
pub static BOAT: Object = Object::new("boat", ObjectFamily::Thing, |s, _| {
    s.line(WOOD, [0.0, -0.95], [0.0, 0.4], 0.05);
    s.poly(LIGHT, &[[0.08, -0.9], [0.75, 0.25], [0.08, 0.25]]);
    s.poly(LIGHT, &[[-0.08, -0.7], [-0.55, 0.25], [-0.08, 0.25]]);
    s.poly(Ink::Body, &[[-0.98, 0.36], [0.98, 0.36], [0.62, 0.88], [-0.62, 0.88]]);
});

/// A balloon on a string.
pub static BALLOON: Object = Object::new("balloon", ObjectFamily::Thing, |s, _| {
    s.path(DARK, &[[0.0, 0.4], [0.08, 0.6], [-0.06, 0.8], [0.05, 1.0]], 0.035);
    s.oval(Ink::Body, 0.0, -0.3, 0.6, 0.7);
    s.poly(Ink::Shade(0.2), &[[0.0, 0.35], [0.14, 0.52], [-0.14, 0.52]]);
});

/// A mushroom.
pub static MUSHROOM: Object = Object::new("mushroom", ObjectFamily::Thing, |s, _| {
    s.poly(LIGHT, &[[-0.24, 0.0], [0.24, 0.0], [0.34, 0.92], [-0.34, 0.92]]);
    s.poly(Ink::Body, &Sketch::arc([0.0, 0.12], [0.96, 1.0], 0.5, 1.0));
});

/// A hat with a brim and a band.
pub static HAT: Object = Object::new("hat", ObjectFamily::Thing, |s, _| {
    s.oval(Ink::Body, 0.0, 0.5, 0.98, 0.26);
    s.poly(Ink::Body, &[[-0.44, -0.62], [0.44, -0.62], [0.54, 0.5], [-0.54, 0.5]]);
    s.poly(Ink::Accent, &[[-0.51, 0.18], [0.51, 0.18], [0.54, 0.42], [-0.54, 0.42]]);
});

/// An open book.
pub static BOOK: Object = Object::new("book", ObjectFamily::Thing, |s, _| {
    s.poly(
        Ink::Body,
        &[[-0.98, -0.62], [0.0, -0.45], [0.98, -0.62], [0.98, 0.66], [0.0, 0.85], [-0.98, 0.66]],
    );
    s.poly(LIGHT, &[[-0.72, -0.5], [-0.06, -0.36], [-0.06, 0.6], [-0.72, 0.44]]);
    s.poly(LIGHT, &[[0.72, -0.5], [0.06, -0.36], [0.06, 0.6], [0.72, 0.44]]);
});

/// A flag on a pole.
pub static FLAG: Object = Object::new("flag", ObjectFamily::Thing, |s, _| {
    s.line(WOOD, [-0.7, -0.9], [-0.7, 0.95], 0.065);
    s.poly(
        Ink::Body,
        &[
            [-0.64, -0.88],
            [-0.1, -0.72],
            [0.4, -0.9],
            [0.95, -0.74],
            [0.95, 0.12],
            [0.4, -0.04],
            [-0.1, 0.14],
            [-0.64, -0.02],
        ],
    );
});

/// A hammer.
pub static HAMMER: Object = Object::new("hammer", ObjectFamily::Thing, |s, _| {
    s.rect(WOOD, -0.12, -0.5, 0.12, 0.98);
    s.poly(Ink::Body, &[[-0.7, -0.92], [0.45, -0.92], [0.85, -0.6], [0.45, -0.42], [-0.7, -0.42]]);
});

/// An anchor.
pub static ANCHOR: Object = Object::new("anchor", ObjectFamily::Thing, |s, _| {
    s.ring(Ink::Body, 0.0, -0.76, 0.24, 0.1);
    s.rect(Ink::Body, -0.11, -0.55, 0.11, 0.9);
    s.rect(Ink::Body, -0.45, -0.4, 0.45, -0.2);
    s.path(Ink::Body, &Sketch::arc([0.0, 0.15], [0.75, 0.72], 0.0, 0.5), 0.1);
    s.poly(Ink::Body, &[[-0.98, 0.25], [-0.75, -0.1], [-0.52, 0.25]]);
    s.poly(Ink::Body, &[[0.98, 0.25], [0.75, -0.1], [0.52, 0.25]]);
});
