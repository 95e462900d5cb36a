//! Flowers on a stem; the body colour is the petals'.

use super::object::{Object, ObjectFamily};
use crate::pocket::world::geometry::direction;
use crate::pocket::world::sketch::{Ink, LEAF, Sketch};

/// All of them.
pub static ALL: [&Object; 6] = [&DAISY, &TULIP, &POPPY, &LILY, &ROSE, &BLUEBELL];

const POLLEN: Ink = Ink::Fixed([236, 184, 40]);
const SOOT: Ink = Ink::Fixed([44, 30, 40]);

fn stem(s: &mut Sketch, top: f64) {
    s.path(LEAF, &[[0.0, top], [0.05, 0.6], [0.0, 1.0]], 0.055);
    s.leaning_oval(LEAF, [0.28, 0.68], [0.26, 0.1], -0.1);
    s.leaning_oval(LEAF, [-0.24, 0.8], [0.24, 0.09], 0.1);
}

fn petals(s: &mut Sketch, ink: Ink, centre: [f64; 2], count: u32, reach: f64, radii: [f64; 2], start: f64) {
    for k in 0..count {
        let turns = start + f64::from(k) / f64::from(count);
        let [cos, sin] = direction(turns);
        s.leaning_oval(ink, [centre[0] + reach * cos, centre[1] + reach * sin], radii, turns);
    }
}

/// A daisy: many narrow petals round a yellow heart.
pub static DAISY: Object = Object::new("daisy", ObjectFamily::Flower, |s, r| {
    stem(s, 0.0);
    let count = 11 + r.below(3) as u32;
    petals(s, Ink::Body, [0.0, -0.28], count, 0.45, [0.28, 0.1], r.uniform());
    s.oval(POLLEN, 0.0, -0.28, 0.23, 0.23);
});

/// A tulip: a closed cup with three tips.
pub static TULIP: Object = Object::new("tulip", ObjectFamily::Flower, |s, r| {
    stem(s, 0.1);
    let tip = r.uniform_in(-0.98, -0.85);
    s.poly(
        Ink::Body,
        &[
            [-0.5, tip],
            [-0.22, -0.55],
            [0.0, tip - 0.02],
            [0.22, -0.55],
            [0.5, tip],
            [0.52, -0.2],
            [0.3, 0.14],
            [-0.3, 0.14],
            [-0.52, -0.2],
        ],
    );
    s.poly(Ink::Shade(0.2), &[[0.0, tip], [0.2, -0.4], [0.16, 0.14], [-0.16, 0.14], [-0.2, -0.4]]);
});

/// A poppy: four wide round petals and a black heart.
pub static POPPY: Object = Object::new("poppy", ObjectFamily::Flower, |s, r| {
    stem(s, 0.0);
    let start = r.uniform_in(0.08, 0.17);
    petals(s, Ink::Body, [0.0, -0.3], 4, 0.36, [0.36, 0.42], start);
    petals(s, Ink::Shade(0.18), [0.0, -0.3], 4, 0.24, [0.2, 0.26], start);
    s.oval(SOOT, 0.0, -0.3, 0.2, 0.2);
});

/// A lily: six pointed petals.
pub static LILY: Object = Object::new("lily", ObjectFamily::Flower, |s, r| {
    stem(s, 0.0);
    let start = r.uniform();
    s.star(Ink::Body, [0.0, -0.26], [0.76, 0.24], 6, start);
    for k in 0..6 {
        let [cos, sin] = direction(start + f64::from(k) / 6.0);
        s.line(Ink::Shade(0.3), [0.0, -0.26], [0.45 * cos, 0.45 * sin - 0.26], 0.03);
    }
    s.oval(POLLEN, 0.0, -0.26, 0.11, 0.11);
});

/// A rose: rings of petals one inside another.
pub static ROSE: Object = Object::new("rose", ObjectFamily::Flower, |s, r| {
    stem(s, 0.1);
    let start = r.uniform();
    petals(s, Ink::Body, [0.0, -0.3], 7, 0.36, [0.24, 0.28], start);
    s.oval(Ink::Shade(0.28), 0.0, -0.3, 0.46, 0.46);
    s.oval(Ink::Body, 0.03, -0.32, 0.36, 0.36);
    s.oval(Ink::Shade(0.28), -0.02, -0.28, 0.24, 0.24);
    s.oval(Ink::Body, 0.02, -0.31, 0.14, 0.14);
});

/// A bluebell: small hanging bells along a bent stem.
pub static BLUEBELL: Object = Object::new("bluebell", ObjectFamily::Flower, |s, _| {
    s.path(LEAF, &[[-0.25, 1.0], [-0.3, 0.2], [-0.15, -0.6], [0.25, -0.85], [0.6, -0.7]], 0.05);
    s.leaning_oval(LEAF, [-0.02, 0.72], [0.3, 0.09], -0.12);
    for (x, y) in [(-0.55, -0.2), (0.1, -0.25), (0.62, -0.42), (-0.5, 0.32)] {
        s.poly(
            Ink::Body,
            &[
                [x - 0.1, y - 0.24],
                [x + 0.1, y - 0.24],
                [x + 0.27, y + 0.24],
                [x, y + 0.12],
                [x - 0.27, y + 0.24],
            ],
        );
    }
});
