//! Many methods on one page: tables go family by family, pictures show at most eight colours at once.

use std::collections::BTreeSet;

use super::arm::Arm;
use super::plot::drawing::MarkColor;
use crate::method::{BASELINE, Family, look_up};

/// As many arms as one table or picture takes without being divided.
pub const AT_ONCE: usize = 8;

/// Name of the group of methods that are not in the registry.
const OTHERS: &str = "others";

/// Arms that are shown together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmGroup {
    /// Name of the family; empty where all arms are one group.
    pub name: &'static str,
    /// Positions among the arms.
    pub arms: Vec<usize>,
}

/// The family of an arm's method.
pub fn family(arm: &Arm) -> Option<Family> {
    look_up(&arm.method).map(|entry| entry.family)
}

/// The colour of a family, where methods are too many for one each.
pub fn color(family: Option<Family>) -> MarkColor {
    match family {
        Some(Family::TrainingFree) => (90, 90, 90),
        Some(Family::FeatureAdapter) => (0, 114, 178),
        Some(Family::Prompts) => (213, 94, 0),
        Some(Family::Weights) => (0, 158, 115),
        None => (204, 121, 167),
    }
}

/// What colours mean where they are those of families, as a sentence with a space before it; else nothing.
pub fn legend(arms: &[Arm]) -> String {
    let methods: BTreeSet<&str> = arms.iter().map(|arm| arm.method.as_str()).collect();
    if methods.len() <= AT_ONCE {
        return String::new();
    }
    " Colours are families: grey training-free, blue feature adapters, orange prompts, green weights, pink others.".to_owned()
}

/// All arms as one group, or, where they are more than [`AT_ONCE`], family by family.
pub fn groups(arms: &[Arm]) -> Vec<ArmGroup> {
    if arms.len() <= AT_ONCE {
        return vec![ArmGroup { name: "", arms: (0..arms.len()).collect() }];
    }
    let of = |wanted: Option<Family>, name| ArmGroup {
        name,
        arms: (0..arms.len()).filter(|arm| family(&arms[*arm]) == wanted).collect(),
    };
    let known = Family::ALL.map(|family| of(Some(family), family.name()));
    known.into_iter().chain([of(None, OTHERS)]).filter(|group| !group.arms.is_empty()).collect()
}

/// Groups for pictures: [`AT_ONCE`] arms at most, the baseline's among those of each.
pub fn pictures(arms: &[Arm]) -> Vec<ArmGroup> {
    let baseline = |arm: &usize| arms[*arm].method == BASELINE;
    if arms.len() <= AT_ONCE {
        return groups(arms);
    }
    let base: Vec<usize> = (0..arms.len()).filter(baseline).take(1).collect();
    let room = AT_ONCE - base.len();
    let mut pictures = Vec::new();
    for group in groups(arms) {
        let own: Vec<usize> = group.arms.into_iter().filter(|arm| !base.contains(arm)).collect();
        let parts = own.len().div_ceil(room).max(1);
        for part in own.chunks(own.len().div_ceil(parts).max(1)) {
            pictures.push(ArmGroup { name: group.name, arms: base.iter().chain(part).copied().collect() });
        }
    }
    pictures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_arms_are_one_group_and_many_go_by_family() {
        let arms = |ids: &[&str]| ids.iter().map(|id| Arm::new(id, "")).collect::<Vec<_>>();
        assert_eq!(groups(&arms(&["zero_shot", "coop"])), [ArmGroup { name: "", arms: vec![0, 1] }]);
        let all: Vec<&str> = crate::method::ids().chain(["of_others"]).collect();
        let many = arms(&all);
        let by_family = groups(&many);
        assert_eq!(by_family.len(), Family::ALL.len() + 1);
        let mut seen: Vec<usize> = by_family.iter().flat_map(|group| group.arms.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..many.len()).collect::<Vec<_>>(), "every arm once");
        let pictures = pictures(&many);
        assert!(pictures.iter().all(|picture| picture.arms.len() <= AT_ONCE && picture.arms.contains(&0)));
        let mut seen: Vec<usize> = pictures.iter().flat_map(|picture| picture.arms.clone()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), many.len());
    }
}
