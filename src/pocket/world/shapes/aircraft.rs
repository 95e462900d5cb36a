//! Aircraft seen from the side, flying right, except the fighter and the glider: from above.

use super::object::{Object, ObjectFamily};
use crate::pocket::world::sketch::{DARK, GLASS, Ink, METAL};

/// All of them.
pub static ALL: [&Object; 6] = [&AIRLINER, &BIPLANE, &FIGHTER, &GLIDER, &HELICOPTER, &BLIMP];

/// A long tube with a swept wing and a row of windows.
pub static AIRLINER: Object = Object::new("airliner", ObjectFamily::Aircraft, |s, _| {
    s.poly(Ink::Body, &[[-0.98, -0.62], [-0.72, -0.62], [-0.45, -0.05], [-0.85, -0.05]]);
    s.poly(Ink::Shade(0.3), &[[-0.05, -0.05], [0.15, -0.05], [-0.1, -0.5], [-0.25, -0.5]]);
    s.leaning_oval(Ink::Body, [0.02, 0.02], [0.96, 0.21], 0.0);
    for k in 0..6 {
        s.oval(GLASS, -0.5 + 0.2 * f64::from(k), -0.03, 0.055, 0.055);
    }
    s.poly(GLASS, &[[0.72, -0.1], [0.86, -0.06], [0.9, 0.0], [0.72, 0.0]]);
    s.poly(Ink::Shade(0.3), &[[-0.1, 0.08], [0.28, 0.08], [-0.28, 0.62], [-0.48, 0.62]]);
    s.oval(METAL, 0.08, 0.32, 0.17, 0.09);
});

/// A biplane: two wings, struts, wheels and a propeller.
pub static BIPLANE: Object = Object::new("biplane", ObjectFamily::Aircraft, |s, _| {
    s.poly(Ink::Body, &[[-0.98, -0.4], [-0.72, -0.4], [-0.6, 0.1], [-0.95, 0.1]]);
    s.poly(
        Ink::Body,
        &[[-0.95, -0.02], [0.3, -0.18], [0.72, -0.14], [0.78, 0.22], [0.3, 0.28], [-0.9, 0.14]],
    );
    for x in [-0.08, 0.42] {
        s.line(DARK, [x, -0.55], [x, 0.35], 0.03);
    }
    s.line(Ink::Shade(0.15), [-0.25, -0.58], [0.62, -0.58], 0.1);
    s.line(Ink::Shade(0.15), [-0.25, 0.34], [0.62, 0.34], 0.1);
    s.oval(DARK, 0.22, 0.7, 0.15, 0.15);
    s.line(DARK, [0.22, 0.4], [0.22, 0.7], 0.03);
    s.oval(METAL, 0.84, 0.04, 0.05, 0.48);
});

/// A fighter from above: a dart with a delta wing.
pub static FIGHTER: Object = Object::new("fighter", ObjectFamily::Aircraft, |s, _| {
    s.poly(
        Ink::Shade(0.25),
        &[[0.3, 0.0], [-0.72, -0.85], [-0.85, -0.85], [-0.6, 0.0], [-0.85, 0.85], [-0.72, 0.85]],
    );
    s.poly(
        Ink::Shade(0.25),
        &[[-0.6, 0.0], [-0.95, -0.36], [-1.0, -0.3], [-0.9, 0.0], [-1.0, 0.3], [-0.95, 0.36]],
    );
    s.poly(Ink::Body, &[[1.0, 0.0], [0.5, -0.15], [-0.92, -0.16], [-0.92, 0.16], [0.5, 0.15]]);
    s.oval(GLASS, 0.36, 0.0, 0.2, 0.07);
    s.oval(Ink::Fixed([240, 140, 40]), -0.95, 0.0, 0.07, 0.12);
});

/// A glider from above: very long thin wings.
pub static GLIDER: Object = Object::new("glider", ObjectFamily::Aircraft, |s, _| {
    s.poly(
        Ink::Body,
        &[[0.12, -1.0], [0.3, -0.1], [0.3, 0.1], [0.12, 1.0], [0.0, 1.0], [-0.02, 0.0], [0.0, -1.0]],
    );
    s.line(Ink::Body, [-0.85, 0.0], [0.5, 0.0], 0.075);
    s.oval(Ink::Body, 0.4, 0.0, 0.3, 0.13);
    s.rect(Ink::Body, -0.96, -0.3, -0.78, 0.3);
    s.oval(GLASS, 0.48, 0.0, 0.13, 0.07);
});

/// A helicopter.
pub static HELICOPTER: Object = Object::new("helicopter", ObjectFamily::Aircraft, |s, r| {
    s.poly(Ink::Body, &[[-0.1, -0.2], [-0.95, -0.24], [-0.95, -0.1], [-0.05, 0.2]]);
    s.poly(Ink::Shade(0.2), &[[-1.0, -0.5], [-0.84, -0.5], [-0.78, 0.05], [-0.94, 0.05]]);
    s.line(METAL, [0.25, -0.6], [0.25, -0.3], 0.05);
    s.oval(Ink::Body, 0.28, 0.04, 0.56, 0.42);
    s.poly(GLASS, &[[0.36, -0.26], [0.62, -0.2], [0.78, 0.04], [0.36, 0.08]]);
    s.line(METAL, [-0.2, 0.72], [0.76, 0.72], 0.05);
    for x in [0.05, 0.5] {
        s.line(METAL, [x, 0.4], [x, 0.72], 0.04);
    }
    let blade = r.uniform_in(-0.05, 0.05);
    s.line(DARK, [-0.6, -0.62 + blade], [1.0, -0.62 - blade], 0.05);
});

/// A blimp with a gondola.
pub static BLIMP: Object = Object::new("blimp", ObjectFamily::Aircraft, |s, _| {
    s.poly(Ink::Shade(0.3), &[[-0.6, -0.1], [-1.0, -0.62], [-0.72, -0.62], [-0.4, -0.2]]);
    s.poly(Ink::Shade(0.3), &[[-0.6, 0.0], [-1.0, 0.5], [-0.72, 0.5], [-0.4, 0.1]]);
    s.oval(Ink::Body, 0.06, -0.06, 0.92, 0.48);
    s.rect(METAL, -0.18, 0.42, 0.34, 0.62);
    s.rect(GLASS, -0.1, 0.46, 0.26, 0.54);
});
