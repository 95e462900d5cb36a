//! `engine.seeds`: which seeds of a method go through the same products, in training and in evaluation.
//!
//! How many they are decides last bits, so the list is part of a cell's key and of its record, whoever of it is
//! still to be run.

use toml::Value;

use crate::suite::error::SuiteError;

/// The setting's name.
pub(in crate::suite) const SEEDS: &str = "engine.seeds";

/// The seeds that share products.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seeds {
    /// None do.
    #[default]
    Apart,
    /// All of the suite's, which are not known yet.
    Together,
    /// These, each in its place.
    Listed(Vec<u64>),
}

impl Seeds {
    /// `apart`, `together`, or seeds such as `1,2,3`.
    pub(in crate::suite) fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::String(word) if word == "apart" => Some(Self::Apart),
            Value::String(word) if word == "together" => Some(Self::Together),
            Value::String(list) => {
                let seeds: Vec<u64> =
                    list.split(',').map(|seed| seed.trim().parse().ok()).collect::<Option<_>>()?;
                let distinct = seeds.iter().enumerate().all(|(index, seed)| !seeds[..index].contains(seed));
                distinct.then_some(Self::Listed(seeds))
            }
            Value::Integer(seed) => Some(Self::Listed(vec![u64::try_from(*seed).ok()?])),
            _ => None,
        }
    }

    /// The same with the suite's seeds in place of `together`.
    ///
    /// # Errors
    /// [`SuiteError::Override`] for a list that lacks one of the suite's seeds.
    pub(in crate::suite) fn settle(self, suite: &[u64]) -> Result<Self, SuiteError> {
        match self {
            Self::Together => Ok(Self::Listed(suite.to_vec())),
            Self::Listed(list) => match suite.iter().find(|seed| !list.contains(seed)) {
                Some(seed) => Err(SuiteError::Override {
                    key: SEEDS.to_owned(),
                    value: Self::Listed(list).to_string(),
                    reason: format!("seed {seed} of the suite is not in it; use together"),
                }),
                None => Ok(Self::Listed(list)),
            },
            Self::Apart => Ok(Self::Apart),
        }
    }

    /// Places that products have room for.
    pub(in crate::suite) fn slots(&self) -> usize {
        if let Self::Listed(list) = self { list.len() } else { 1 }
    }

    /// A seed's place among them.
    pub(in crate::suite) fn slot(&self, seed: Option<u64>) -> usize {
        let Self::Listed(list) = self else { return 0 };
        list.iter().position(|listed| Some(*listed) == seed).unwrap_or(0)
    }
}

impl std::fmt::Display for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Apart => f.write_str("apart"),
            Self::Together => f.write_str("together"),
            Self::Listed(list) => f.write_str(&list.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Seeds> {
        Seeds::parse(&Value::String(text.to_owned()))
    }

    #[test]
    fn a_list_is_read_back_from_its_own_words() {
        for text in ["apart", "together", "1,2,3", "7"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse(" 3, 1").unwrap(), Seeds::Listed(vec![3, 1]));
        assert_eq!(Seeds::parse(&Value::Integer(4)), Some(Seeds::Listed(vec![4])));
        for text in ["", "both", "1,,2", "1,1", "-1"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_seed_of_a_suite_has_a_place() {
        let listed = parse("together").unwrap().settle(&[2, 5]).unwrap();
        assert_eq!((listed.slots(), listed.slot(Some(2)), listed.slot(Some(5))), (2, 0, 1));
        assert_eq!(parse("1,2,3").unwrap().settle(&[2]).unwrap().slot(Some(2)), 1);
        let error = parse("1,2").unwrap().settle(&[3]).unwrap_err().to_string();
        assert!(error.contains("seed 3") && error.contains("1,2"), "{error}");
    }
}
