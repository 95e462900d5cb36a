//! What an object is: a noun, a family, and a way to draw it.
//!
//! Owns the families' habits: which colours and patterns their members come in and how those are
//! said. A food's colour is said as a flavour ("strawberry cake"), an animal's dots as "spotted".

use crate::pocket::world::palette::Colour;
use crate::pocket::world::sketch::Sketch;
use crate::pocket::world::texture::Texture;
use crate::util::rng::Stream;

/// A kind of object, named by a noun.
#[derive(Debug)]
pub struct Object {
    /// The noun.
    pub word: &'static str,
    /// The family it belongs to.
    pub family: ObjectFamily,
    /// Draws one specimen in the plane [-1, 1]²; the stream varies the specimen.
    pub draw: fn(&mut Sketch, &mut Stream),
}

impl Object {
    pub(super) const fn new(
        word: &'static str,
        family: ObjectFamily,
        draw: fn(&mut Sketch, &mut Stream),
    ) -> Self {
        Self { word, family, draw }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

/// A group of objects with common habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFamily {
    /// Plane figures.
    Figure,
    /// Household and outdoor objects.
    Thing,
    /// Animals kept at home, seen from the front.
    Pet,
    /// Other animals, seen from the side.
    Animal,
    /// Road vehicles.
    Car,
    /// Flowers.
    Flower,
    /// Sweet food.
    Sweet,
    /// Savoury food.
    Savoury,
    /// Aircraft.
    Aircraft,
}

const COATS: [Colour; 6] =
    [Colour::Black, Colour::White, Colour::Brown, Colour::Grey, Colour::Orange, Colour::Yellow];
const PETALS: [Colour; 7] =
    [Colour::Red, Colour::Orange, Colour::Yellow, Colour::Blue, Colour::Purple, Colour::Pink, Colour::White];
const SWEET: [(Colour, &str); 9] = [
    (Colour::Brown, "chocolate"),
    (Colour::Pink, "strawberry"),
    (Colour::Yellow, "lemon"),
    (Colour::Green, "mint"),
    (Colour::Blue, "blueberry"),
    (Colour::White, "vanilla"),
    (Colour::Red, "cherry"),
    (Colour::Purple, "plum"),
    (Colour::Orange, "peach"),
];
const SAVOURY: [(Colour, &str); 6] = [
    (Colour::Red, "tomato"),
    (Colour::Green, "pepper"),
    (Colour::Black, "olive"),
    (Colour::Yellow, "cheese"),
    (Colour::Brown, "mushroom"),
    (Colour::Orange, "carrot"),
];
const SURFACES: [Texture; 6] = [
    Texture::Striped,
    Texture::Dotted,
    Texture::Checkered,
    Texture::Gridded,
    Texture::Zigzagged,
    Texture::Speckled,
];

impl ObjectFamily {
    /// The colours members come in.
    pub fn colours(self) -> Vec<Colour> {
        match self {
            Self::Pet => COATS.to_vec(),
            Self::Flower => PETALS.to_vec(),
            Self::Sweet => SWEET.map(|(colour, _)| colour).to_vec(),
            Self::Savoury => SAVOURY.map(|(colour, _)| colour).to_vec(),
            _ => Colour::ALL.to_vec(),
        }
    }

    /// The patterns members come in besides plain.
    pub fn textures(self) -> &'static [Texture] {
        match self {
            Self::Pet | Self::Animal => &SURFACES[..2],
            Self::Flower | Self::Sweet | Self::Savoury => &[],
            Self::Car | Self::Aircraft => &SURFACES[..3],
            Self::Figure | Self::Thing => &SURFACES,
        }
    }

    /// How a colour is said of a member.
    pub fn colour_word(self, colour: Colour) -> &'static str {
        let flavours: &[(Colour, &'static str)] = match self {
            Self::Sweet => &SWEET,
            Self::Savoury => &SAVOURY,
            _ => &[],
        };
        flavours.iter().find(|(c, _)| *c == colour).map_or(colour.word(), |(_, flavour)| flavour)
    }

    /// How a pattern is said of a member.
    pub fn texture_word(self, texture: Texture) -> &'static str {
        match (self, texture) {
            (Self::Pet | Self::Animal, Texture::Dotted) => "spotted",
            _ => texture.word(),
        }
    }
}
