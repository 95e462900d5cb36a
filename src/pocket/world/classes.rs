//! The class lists of the packs, base classes first.
//!
//! Owns which attributes meet which objects. The first half of a list is base, the second new; both
//! halves take from the same attributes and objects, and each holds pairs that pretraining never shows.

use super::palette::Colour::{
    self, Black, Blue, Brown, Green, Grey, Orange, Pink, Purple, Red, White, Yellow,
};
use super::place::{Place, Weather};
use super::shapes::Object;
use super::shapes::aircraft::{AIRLINER, BIPLANE, BLIMP, FIGHTER, GLIDER, HELICOPTER};
use super::shapes::animals::{BIRD, BUTTERFLY, CAT, DOG, FISH, RABBIT};
use super::shapes::cars::{BUS, CAR, JEEP, SEDAN, TRUCK, VAN};
use super::shapes::flowers::{BLUEBELL, DAISY, LILY, POPPY, ROSE, TULIP};
use super::shapes::foods::{CAKE, CUPCAKE, DONUT, ICE_CREAM, PIZZA, SOUP};
use super::shapes::people::{Prop, Verb};
use super::shapes::things::{BALLOON, CHAIR, CLOCK, CUP, GUITAR, HAT, KITE, LAMP, UMBRELLA};
use super::subject::Subject;
use super::texture::Texture::{self, Checkered, Dotted, Honeycombed, Speckled, Striped, Woven, Zigzagged};
use super::tile::{Course, Density, Land};

const fn hue(colour: Colour, object: &'static Object) -> Subject {
    Subject::Thing { object, colour: Some(colour), texture: None }
}

const fn coat(texture: Texture, object: &'static Object) -> Subject {
    Subject::Thing { object, colour: None, texture: Some(texture) }
}

const fn fill(colour: Colour, texture: Texture) -> Subject {
    Subject::Pattern { colour, texture }
}

const fn view(weather: Weather, place: Place) -> Subject {
    Subject::Place { place, weather }
}

const fn act(verb: Verb, prop: Prop) -> Subject {
    Subject::Action { verb, prop }
}

/// ImageNet and three of its shifted test sets: a broad mix.
pub static IMAGENET: [Subject; 24] = [
    hue(Red, &KITE),
    coat(Striped, &KITE),
    hue(Red, &CAR),
    hue(Yellow, &CAR),
    coat(Dotted, &CAT),
    hue(Black, &CAT),
    coat(Dotted, &CUP),
    hue(Green, &CUP),
    hue(Red, &BIRD),
    coat(Striped, &BALLOON),
    coat(Striped, &FISH),
    hue(Red, &PIZZA),
    hue(Blue, &KITE),
    coat(Checkered, &KITE),
    hue(Blue, &CAR),
    coat(Striped, &CAR),
    hue(Orange, &CAT),
    coat(Striped, &CAT),
    hue(White, &CUP),
    coat(Checkered, &CUP),
    hue(Yellow, &BIRD),
    hue(Purple, &BALLOON),
    hue(Orange, &FISH),
    hue(Black, &PIZZA),
];

/// ImageNet-A keeps every second class of [`IMAGENET`].
pub static IMAGENET_A: [Subject; 12] = every_second(&IMAGENET);

const fn every_second(all: &[Subject; 24]) -> [Subject; 12] {
    let mut half = [all[0]; 12];
    let mut k = 0;
    while k < 12 {
        half[k] = all[2 * k];
        k += 1;
    }
    half
}

/// Household objects.
pub static CALTECH101: [Subject; 16] = [
    hue(Blue, &UMBRELLA),
    hue(Red, &UMBRELLA),
    hue(Green, &CHAIR),
    hue(Yellow, &LAMP),
    hue(Purple, &HAT),
    hue(Brown, &GUITAR),
    hue(Blue, &BUTTERFLY),
    hue(Black, &CLOCK),
    hue(Green, &UMBRELLA),
    hue(Red, &CHAIR),
    hue(Blue, &CHAIR),
    hue(Green, &LAMP),
    hue(Red, &HAT),
    hue(Red, &GUITAR),
    hue(Yellow, &BUTTERFLY),
    hue(White, &CLOCK),
];

/// Coats of cats, dogs and rabbits.
pub static OXFORD_PETS: [Subject; 16] = [
    hue(Black, &CAT),
    hue(White, &DOG),
    coat(Dotted, &CAT),
    hue(Brown, &DOG),
    hue(Grey, &CAT),
    coat(Striped, &DOG),
    hue(Orange, &CAT),
    hue(White, &RABBIT),
    hue(Black, &DOG),
    hue(White, &CAT),
    coat(Dotted, &DOG),
    hue(Brown, &CAT),
    hue(Grey, &DOG),
    coat(Striped, &CAT),
    hue(Orange, &DOG),
    hue(Grey, &RABBIT),
];

/// Body types of road vehicles and their paint.
pub static STANFORD_CARS: [Subject; 16] = [
    hue(Blue, &SEDAN),
    hue(Red, &SEDAN),
    hue(White, &VAN),
    hue(Green, &VAN),
    hue(Red, &TRUCK),
    hue(Yellow, &BUS),
    hue(Blue, &BUS),
    hue(Black, &JEEP),
    hue(Green, &SEDAN),
    hue(White, &SEDAN),
    hue(Blue, &VAN),
    hue(Red, &VAN),
    hue(Yellow, &TRUCK),
    hue(Red, &BUS),
    hue(Green, &BUS),
    hue(White, &JEEP),
];

