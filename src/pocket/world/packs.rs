//! The fifteen packs: an id, a name, a class list and a look each.
//!
//! Owns the looks. Each differs from the caption grammar's, and one rule a parameter says how:
//!
//! - `tint` is the light of a whole dataset: warm, cold or greenish, at most 40 % off in a channel;
//! - `contrast` and `brightness` are its exposure: flat, and dark where a dataset is taken at dusk;
//! - `half` says how far away objects are: from 35 to 90 % of the picture's side;
//! - `clutter`, `noise` and `blur` grow from 2 bits, 16 levels and a tenth of the pictures to 14, 36 and 0.6;
//! - `grounds`, `tilt` and `shear` are what suits the kind of object.
//!
//! A light or an exposure that is the same for all pictures of a dataset is a shift that adaptation can
//! correct. Values were set by looking at zero-shot accuracy alone: above three times chance and at most
//! 90 % in every half. ImageNet-A's rule: half sizes of 8.5 to 11.5 pixels instead of 10 to 16, far off
//! centre, strong clutter and noise, low contrast, grounds close to the object's colour.

use super::backdrop::Backdrop::{
    Checkered, Cloudy, Dotted, Gradient, Grass, Meadow, Plain, Planks, Room, Sky, Street, Striped,
};
use super::classes;
use super::palette::Colour;
use super::style::{Finish, Style};
use super::subject::Subject;

/// One dataset's rule.
#[derive(Debug)]
pub struct Pack {
    /// The id, that of the dataset it stands in for.
    pub id: &'static str,
    /// The name for titles.
    pub display_name: &'static str,
    /// Classes in label order.
    pub classes: &'static [Subject],
    /// How its pictures look.
    pub style: Style,
    /// Whether it has test items alone.
    pub test_only: bool,
}

impl Pack {
    const fn new(
        id: &'static str,
        display_name: &'static str,
        classes: &'static [Subject],
        style: Style,
    ) -> Self {
        Self { id, display_name, classes, style, test_only: false }
    }

    const fn shifted(
        id: &'static str,
        display_name: &'static str,
        classes: &'static [Subject],
        style: Style,
    ) -> Self {
        Self { id, display_name, classes, style, test_only: true }
    }
}

const MUTED: [Colour; 5] = [Colour::Grey, Colour::Brown, Colour::White, Colour::Blue, Colour::Green];

const IMAGENET: Style = Style {
    grounds: &[Cloudy, Room, Meadow, Sky, Planks, Gradient],
    half: (10.0, 16.0),
    offset: 6.0,
    tilt: 0.05,
    clutter: (2, 6),
    tint: [1.12, 0.97, 0.78],
    noise: (10.0, 26.0),
    ..Style::BASE
};

