//! Road vehicles seen from the side, driving right.

use super::object::{Object, ObjectFamily};
use crate::pocket::world::sketch::{DARK, GLASS, Ink, METAL, Sketch};

/// All of them.
pub static ALL: [&Object; 6] = [&CAR, &SEDAN, &VAN, &TRUCK, &BUS, &JEEP];

const LAMP: Ink = Ink::Fixed([252, 232, 140]);

fn wheels(s: &mut Sketch, places: &[f64], y: f64, radius: f64) {
    for x in places {
        s.oval(DARK, *x, y, radius, radius);
        s.oval(METAL, *x, y, radius * 0.45, radius * 0.45);
    }
}

/// A small rounded car.
pub static CAR: Object = Object::new("car", ObjectFamily::Car, |s, _| {
    let mut cabin = Sketch::arc([-0.05, 0.05], [0.6, 0.62], 0.5, 1.0);
    cabin.push([0.55, 0.12]);
    s.poly(Ink::Body, &cabin);
    s.poly(GLASS, &[[-0.48, 0.0], [-0.36, -0.34], [-0.08, -0.42], [-0.08, 0.0]]);
    s.poly(GLASS, &[[0.04, -0.42], [0.28, -0.32], [0.42, 0.0], [0.04, 0.0]]);
    s.rect(Ink::Body, -0.95, 0.02, 0.95, 0.42);
    s.oval(LAMP, 0.88, 0.14, 0.08, 0.09);
    wheels(s, &[-0.52, 0.52], 0.42, 0.25);
});

/// A long low sedan with bonnet and boot.
pub static SEDAN: Object = Object::new("sedan", ObjectFamily::Car, |s, r| {
    let roof = r.uniform_in(-0.4, -0.32);
    s.poly(Ink::Body, &[[-0.62, 0.05], [-0.38, roof], [0.22, roof], [0.5, 0.05]]);
    s.poly(GLASS, &[[-0.5, 0.02], [-0.32, roof + 0.09], [-0.1, roof + 0.09], [-0.1, 0.02]]);
    s.poly(GLASS, &[[0.0, 0.02], [0.0, roof + 0.09], [0.18, roof + 0.09], [0.38, 0.02]]);
    s.poly(Ink::Body, &[[-1.0, 0.02], [0.8, 0.02], [1.0, 0.14], [1.0, 0.38], [-1.0, 0.38]]);
    s.oval(LAMP, 0.93, 0.18, 0.07, 0.06);
    wheels(s, &[-0.58, 0.58], 0.38, 0.21);
});

/// A van: one box with a slanted front.
pub static VAN: Object = Object::new("van", ObjectFamily::Car, |s, r| {
    let roof = r.uniform_in(-0.66, -0.56);
    s.poly(
        Ink::Body,
        &[[-0.95, roof], [0.48, roof], [0.8, -0.05], [0.98, 0.05], [0.98, 0.42], [-0.95, 0.42]],
    );
    s.poly(GLASS, &[[0.2, roof + 0.13], [0.46, roof + 0.13], [0.7, -0.05], [0.2, -0.05]]);
    s.rect(Ink::Shade(0.3), -0.95, 0.14, 0.98, 0.2);
    s.oval(LAMP, 0.92, 0.16, 0.06, 0.08);
    wheels(s, &[-0.55, 0.55], 0.42, 0.22);
});

/// A lorry: a cab before a long box.
pub static TRUCK: Object = Object::new("truck", ObjectFamily::Car, |s, r| {
    let top = r.uniform_in(-0.72, -0.6);
    s.rect(METAL, -0.98, 0.3, 0.9, 0.42);
    s.rect(Ink::Body, -1.0, top, 0.36, 0.32);
    s.poly(Ink::Shade(0.25), &[[0.44, -0.3], [0.78, -0.3], [0.98, 0.02], [0.98, 0.4], [0.44, 0.4]]);
    s.poly(GLASS, &[[0.54, -0.2], [0.74, -0.2], [0.88, 0.02], [0.54, 0.02]]);
    wheels(s, &[-0.68, -0.2, 0.68], 0.44, 0.2);
});

/// A bus: a long box with a row of windows.
pub static BUS: Object = Object::new("bus", ObjectFamily::Car, |s, r| {
    let roof = r.uniform_in(-0.64, -0.54);
    s.rect(Ink::Body, -1.0, roof, 1.0, 0.42);
    for k in 0..5 {
        let x = -0.9 + 0.37 * f64::from(k);
        s.rect(GLASS, x, roof + 0.14, x + 0.28, -0.06);
    }
    s.oval(LAMP, 0.94, 0.22, 0.05, 0.07);
    wheels(s, &[-0.58, 0.58], 0.44, 0.2);
});

/// A jeep: open top, square bonnet, big wheels.
pub static JEEP: Object = Object::new("jeep", ObjectFamily::Car, |s, _| {
    s.line(METAL, [-0.6, -0.05], [-0.5, -0.6], 0.045);
    s.line(METAL, [-0.5, -0.6], [0.12, -0.6], 0.045);
    s.line(METAL, [0.12, -0.6], [0.26, -0.05], 0.06);
    s.oval(DARK, -0.2, -0.22, 0.13, 0.15);
    s.poly(Ink::Body, &[[-0.9, -0.1], [0.9, -0.1], [0.96, 0.36], [-0.9, 0.36]]);
    s.oval(DARK, -0.95, 0.05, 0.1, 0.24);
    s.oval(LAMP, 0.9, 0.06, 0.07, 0.08);
    wheels(s, &[-0.52, 0.56], 0.4, 0.3);
});
