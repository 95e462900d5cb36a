//! Captioned pictures without end, for pretraining.
//!
//! Owns the captions and the looks they go with. A caption mentions only part of what is shown, and
//! always writes "a", as CLIP's own prompt templates do ("a photo of a orange cat").

use super::backdrop::Backdrop;
use super::palette::Colour;
use super::place::{Place, Weather};
use super::scene::Scene;
use super::shapes::people::{Prop, Verb};
use super::shapes::{Family, Object, aircraft, animals, basic, cars, flowers, foods, things};
use super::style::{Finish, Style};
use super::subject::Subject;
use super::texture::Texture;
use super::tile::Land;
use crate::preprocess::Rgb8;
use crate::rng::Stream;

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
    ground_tone: (-0.3, 0.8),
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

fn caption(scene: &Scene, stream: &mut Stream) -> String {
    match scene.subject {
        Subject::Thing { .. } => thing_caption(scene, stream),
        Subject::Pattern { colour, texture } => pattern_caption(colour, texture, stream),
        Subject::Place { place, weather } => {
            let name = if stream.chance(0.85) { scene.subject.name() } else { place.word().into() };
            let light = weather.word();
            match stream.below(8) {
                0 => format!("a {name}."),
                1 => format!("a view of a {name}."),
                2 => format!("a {} of a {name}.", medium(scene)),
                3 => format!("a {light} scene of a {}.", place.word()),
                _ => format!("a photo of a {name}."),
            }
        }
        Subject::Tile(land) => match stream.below(6) {
            0 => format!("{} seen from above.", land.name()),
            1 => format!("a satellite photo of {}.", land.name()),
            2 => format!("a photo of {}.", land.name()),
            _ => format!("a centered satellite photo of {}.", land.name()),
        },
        Subject::Action { .. } => action_caption(scene, stream),
    }
}

/// The subject with the attributes that are mentioned: all of them in two captions of three.
fn mentioned(scene: &Scene, stream: &mut Stream) -> Subject {
    let Subject::Thing { object, colour, texture } = scene.subject else { return scene.subject };
    let greys = scene.finish == Finish::Sketch;
    let patterned = texture != Some(Texture::Plain);
    let (with_colour, with_texture) = match stream.below(12) {
        0 => (false, false),
        1 | 2 => (true, !patterned),
        3 => (false, true),
        _ => (true, true),
    };
    Subject::Thing {
        object,
        colour: colour.filter(|_| with_colour && !greys),
        texture: texture.filter(|_| with_texture),
    }
}

fn medium(scene: &Scene) -> &'static str {
    match scene.finish {
        Finish::Drawing => "drawing",
        Finish::Sketch => "sketch",
        Finish::Cartoon => "cartoon",
        Finish::Mosaic => "mosaic",
        Finish::Photo if scene.blurred => "blurry photo",
        Finish::Photo => "photo",
    }
}

fn thing_caption(scene: &Scene, stream: &mut Stream) -> String {
    let name = mentioned(scene, stream).name();
    let medium = if stream.chance(0.6) { medium(scene) } else { "photo" };
    match stream.below(10) {
        0 => format!("a {name}."),
        1 | 2 if scene.finish != Finish::Sketch => format!("a {name} {}.", behind(scene)),
        3 if scene.finish != Finish::Sketch => format!("a {medium} of a {name} {}.", behind(scene)),
        4 if scene.half < 13.5 => format!("a {medium} of a small {name}."),
        4 if scene.half > 17.5 => format!("a {medium} of a large {name}."),
        5..=7 => match scene.subject.family() {
            Some(Family::Pet) => format!("a {medium} of a {name}, a type of pet."),
            Some(Family::Flower) => format!("a {medium} of a {name}, a type of flower."),
            Some(Family::Aircraft) => format!("a {medium} of a {name}, a type of aircraft."),
            Some(Family::Sweet | Family::Savoury) => format!("a {medium} of {name}, a type of food."),
            _ => format!("a {medium} of a {name}."),
        },
        _ => format!("a {medium} of a {name}."),
    }
}

/// Where the object is: the ground's name where it has one, else its colour.
fn behind(scene: &Scene) -> String {
    match scene.backdrop {
        Backdrop::Sky => "in the sky".into(),
        Backdrop::Meadow | Backdrop::Grass => "on grass".into(),
        Backdrop::Street => "in the street".into(),
        Backdrop::Planks => "on wooden boards".into(),
        Backdrop::Room => format!("in a {} room", scene.ground.word()),
        other => match other.word() {
            Some(pattern) => format!("on a {} {pattern} background", scene.ground.word()),
            None => format!("on a {} background", scene.ground.word()),
        },
    }
}

fn pattern_caption(colour: Colour, texture: Texture, stream: &mut Stream) -> String {
    let (colour, texture) = (colour.word(), texture.word());
    match stream.below(8) {
        0 => format!("{texture} texture."),
        1 => format!("a photo of a {colour} {texture} texture."),
        2 => format!("a {colour} {texture} pattern."),
        3 => format!("a close-up photo of a {texture} pattern in {colour}."),
        _ => format!("{colour} {texture} texture."),
    }
}

fn action_caption(scene: &Scene, stream: &mut Stream) -> String {
    let doing = scene.subject.name();
    match stream.below(8) {
        0 => format!("a person {doing}."),
        1 => format!("a {} of a person {doing}.", medium(scene)),
        2 if scene.finish != Finish::Sketch => format!("a person in a {} shirt {doing}.", scene.shirt.word()),
        3 if scene.finish != Finish::Sketch => format!("a person {doing} {}.", behind(scene)),
        _ => format!("a photo of a person doing {doing}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pocket::packs::PACKS;
    use crate::pocket::subject::held_out;
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
