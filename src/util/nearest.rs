//! "Did you mean": the names a mistyped one may stand for.

/// Similarity (Jaro–Winkler, 0 to 1) below which a name is no suggestion.
const LIKELY: f64 = 0.75;

/// The closest of `known`; `None` only where nothing is known.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let score = |other: &str| strsim::jaro_winkler(name, other);
    known.into_iter().max_by(|a, b| score(a).total_cmp(&score(b)))
}

/// Up to three of `known` that are close to `name`, the closest first.
pub fn likely<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(score, _)| *score > LIKELY)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word_and_nonsense_finds_none() {
        let known = ["oxford_pets", "oxford_flowers", "dtd"];
        assert_eq!(nearest("oxford_pet", known), Some("oxford_pets"));
        assert_eq!(likely("oxford_pet", known)[0], "oxford_pets");
        assert!(likely("zzz", known).is_empty());
        assert_eq!(nearest("dtd", []), None);
    }
}