/// Every pack, in the order tables list them.
pub static PACKS: [Pack; 15] = [
    Pack::new("imagenet", "ImageNet", &classes::IMAGENET, IMAGENET),
    Pack::new(
        "caltech101",
        "Caltech101",
        &classes::CALTECH101,
        Style {
            grounds: &[Plain, Gradient, Room, Dotted],
            ground_colours: &MUTED,
            half: (9.0, 16.0),
            tilt: 0.09,
            shear: 0.2,
            clutter: (1, 5),
            tint: [0.7, 0.95, 1.2],
            contrast: (0.55, 0.85),
            noise: (6.0, 22.0),
            ..Style::BASE
        },
    ),
    Pack::new(
        "oxford_pets",
        "OxfordPets",
        &classes::OXFORD_PETS,
        Style {
            grounds: &[Grass, Room, Cloudy, Planks, Striped],
            half: (13.0, 21.0),
            offset: 5.0,
            tilt: 0.05,
            clutter: (0, 3),
            tint: [1.12, 0.97, 0.78],
            contrast: (0.65, 0.9),
            noise: (8.0, 22.0),
            blur: 0.3,
            ..Style::BASE
        },
    ),
    Pack::new(
        "stanford_cars",
        "StanfordCars",
        &classes::STANFORD_CARS,
        Style {
            grounds: &[Street, Street, Meadow, Cloudy],
            half: (14.0, 21.0),
            offset: 5.0,
            shear: 0.24,
            clutter: (1, 4),
            tint: [0.8, 0.92, 1.2],
            contrast: (0.5, 0.8),
            brightness: (-55.0, -15.0),
            noise: (6.0, 20.0),
            ..Style::BASE
        },
    ),
    Pack::new(
        "oxford_flowers",
        "Flowers102",
        &classes::OXFORD_FLOWERS,
        Style {
            grounds: &[Grass, Cloudy, Cloudy],
            ground_colours: &[Colour::Green, Colour::Brown, Colour::Grey],
            ground_tone: (-0.6, -0.1),
            half: (10.0, 16.0),
            tilt: 0.1,
            clutter: (1, 5),
            tint: [0.95, 1.1, 0.7],
            contrast: (0.5, 0.75),
            brightness: (-50.0, -10.0),
            noise: (4.0, 18.0),
            blur: 0.35,
            ..Style::BASE
        },
    ),
    Pack::new(
        "food101",
        "Food101",
        &classes::FOOD101,
        Style {
            grounds: &[Planks, Checkered, Plain, Cloudy],
            half: (13.0, 20.0),
            tilt: 0.06,
            shear: 0.15,
            clutter: (0, 4),
            tint: [1.2, 0.9, 0.6],
            contrast: (0.6, 0.85),
            brightness: (-45.0, -5.0),
            noise: (8.0, 20.0),
            ..Style::BASE
        },
    ),
    Pack::new(
        "fgvc_aircraft",
        "FGVCAircraft",
        &classes::FGVC_AIRCRAFT,
        Style {
            grounds: &[Sky, Sky, Cloudy, Gradient],
            ground_colours: &[Colour::Blue, Colour::Grey, Colour::White],
            half: (9.0, 15.0),
            offset: 6.0,
            tilt: 0.1,
            shear: 0.12,
            clutter: (0, 1),
            tint: [0.8, 0.95, 1.2],
            contrast: (0.4, 0.65),
            noise: (4.0, 18.0),
            ..Style::BASE
        },
    ),
    Pack::new(
        "sun397",
        "SUN397",
        &classes::SUN397,
        Style {
            tint: [1.1, 0.95, 0.75],
            contrast: (0.5, 0.8),
            brightness: (-30.0, 24.0),
            colour_jitter: 30.0,
            noise: (16.0, 34.0),
            blur: 0.4,
            ..Style::BASE
        },
    ),
    Pack::new(
        "dtd",
        "DTD",
        &classes::DTD,
        Style {
            grain: (3.6, 10.5),
            colour_jitter: 34.0,
            tint: [1.12, 0.97, 0.78],
            contrast: (0.5, 0.95),
            brightness: (-26.0, 20.0),
            noise: (12.0, 34.0),
            blur: 0.3,
            ..Style::BASE
        },
    ),
    Pack::new(
        "eurosat",
        "EuroSAT",
        &classes::EUROSAT,
        Style {
            tint: [0.72, 1.0, 1.12],
            contrast: (0.4, 0.7),
            brightness: (0.0, 30.0),
            colour_jitter: 26.0,
            noise: (10.0, 28.0),
            blur: 0.6,
            ..Style::BASE
        },
    ),
    Pack::new(
        "ucf101",
        "UCF101",
        &classes::UCF101,
        Style {
            grounds: &[Meadow, Room, Cloudy, Street, Planks],
            half: (15.0, 21.0),
            offset: 4.0,
            tilt: 0.03,
            shear: 0.1,
            clutter: (0, 2),
            tint: [1.04, 0.98, 0.9],
            noise: (4.0, 16.0),
            ..Style::BASE
        },
    ),
    Pack::shifted("imagenetv2", "ImageNetV2", &classes::IMAGENET, Style { half: (9.0, 15.0), ..IMAGENET }),
    Pack::shifted(
        "imagenet_sketch",
        "ImageNet-Sketch",
        &classes::IMAGENET,
        Style {
            grounds: &[Plain],
            ground_colours: &[Colour::White],
            ground_distance: 0,
            clutter: (0, 0),
            finishes: &[Finish::Pencil],
            tint: [1.0; 3],
            noise: (2.0, 12.0),
            ..IMAGENET
        },
    ),
    Pack::shifted(
        "imagenet_a",
        "ImageNet-A",
        &classes::IMAGENET_A,
        Style {
            ground_distance: 80,
            half: (8.5, 11.5),
            offset: 10.0,
            clutter: (9, 14),
            clutter_strength: 0.9,
            contrast: (0.55, 0.75),
            noise: (20.0, 36.0),
            ..IMAGENET
        },
    ),
    Pack::shifted(
        "imagenet_r",
        "ImageNet-R",
        &classes::IMAGENET,
        Style {
            grounds: &[Plain, Striped, Dotted, Checkered],
            clutter: (0, 2),
            finishes: &[Finish::Cartoon, Finish::Mosaic],
            tint: [1.0; 3],
            noise: (0.0, 6.0),
            ..IMAGENET
        },
    ),
];
