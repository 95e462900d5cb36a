//! What is said of a pretraining picture.
//!
//! Owns the wording, the prompt templates of the benchmark's datasets included. A caption mentions only
//! part of what is shown, and always writes "a", as those templates do ("a photo of a orange cat").

use super::backdrop::Backdrop;
use super::palette::Colour;
use super::scene::Scene;
use super::shapes::ObjectFamily;
use super::style::Finish;
use super::subject::Subject;
use super::texture::Texture;
use crate::util::rng::Stream;

/// A caption for the scene: a sentence of at most 14 words with a full stop.
pub fn caption(scene: &Scene, stream: &mut Stream) -> String {
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
        Finish::Sketch | Finish::Pencil => "sketch",
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
            Some(ObjectFamily::Pet) => format!("a {medium} of a {name}, a type of pet."),
            Some(ObjectFamily::Flower) => format!("a {medium} of a {name}, a type of flower."),
            Some(ObjectFamily::Aircraft) => format!("a {medium} of a {name}, a type of aircraft."),
            Some(ObjectFamily::Sweet | ObjectFamily::Savoury) => {
                format!("a {medium} of {name}, a type of food.")
            }
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
    use crate::pocket::world::shapes::animals;
    use crate::pocket::world::style::Style;

    fn captions(subject: Subject, style: &Style) -> Vec<String> {
        let one = |k: u32| {
            let mut stream = Stream::new(&["caption", &k.to_string()]);
            let scene = Scene::compose(subject, style, &mut stream);
            caption(&scene, &mut stream)
        };
        (0..200).map(one).collect()
    }

    #[test]
    fn captions_use_the_template_and_vary_in_what_they_mention() {
        let cat = Subject::Thing {
            object: &animals::CAT,
            colour: Some(Colour::Orange),
            texture: Some(Texture::Striped),
        };
        let all = captions(cat, &Style::BASE);
        for wanted in ["a photo of a orange striped cat, a type of pet.", "a photo of a orange striped cat."]
        {
            assert!(all.iter().any(|caption| caption == wanted), "{wanted}");
        }
        assert!(all.iter().all(|caption| caption.contains("cat")));
        assert!(all.iter().any(|caption| !caption.contains("orange")));
    }

    #[test]
    fn a_grey_sketch_is_not_said_to_have_a_colour() {
        let cat = Subject::Thing { object: &animals::CAT, colour: Some(Colour::Orange), texture: None };
        let sketch = Style { finishes: &[Finish::Sketch], ..Style::BASE };
        assert!(captions(cat, &sketch).iter().all(|caption| !caption.contains("orange")));
    }
}
