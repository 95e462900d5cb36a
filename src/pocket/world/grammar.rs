//! Captioned pictures without end, for pretraining.
//!
//! Owns what is shown how often, and in which looks; the wording is [`super::caption`]'s. Subjects with
//! a held-out pair are drawn again, so the kept ones share their places evenly.

use super::backdrop::Backdrop;
use super::caption::caption;
use super::palette::Colour;
use super::place::{Place, Weather};
use super::scene::Scene;
use super::shapes::people::{Prop, Verb};
use super::shapes::{Object, aircraft, animals, basic, cars, flowers, foods, things};
use super::style::{Finish, Style};
use super::subject::Subject;
use super::texture::Texture;
use super::tile::Land;
use crate::preprocess::Rgb8;
use crate::util::rng::Stream;

const EASEL: Style = Style {
    grounds: &[
        Backdrop::Plain,
        Backdrop::Plain,
        Backdrop::Gradient,
        Backdrop::Striped,
        Backdrop::Checkered,
        Backdrop::Dotted,
        Backdrop::Cloudy,
    ],
    ground_tone: (-0.3, 0.6),
    half: (10.0, 21.0),
    offset: 6.0,
    tilt: 0.06,
    shear: 0.12,
    clutter: (0, 3),
    colour_jitter: 26.0,
    contrast: (0.75, 1.1),
    brightness: (-20.0, 20.0),
    noise: (0.0, 14.0),
    grain: (4.5, 9.0),
    blur: 0.15,
    ..Style::BASE
};

/// Looks and their weights out of 20.
const LOOKS: [(u64, Style); 4] = [
    (11, EASEL),
    (
        5,
        Style {
            grounds: &[
                Backdrop::Room,
                Backdrop::Sky,
                Backdrop::Meadow,
                Backdrop::Planks,
                Backdrop::Grass,
                Backdrop::Street,
            ],
            ..EASEL
        },
    ),
    (3, Style { finishes: &[Finish::Drawing], ..EASEL }),
    (1, Style { finishes: &[Finish::Sketch], clutter: (0, 0), ..EASEL }),
];

/// Groups of objects and their weights; the rest of the 100 goes to whole-picture subjects.
const OBJECTS: [(u64, &[&Object]); 9] = [
    (5, &basic::ALL),
    (20, &things::ALL),
    (10, &animals::PETS),
    (6, &animals::ALL),
    (9, &cars::ALL),
    (9, &flowers::ALL),
    (6, &foods::SWEET),
    (4, &foods::SAVOURY),
    (8, &aircraft::ALL),
];
const ACTIONS: u64 = 7;
const PLACES: u64 = 6;
const TILES: u64 = 5;

/// The pretraining pairs of one seed, each made from its number alone.
#[derive(Clone, Debug)]
pub struct PretrainSource {
    seed: String,
}

impl PretrainSource {
    /// The pairs of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed: seed.to_string() }
    }

    /// Picture `index`, 48 × 48, and its caption.
    pub fn pair(&self, index: u64) -> (Rgb8, String) {
        let (scene, caption, mut stream) = self.plan(index);
        (scene.render(&mut stream), caption)
    }

    /// What picture `index` shows and its caption, without drawing it.
    pub fn scene(&self, index: u64) -> (Scene, String) {
        let (scene, caption, _) = self.plan(index);
        (scene, caption)
    }

    fn plan(&self, index: u64) -> (Scene, String, Stream) {
        let mut stream = Stream::new(&["pocket", "pretrain", &self.seed, &index.to_string()]);
        let style = weighted(&LOOKS, stream.below(20));
        let mut subject = draw_subject(&mut stream);
        while subject.is_held_out() {
            subject = draw_subject(&mut stream);
        }
        let scene = Scene::compose(subject, style, &mut stream);
        let caption = caption(&scene, &mut stream);
        (scene, caption, stream)
    }
}

fn weighted<T>(table: &[(u64, T)], mut at: u64) -> &T {
    for (weight, value) in table {
        if at < *weight {
            return value;
        }
        at -= weight;
    }
    &table[0].1
}

fn pick<T: Copy>(items: &[T], stream: &mut Stream) -> T {
    items[stream.below(items.len() as u64) as usize]
}

fn draw_subject(stream: &mut Stream) -> Subject {
    let things: u64 = OBJECTS.iter().map(|(weight, _)| weight).sum();
    let at = stream.below(100);
    if at < things {
        let group = *weighted(&OBJECTS, at);
        return thing(pick(group, stream), stream);
    }
    match at - things {
        k if k < ACTIONS => {
            Subject::Action { verb: pick(&Verb::ALL, stream), prop: pick(&Prop::ALL, stream) }
        }
        k if k < ACTIONS + PLACES => {
            Subject::Place { place: pick(&Place::ALL, stream), weather: pick(&Weather::ALL, stream) }
        }
        k if k < ACTIONS + PLACES + TILES => Subject::Tile(pick(&Land::ALL, stream)),
        _ => {
            Subject::Pattern { colour: pick(&Colour::ALL, stream), texture: pick(&Texture::PATTERNS, stream) }
        }
    }
}

fn thing(object: &'static Object, stream: &mut Stream) -> Subject {
    let textures = object.family.textures();
    let patterned = !textures.is_empty() && stream.chance(0.4);
    let texture = if patterned { pick(textures, stream) } else { Texture::Plain };
    Subject::Thing { object, colour: Some(pick(&object.family.colours(), stream)), texture: Some(texture) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pocket::world::packs::PACKS;
    use crate::pocket::world::subject::held_out;
    use std::collections::BTreeSet;

    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(|c: char| !c.is_ascii_alphabetic() && c != '-').filter(|word| !word.is_empty())
    }

    #[test]
    fn weights_fill_their_tables() {
        assert_eq!(LOOKS.iter().map(|(weight, _)| weight).sum::<u64>(), 20);
        let things: u64 = OBJECTS.iter().map(|(weight, _)| weight).sum();
        assert!(things + ACTIONS + PLACES + TILES < 100);
    }

    #[test]
    fn held_out_pairs_are_never_shown() {
        let source = PretrainSource::new(1);
        for index in 0..20_000 {
            let (scene, _) = source.scene(index);
            assert!(scene.subject.pairs().iter().all(|pair| !held_out(pair)), "{index}");
        }
        let classes: Vec<&Subject> = PACKS.iter().flat_map(|pack| pack.classes).collect();
        let hidden = classes.iter().filter(|subject| subject.is_held_out()).count();
        assert!(hidden * 20 > classes.len() && hidden * 3 < classes.len(), "{hidden} of {}", classes.len());
    }

    #[test]
    fn captions_know_every_word_of_every_class_name() {
        let source = PretrainSource::new(1);
        let captions: Vec<String> = (0..20_000).map(|index| source.scene(index).1).collect();
        let vocabulary: BTreeSet<&str> = captions.iter().flat_map(|caption| words(caption)).collect();
        for pack in &PACKS {
            for name in pack.classes.iter().map(Subject::name) {
                assert!(words(&name).all(|word| vocabulary.contains(word)), "{}: {name}", pack.id);
            }
        }
        assert!(captions.iter().all(|c| c.ends_with('.') && c.split(' ').count() <= 14));
    }
}