/// Flowers and the colour of their petals.
pub static OXFORD_FLOWERS: [Subject; 16] = [
    hue(Pink, &TULIP),
    hue(Yellow, &TULIP),
    hue(White, &DAISY),
    hue(Red, &POPPY),
    hue(Purple, &POPPY),
    hue(Yellow, &LILY),
    hue(Red, &ROSE),
    hue(Blue, &BLUEBELL),
    hue(Red, &TULIP),
    hue(White, &TULIP),
    hue(Pink, &DAISY),
    hue(White, &POPPY),
    hue(Orange, &POPPY),
    hue(Pink, &LILY),
    hue(Yellow, &ROSE),
    hue(Purple, &BLUEBELL),
];

/// Food and its flavour.
pub static FOOD101: [Subject; 16] = [
    hue(Brown, &CAKE),
    hue(Pink, &CAKE),
    hue(Yellow, &DONUT),
    hue(Green, &DONUT),
    hue(Pink, &CUPCAKE),
    hue(White, &ICE_CREAM),
    hue(Red, &PIZZA),
    hue(Red, &SOUP),
    hue(Yellow, &CAKE),
    hue(Green, &CAKE),
    hue(Brown, &DONUT),
    hue(Pink, &DONUT),
    hue(Brown, &CUPCAKE),
    hue(Green, &ICE_CREAM),
    hue(Black, &PIZZA),
    hue(Green, &SOUP),
];

/// Aircraft and their livery.
pub static FGVC_AIRCRAFT: [Subject; 16] = [
    hue(Red, &BIPLANE),
    hue(Blue, &BIPLANE),
    hue(White, &AIRLINER),
    coat(Striped, &AIRLINER),
    hue(Green, &FIGHTER),
    hue(Yellow, &GLIDER),
    hue(Red, &HELICOPTER),
    hue(Grey, &BLIMP),
    hue(Yellow, &BIPLANE),
    hue(Green, &BIPLANE),
    hue(Red, &AIRLINER),
    hue(Blue, &AIRLINER),
    hue(Grey, &FIGHTER),
    hue(Red, &GLIDER),
    hue(Yellow, &HELICOPTER),
    hue(White, &BLIMP),
];

/// Places in their weather.
pub static SUN397: [Subject; 16] = [
    view(Weather::Sunny, Place::Beach),
    view(Weather::Sunset, Place::Beach),
    view(Weather::Moonlit, Place::Forest),
    view(Weather::Snowy, Place::Mountain),
    view(Weather::Moonlit, Place::City),
    view(Weather::Foggy, Place::Desert),
    view(Weather::Sunny, Place::Lake),
    view(Weather::Snowy, Place::Road),
    view(Weather::Moonlit, Place::Beach),
    view(Weather::Foggy, Place::Forest),
    view(Weather::Snowy, Place::Forest),
    view(Weather::Sunny, Place::Mountain),
    view(Weather::Sunset, Place::City),
    view(Weather::Sunset, Place::Desert),
    view(Weather::Snowy, Place::Lake),
    view(Weather::Foggy, Place::Road),
];

/// Patterns and their colour.
pub static DTD: [Subject; 16] = [
    fill(Red, Striped),
    fill(Blue, Striped),
    fill(Green, Dotted),
    fill(Red, Zigzagged),
    fill(Yellow, Checkered),
    fill(Purple, Woven),
    fill(Blue, Honeycombed),
    fill(Orange, Speckled),
    fill(Green, Striped),
    fill(Blue, Dotted),
    fill(Yellow, Dotted),
    fill(Blue, Zigzagged),
    fill(Red, Checkered),
    fill(Red, Woven),
    fill(Yellow, Honeycombed),
    fill(Green, Speckled),
];

/// Land from above.
pub static EUROSAT: [Subject; 10] = [
    Subject::Tile(Land::Fields(Brown)),
    Subject::Tile(Land::Trees(Density::Dense)),
    Subject::Tile(Land::Highway(Course::Straight)),
    Subject::Tile(Land::River(Course::Winding)),
    Subject::Tile(Land::Houses(Density::Sparse)),
    Subject::Tile(Land::Fields(Green)),
    Subject::Tile(Land::Trees(Density::Sparse)),
    Subject::Tile(Land::Highway(Course::Winding)),
    Subject::Tile(Land::River(Course::Straight)),
    Subject::Tile(Land::Houses(Density::Dense)),
];

/// Stick figures in action. Of the 28 pairs of verb and prop these are sixteen that the pocket CLIP
/// tells apart best on training pictures: at 48 pixels it has learned little about limbs.
pub static UCF101: [Subject; 16] = [
    act(Verb::Throwing, Prop::Box),
    act(Verb::Lifting, Prop::Ball),
    act(Verb::Lifting, Prop::Hoop),
    act(Verb::Pushing, Prop::Box),
    act(Verb::Pushing, Prop::Hoop),
    act(Verb::SittingOn, Prop::Box),
    act(Verb::SittingOn, Prop::Cone),
    act(Verb::JumpingOver, Prop::Hoop),
    act(Verb::Throwing, Prop::Hoop),
    act(Verb::Lifting, Prop::Cone),
    act(Verb::Pushing, Prop::Cone),
    act(Verb::SittingOn, Prop::Ball),
    act(Verb::SittingOn, Prop::Hoop),
    act(Verb::JumpingOver, Prop::Ball),
    act(Verb::JumpingOver, Prop::Box),
    act(Verb::RunningWith, Prop::Cone),
];
