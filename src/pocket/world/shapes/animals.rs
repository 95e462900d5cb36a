//! Pets from the front, other animals from the side.

use super::object::{Object, ObjectFamily};
use crate::pocket::world::sketch::{DARK, Ink, LIGHT, Sketch};

/// Animals kept at home.
pub static PETS: [&Object; 4] = [&CAT, &DOG, &RABBIT, &BEAR];
/// Other animals.
pub static ALL: [&Object; 4] = [&FISH, &BIRD, &BUTTERFLY, &TURTLE];

const PINK: Ink = Ink::Fixed([232, 142, 150]);

fn eyes(s: &mut Sketch, x: f64, y: f64, size: f64) {
    for side in [-x, x] {
        s.oval(LIGHT, side, y, size * 1.5, size * 1.5);
        s.oval(DARK, side, y, size, size * 1.15);
    }
}

/// A cat's face: pointed ears and whiskers.
pub static CAT: Object = Object::new("cat", ObjectFamily::Pet, |s, r| {
    let ear = r.uniform_in(-1.0, -0.85);
    for side in [-1.0, 1.0] {
        s.poly(Ink::Body, &[[side * 0.85, ear], [side * 0.82, -0.05], [side * 0.15, -0.5]]);
        s.poly(PINK, &[[side * 0.72, ear + 0.3], [side * 0.7, -0.2], [side * 0.38, -0.42]]);
    }
    s.oval(Ink::Body, 0.0, 0.15, 0.88, 0.74);
    eyes(s, 0.36, 0.02, 0.11);
    s.poly(PINK, &[[-0.12, 0.28], [0.12, 0.28], [0.0, 0.42]]);
    s.path(DARK, &[[-0.28, 0.48], [0.0, 0.6], [0.28, 0.48]], 0.035);
    for (from, to) in [(0.3, 0.2), (0.38, 0.44)] {
        s.line(Ink::Accent, [0.4, from], [1.0, to], 0.03);
        s.line(Ink::Accent, [-0.4, from], [-1.0, to], 0.03);
    }
});

/// A dog's face: hanging ears, a muzzle and a tongue.
pub static DOG: Object = Object::new("dog", ObjectFamily::Pet, |s, r| {
    let droop = r.uniform_in(0.06, 0.16);
    s.oval(Ink::Body, 0.0, -0.1, 0.7, 0.72);
    s.leaning_oval(Ink::Shade(0.35), [-0.74, 0.0], [0.26, 0.62], droop * 0.5);
    s.leaning_oval(Ink::Shade(0.35), [0.74, 0.0], [0.26, 0.62], -droop * 0.5);
    s.oval(PINK, 0.0, 0.78, 0.16, 0.22);
    s.oval(LIGHT, 0.0, 0.42, 0.42, 0.36);
    s.oval(DARK, 0.0, 0.24, 0.2, 0.14);
    s.path(DARK, &[[-0.24, 0.5], [0.0, 0.62], [0.24, 0.5]], 0.035);
    eyes(s, 0.28, -0.22, 0.1);
});

/// A rabbit's face: long ears and front teeth.
pub static RABBIT: Object = Object::new("rabbit", ObjectFamily::Pet, |s, r| {
    let lean = r.uniform_in(0.01, 0.05);
    for side in [-1.0, 1.0] {
        s.leaning_oval(Ink::Body, [side * 0.32, -0.5], [0.2, 0.5], side * lean);
        s.leaning_oval(PINK, [side * 0.32, -0.5], [0.09, 0.36], side * lean);
    }
    s.oval(Ink::Body, 0.0, 0.38, 0.64, 0.58);
    eyes(s, 0.27, 0.24, 0.09);
    s.oval(PINK, 0.0, 0.46, 0.1, 0.07);
    s.rect(LIGHT, -0.1, 0.6, 0.1, 0.82);
});

/// A bear's face: round ears.
pub static BEAR: Object = Object::new("bear", ObjectFamily::Pet, |s, _| {
    for side in [-0.62, 0.62] {
        s.oval(Ink::Body, side, -0.6, 0.34, 0.34);
        s.oval(Ink::Shade(0.4), side, -0.6, 0.17, 0.17);
    }
    s.oval(Ink::Body, 0.0, 0.08, 0.86, 0.82);
    s.oval(LIGHT, 0.0, 0.4, 0.4, 0.32);
    s.oval(DARK, 0.0, 0.28, 0.16, 0.11);
    eyes(s, 0.32, -0.08, 0.08);
});

/// A fish.
pub static FISH: Object = Object::new("fish", ObjectFamily::Animal, |s, _| {
    s.poly(Ink::Shade(0.25), &[[-0.4, 0.0], [-0.98, -0.5], [-0.82, 0.0], [-0.98, 0.5]]);
    s.poly(Ink::Shade(0.25), &[[-0.2, -0.35], [0.2, -0.72], [0.35, -0.35]]);
    s.oval(Ink::Body, 0.2, 0.0, 0.76, 0.48);
    s.oval(LIGHT, 0.6, -0.12, 0.13, 0.13);
    s.oval(DARK, 0.63, -0.12, 0.07, 0.08);
});

/// A standing bird.
pub static BIRD: Object = Object::new("bird", ObjectFamily::Animal, |s, _| {
    for x in [-0.1, 0.15] {
        s.line(DARK, [x, 0.5], [x, 0.95], 0.04);
    }
    s.poly(Ink::Shade(0.3), &[[-0.4, 0.0], [-1.0, 0.1], [-0.95, 0.38], [-0.35, 0.4]]);
    s.leaning_oval(Ink::Body, [-0.05, 0.18], [0.6, 0.42], -0.06);
    s.oval(Ink::Body, 0.45, -0.38, 0.34, 0.34);
    s.poly(Ink::Fixed([240, 160, 40]), &[[0.74, -0.46], [1.0, -0.34], [0.74, -0.24]]);
    s.leaning_oval(Ink::Shade(0.3), [-0.15, 0.12], [0.38, 0.22], 0.04);
    s.oval(DARK, 0.54, -0.44, 0.07, 0.07);
});

/// A butterfly with open wings.
pub static BUTTERFLY: Object = Object::new("butterfly", ObjectFamily::Animal, |s, _| {
    for side in [-1.0, 1.0] {
        s.leaning_oval(Ink::Body, [side * 0.5, -0.36], [0.5, 0.4], side * -0.12);
        s.leaning_oval(Ink::Body, [side * 0.42, 0.42], [0.4, 0.34], side * 0.12);
        s.line(DARK, [0.0, -0.5], [side * 0.22, -0.9], 0.03);
    }
    s.line(DARK, [0.0, -0.5], [0.0, 0.6], 0.09);
});

/// A turtle.
pub static TURTLE: Object = Object::new("turtle", ObjectFamily::Animal, |s, _| {
    let skin = Ink::Fixed([136, 170, 92]);
    for x in [-0.5, 0.35] {
        s.rect(skin, x - 0.13, 0.3, x + 0.13, 0.72);
    }
    s.oval(skin, 0.8, 0.12, 0.2, 0.18);
    s.oval(DARK, 0.86, 0.08, 0.05, 0.05);
    s.poly(Ink::Body, &Sketch::arc([-0.08, 0.42], [0.78, 0.92], 0.5, 1.0));
    s.rect(Ink::Shade(0.4), -0.86, 0.36, 0.7, 0.48);
});
