//! Which variants of a method take their training steps together.

use crate::backbone::Clip;
use crate::suite::spec::overrides::Resolved;

/// How many trainings like these two, of one draw, can share a step where `classes` are trained: 0 where the two cannot.
pub fn alike(clip: &Clip, classes: usize, one: &Resolved, other: &Resolved) -> usize {
    let Some(recipe) = one.recipe.as_ref().filter(|recipe| other.recipe.as_ref() == Some(*recipe)) else {
        return 0;
    };
    let lockstep = one.method.lockstep(clip, classes, recipe.batch_size);
    let decides = |(key, _): &(&String, &String)| {
        let free = |setting: &&str| key.strip_prefix(one.id) == Some(&format!(".{setting}"));
        !lockstep.settings.iter().any(free)
    };
    let same =
        one.id == other.id && one.config.iter().filter(decides).eq(other.config.iter().filter(decides));
    if same { lockstep.at_most } else { 0 }
}
