//! What a picture shows, how that is said, and which combinations pretraining never sees.
//!
//! Owns the names: a class name and a caption's noun phrase both come from [`Subject::name`], so a
//! dataset cannot use a word the captions lack. Articles are no part of a name.

use super::palette::Colour;
use super::place::{Place, Weather};
use super::shapes::people::{Prop, Verb};
use super::shapes::{Object, ObjectFamily};
use super::texture::Texture;
use super::tile::Land;
use crate::util::rng::Stream;

/// What a picture shows. An open attribute (`None`) is not named and drawn at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// An object in front of a ground.
    Thing {
        /// Which object.
        object: &'static Object,
        /// Its colour.
        colour: Option<Colour>,
        /// Its pattern. Open: plain.
        texture: Option<Texture>,
    },
    /// A pattern that fills the picture.
    Pattern {
        /// The colour between the marks.
        colour: Colour,
        /// The pattern.
        texture: Texture,
    },
    /// A place seen from the ground.
    Place {
        /// Which place.
        place: Place,
        /// Light and weather.
        weather: Weather,
    },
    /// Land seen from above.
    Tile(Land),
    /// A person doing something.
    Action {
        /// What is done.
        verb: Verb,
        /// What it is done to.
        prop: Prop,
    },
}

impl Subject {
    /// The noun phrase, without an article: "red striped kite", "kicking a ball".
    pub fn name(&self) -> String {
        match self {
            Self::Thing { object, colour, texture } => {
                let colour = colour.map(|c| object.family.colour_word(c));
                let texture = texture.filter(|t| *t != Texture::Plain).map(|t| object.family.texture_word(t));
                let words: Vec<&str> = colour.into_iter().chain(texture).chain([object.word]).collect();
                words.join(" ")
            }
            _ => self.pairs().concat(),
        }
    }

    /// The attribute–object pairs shown, as "attribute object". Open attributes make none.
    pub fn pairs(&self) -> Vec<String> {
        match self {
            Self::Thing { object, colour, texture } => {
                let colour = colour.map(|c| object.family.colour_word(c));
                let texture = texture.filter(|t| *t != Texture::Plain).map(|t| object.family.texture_word(t));
                colour.into_iter().chain(texture).map(|word| format!("{word} {}", object.word)).collect()
            }
            Self::Pattern { colour, texture } => vec![format!("{} {}", colour.word(), texture.word())],
            Self::Place { place, weather } => vec![format!("{} {}", weather.word(), place.word())],
            Self::Tile(land) => vec![land.name()],
            Self::Action { verb, prop } => vec![format!("{} a {}", verb.word(), prop.word())],
        }
    }

    /// The same subject with every open attribute decided. A pattern left open becomes plain; a
    /// colour left open becomes any colour of the object's family.
    pub fn settle(self, stream: &mut Stream) -> Self {
        match self {
            Self::Thing { object, colour, texture } => {
                let colours = object.family.colours();
                let any = colours[stream.below(colours.len() as u64) as usize];
                Self::Thing {
                    object,
                    colour: colour.or(Some(any)),
                    texture: texture.or(Some(Texture::Plain)),
                }
            }
            settled => settled,
        }
    }

    /// Whether pretraining must not show this: one of its pairs is [`held_out`].
    pub fn is_held_out(&self) -> bool {
        self.pairs().iter().any(|pair| held_out(pair))
    }

    /// The family of the object, where there is one.
    pub fn family(&self) -> Option<ObjectFamily> {
        match self {
            Self::Thing { object, .. } => Some(object.family),
            _ => None,
        }
    }
}

/// Whether the pair "attribute object" is kept out of pretraining: the 15 of 100 whose 64-bit
/// FNV-1a hash leaves a remainder below 15 when divided by 100.
pub fn held_out(pair: &str) -> bool {
    let hash =
        pair.bytes().fold(0xCBF2_9CE4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    hash % 100 < 15
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pocket::world::shapes::{animals, foods, things};

    #[test]
    fn names_say_the_decided_attributes_in_the_family_s_words() {
        let kite = Subject::Thing {
            object: &things::KITE,
            colour: Some(Colour::Red),
            texture: Some(Texture::Striped),
        };
        assert_eq!(kite.name(), "red striped kite");
        assert_eq!(kite.pairs(), ["red kite", "striped kite"]);
        let cat = Subject::Thing { object: &animals::CAT, colour: None, texture: Some(Texture::Dotted) };
        assert_eq!(cat.name(), "spotted cat");
        let cake = Subject::Thing { object: &foods::CAKE, colour: Some(Colour::Pink), texture: None };
        assert_eq!(cake.name(), "strawberry cake");
        let kick = Subject::Action { verb: Verb::Kicking, prop: Prop::Ball };
        assert_eq!(kick.name(), "kicking a ball");
    }

    #[test]
    fn settling_leaves_nothing_open() {
        let mut stream = Stream::new(&["settle"]);
        let open = Subject::Thing { object: &things::KITE, colour: None, texture: None };
        let Subject::Thing { colour, texture, .. } = open.settle(&mut stream) else { panic!("a thing") };
        assert!(colour.is_some());
        assert_eq!(texture, Some(Texture::Plain));
    }
}
