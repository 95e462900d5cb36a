//! Food; the body colour is the frosting's, the topping's or the filling's.

use super::object::{Object, ObjectFamily};
use crate::pocket::world::sketch::{DARK, Ink, LEAF, LIGHT, Sketch};

/// Sweet food.
pub static SWEET: [&Object; 5] = [&CAKE, &DONUT, &CUPCAKE, &ICE_CREAM, &PIE];
/// Savoury food.
pub static SAVOURY: [&Object; 4] = [&PIZZA, &BURGER, &SOUP, &SANDWICH];

const CRUST: Ink = Ink::Fixed([214, 158, 84]);
const CRUMB: Ink = Ink::Fixed([240, 212, 150]);
const CHINA: Ink = Ink::Fixed([206, 212, 220]);

/// A slice of layer cake with a cherry.
pub static CAKE: Object = Object::new("cake", ObjectFamily::Sweet, |s, _| {
    s.oval(CHINA, 0.0, 0.78, 0.98, 0.18);
    s.rect(CRUMB, -0.7, -0.3, 0.7, 0.75);
    s.rect(Ink::Body, -0.7, 0.12, 0.7, 0.32);
    s.rect(Ink::Body, -0.74, -0.5, 0.74, -0.15);
    for (x, drop) in [(-0.5, 0.06), (0.0, 0.0), (0.5, 0.05)] {
        s.oval(Ink::Body, x, -0.15 + drop, 0.17, 0.16);
    }
    s.oval(Ink::Fixed([196, 24, 44]), 0.0, -0.64, 0.2, 0.2);
});

/// A ring of dough with icing and sprinkles.
pub static DONUT: Object = Object::new("donut", ObjectFamily::Sweet, |s, r| {
    s.ring(CRUST, 0.0, 0.0, 0.98, 0.28);
    s.ring(Ink::Body, 0.0, -0.04, 0.84, 0.34);
    for k in 0..9 {
        let turns = (f64::from(k) + r.uniform_in(-0.3, 0.3)) / 9.0;
        let [x, y] = crate::pocket::world::geometry::direction(turns);
        let reach = r.uniform_in(0.48, 0.7);
        s.oval(Ink::Accent, x * reach, y * reach - 0.04, 0.055, 0.055);
    }
});

/// A cupcake with a swirl of frosting.
pub static CUPCAKE: Object = Object::new("cupcake", ObjectFamily::Sweet, |s, _| {
    s.poly(CRUST, &[[-0.66, 0.1], [0.66, 0.1], [0.44, 0.95], [-0.44, 0.95]]);
    for x in [-0.3, 0.0, 0.3] {
        s.line(Ink::Fixed([170, 116, 58]), [x * 1.3, 0.15], [x, 0.92], 0.03);
    }
    s.oval(Ink::Body, 0.0, 0.0, 0.8, 0.3);
    s.oval(Ink::Body, 0.0, -0.34, 0.58, 0.28);
    s.oval(Ink::Body, 0.0, -0.64, 0.34, 0.26);
    s.line(Ink::Shade(0.2), [-0.5, -0.16], [0.5, -0.2], 0.035);
    s.line(Ink::Shade(0.2), [-0.3, -0.46], [0.3, -0.5], 0.035);
});

/// Two scoops in a cone.
pub static ICE_CREAM: Object = Object::new("ice cream", ObjectFamily::Sweet, |s, _| {
    s.poly(CRUST, &[[-0.42, 0.05], [0.42, 0.05], [0.0, 1.0]]);
    s.line(Ink::Fixed([170, 116, 58]), [-0.3, 0.2], [0.12, 0.7], 0.03);
    s.line(Ink::Fixed([170, 116, 58]), [0.3, 0.2], [-0.12, 0.7], 0.03);
    s.oval(Ink::Body, 0.0, -0.56, 0.4, 0.42);
    s.oval(Ink::Body, 0.0, -0.08, 0.54, 0.36);
    s.line(Ink::Shade(0.2), [-0.36, -0.28], [0.36, -0.28], 0.035);
});

/// A pie with a lattice over the filling.
pub static PIE: Object = Object::new("pie", ObjectFamily::Sweet, |s, _| {
    s.oval(CRUST, 0.0, 0.0, 0.98, 0.8);
    s.oval(Ink::Body, 0.0, -0.02, 0.76, 0.6);
    for k in [-0.36, 0.0, 0.36] {
        s.line(CRUMB, [k, -0.52], [k, 0.48], 0.06);
        s.line(CRUMB, [-0.68, k * 0.8], [0.68, k * 0.8], 0.06);
    }
});

/// A slice of pizza; the body colour tops it.
pub static PIZZA: Object = Object::new("pizza", ObjectFamily::Savoury, |s, r| {
    s.poly(Ink::Fixed([246, 206, 110]), &[[-0.86, -0.6], [0.86, -0.6], [0.0, 1.0]]);
    s.line(CRUST, [-0.82, -0.68], [0.82, -0.68], 0.2);
    for (x, y) in [(-0.42, -0.3), (0.1, -0.32), (0.48, -0.26), (-0.16, 0.12), (0.22, 0.14), (0.0, 0.56)] {
        s.oval(Ink::Body, x + r.uniform_in(-0.05, 0.05), y, 0.17, 0.16);
    }
});

/// A burger; the body colour is the slice on the meat.
pub static BURGER: Object = Object::new("burger", ObjectFamily::Savoury, |s, _| {
    s.poly(CRUST, &Sketch::arc([0.0, -0.12], [0.88, 0.8], 0.5, 1.0));
    for (x, y) in [(-0.4, -0.5), (0.0, -0.66), (0.4, -0.5)] {
        s.oval(LIGHT, x, y, 0.07, 0.05);
    }
    s.line(LEAF, [-0.86, -0.06], [0.86, -0.06], 0.09);
    s.line(Ink::Fixed([92, 50, 30]), [-0.76, 0.32], [0.76, 0.32], 0.17);
    s.poly(
        Ink::Body,
        &[[-0.96, 0.04], [0.96, 0.04], [0.62, 0.34], [0.3, 0.16], [-0.1, 0.4], [-0.5, 0.16], [-0.75, 0.34]],
    );
    s.poly(CRUST, &[[-0.86, 0.5], [0.86, 0.5], [0.7, 0.86], [-0.7, 0.86]]);
});

/// A bowl of soup seen from above.
pub static SOUP: Object = Object::new("soup", ObjectFamily::Savoury, |s, _| {
    s.oval(CHINA, 0.0, 0.0, 0.98, 0.9);
    s.oval(LIGHT, 0.0, -0.02, 0.86, 0.78);
    s.oval(Ink::Body, 0.0, 0.0, 0.72, 0.64);
    s.oval(LEAF, 0.12, -0.1, 0.13, 0.08);
    s.oval(LEAF, -0.18, 0.12, 0.1, 0.08);
});

/// A sandwich cut to a triangle; the body colour is the filling.
pub static SANDWICH: Object = Object::new("sandwich", ObjectFamily::Savoury, |s, _| {
    s.poly(CRUST, &[[-0.98, -0.2], [0.98, -0.2], [0.0, -0.95]]);
    s.poly(CRUMB, &[[-0.72, -0.24], [0.72, -0.24], [0.0, -0.8]]);
    s.line(Ink::Body, [-0.86, 0.05], [0.86, 0.05], 0.2);
    s.line(LEAF, [-0.88, 0.3], [0.88, 0.3], 0.08);
    s.rect(CRUMB, -0.96, 0.38, 0.96, 0.74);
    s.line(DARK, [0.0, -1.0], [0.0, -0.8], 0.03);
});
