//! Stick figures at sport: seven verbs, four props.
//!
//! Owns the poses. A pose is twelve joints and the place of the prop; limbs have the thickness they
//! need to survive at 48 pixels.

use crate::pocket::world::geometry::Point;
use crate::pocket::world::sketch::{DARK, Ink, Sketch};
use crate::util::rng::Stream;

/// What a figure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// One leg swung at the prop on the ground.
    Kicking,
    /// The prop has just left the raised hand.
    Throwing,
    /// Both arms hold the prop overhead.
    Lifting,
    /// Both arms against a prop on the ground.
    Pushing,
    /// On top of the prop.
    SittingOn,
    /// In the air above the prop.
    JumpingOver,
    /// At full speed, the prop under one arm.
    RunningWith,
}

/// What it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prop {
    /// A round ball.
    Ball,
    /// A square box.
    Box,
    /// A thin hoop.
    Hoop,
    /// A traffic cone.
    Cone,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 7] = [
        Self::Kicking,
        Self::Throwing,
        Self::Lifting,
        Self::Pushing,
        Self::SittingOn,
        Self::JumpingOver,
        Self::RunningWith,
    ];

    /// The words that precede "a ball".
    pub fn word(self) -> &'static str {
        match self {
            Self::Kicking => "kicking",
            Self::Throwing => "throwing",
            Self::Lifting => "lifting",
            Self::Pushing => "pushing",
            Self::SittingOn => "sitting on",
            Self::JumpingOver => "jumping over",
            Self::RunningWith => "running with",
        }
    }

    fn pose(self) -> Pose {
        match self {
            Self::Kicking => Pose {
                body: [[-0.28, -0.66], [-0.24, -0.42], [-0.16, 0.14]],
                arms: [[[-0.5, -0.2], [-0.74, -0.3]], [[0.05, -0.26], [0.28, -0.42]]],
                legs: [[[-0.26, 0.52], [-0.36, 0.94]], [[0.14, 0.36], [0.42, 0.58]]],
                prop: ([0.72, 0.62], 0.26),
            },
            Self::Throwing => Pose {
                body: [[-0.16, -0.5], [-0.16, -0.26], [-0.22, 0.26]],
                arms: [[[-0.45, -0.1], [-0.7, 0.02]], [[0.12, -0.4], [0.36, -0.62]]],
                legs: [[[-0.42, 0.58], [-0.62, 0.94]], [[0.06, 0.58], [0.12, 0.94]]],
                prop: ([0.68, -0.66], 0.26),
            },
            Self::Lifting => Pose {
                body: [[0.0, -0.32], [0.0, -0.1], [0.0, 0.36]],
                arms: [[[-0.34, -0.24], [-0.3, -0.56]], [[0.34, -0.24], [0.3, -0.56]]],
                legs: [[[-0.28, 0.62], [-0.3, 0.94]], [[0.28, 0.62], [0.3, 0.94]]],
                prop: ([0.0, -0.78], 0.26),
            },
            Self::Pushing => Pose {
                body: [[-0.1, -0.42], [-0.2, -0.2], [-0.48, 0.26]],
                arms: [[[0.02, 0.0], [0.26, 0.1]], [[0.06, -0.12], [0.28, -0.02]]],
                legs: [[[-0.62, 0.6], [-0.88, 0.92]], [[-0.2, 0.5], [-0.36, 0.94]]],
                prop: ([0.62, 0.54], 0.4),
            },
            Self::SittingOn => Pose {
                body: [[-0.12, -0.66], [-0.1, -0.42], [-0.06, 0.14]],
                arms: [[[-0.3, -0.12], [-0.2, 0.14]], [[0.16, -0.14], [0.36, 0.06]]],
                legs: [[[0.4, 0.24], [0.46, 0.92]], [[0.32, 0.32], [0.3, 0.94]]],
                prop: ([-0.1, 0.58], 0.36),
            },
            Self::JumpingOver => Pose {
                body: [[0.04, -0.8], [0.02, -0.56], [-0.02, -0.1]],
                arms: [[[-0.3, -0.66], [-0.56, -0.84]], [[0.34, -0.64], [0.6, -0.8]]],
                legs: [[[-0.4, 0.02], [-0.72, 0.2]], [[0.36, 0.04], [0.7, 0.08]]],
                prop: ([0.02, 0.66], 0.28),
            },
            Self::RunningWith => Pose {
                body: [[0.18, -0.72], [0.1, -0.48], [-0.04, 0.06]],
                arms: [[[-0.24, -0.24], [-0.46, -0.4]], [[0.24, -0.12], [0.4, -0.14]]],
                legs: [[[-0.36, 0.36], [-0.78, 0.44]], [[0.36, 0.3], [0.34, 0.9]]],
                prop: ([0.5, -0.12], 0.24),
            },
        }
    }
}

impl Prop {
    /// Every prop.
    pub const ALL: [Self; 4] = [Self::Ball, Self::Box, Self::Hoop, Self::Cone];

    /// The noun.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ball => "ball",
            Self::Box => "box",
            Self::Hoop => "hoop",
            Self::Cone => "cone",
        }
    }

    fn draw(self, s: &mut Sketch, [x, y]: Point, r: f64) {
        match self {
            Self::Ball => {
                s.oval(Ink::Accent, x, y, r, r);
                s.oval(Ink::Fixed([250, 248, 240]), x - r * 0.3, y - r * 0.35, r * 0.25, r * 0.25);
            }
            Self::Box => s.rect(Ink::Accent, x - r * 0.95, y - r * 0.95, x + r * 0.95, y + r * 0.95),
            Self::Hoop => s.ring(Ink::Accent, x, y, r * 1.1, r * 0.7),
            Self::Cone => s.poly(Ink::Accent, &[[x, y - r * 1.1], [x + r, y + r], [x - r, y + r]]),
        }
    }
}

struct Pose {
    /// Head, neck, hip.
    body: [Point; 3],
    /// Elbow and hand, twice.
    arms: [[Point; 2]; 2],
    /// Knee and foot, twice.
    legs: [[Point; 2]; 2],
    /// Centre and size of the prop.
    prop: (Point, f64),
}

/// Draws a figure doing something; the body ink is the shirt, the accent ink the prop.
pub fn act(s: &mut Sketch, verb: Verb, prop: Prop, stream: &mut Stream) {
    let skins = [[236, 188, 150], [196, 140, 100], [122, 80, 54], [246, 212, 184]];
    let skin = Ink::Fixed(skins[stream.below(4) as usize]);
    let mut sway = |[x, y]: Point| [x + stream.uniform_in(-0.05, 0.05), y + stream.uniform_in(-0.04, 0.04)];
    let pose = verb.pose();
    let [head, neck, hip] = pose.body;
    let (place, size) = pose.prop;
    prop.draw(s, place, size);
    for [knee, foot] in pose.legs {
        s.path(DARK, &[hip, sway(knee), foot], 0.085);
    }
    s.line(skin, head, neck, 0.07);
    s.line(Ink::Body, neck, hip, 0.15);
    for [elbow, hand] in pose.arms {
        let elbow = sway(elbow);
        s.line(Ink::Body, neck, elbow, 0.08);
        s.line(skin, elbow, hand, 0.065);
    }
    s.oval(skin, head[0], head[1], 0.17, 0.18);
}
