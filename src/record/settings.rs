//! Settings by dotted name, held once for all records that have the same: a run of a hundred thousand cells has a few
//! hundred of these maps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Values of settings by dotted name (`"rpo.k"` → `"24"`). A clone shares the map; changing one leaves the others.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingValues(Arc<BTreeMap<String, String>>);

impl fmt::Debug for SettingValues {
    /// As the map.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for SettingValues {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for SettingValues {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl From<BTreeMap<String, String>> for SettingValues {
    fn from(values: BTreeMap<String, String>) -> Self {
        Self(Arc::new(values))
    }
}

impl FromIterator<(String, String)> for SettingValues {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Self {
        values.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

impl IntoIterator for SettingValues {
    type Item = (String, String);
    type IntoIter = std::collections::btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'s> IntoIterator for &'s SettingValues {
    type Item = (&'s String, &'s String);
    type IntoIter = std::collections::btree_map::Iter<'s, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for SettingValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SettingValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

/// The maps seen so far.
#[derive(Debug, Default)]
pub struct SeenSettings(BTreeSet<SettingValues>);

impl SeenSettings {
    /// Lets `values` share the map of an equal one that was seen before.
    pub fn share(&mut self, values: &mut SettingValues) {
        match self.0.get(values) {
            Some(seen) => *values = seen.clone(),
            None => {
                self.0.insert(values.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(k: &str) -> SettingValues {
        [("rpo.k".to_owned(), k.to_owned())].into_iter().collect()
    }

    #[test]
    fn equal_maps_are_one_and_a_change_stays_with_the_changed() {
        let (mut seen, [mut a, mut b, mut c]) =
            (SeenSettings::default(), [values("4"), values("4"), values("8")]);
        [&mut a, &mut b, &mut c].into_iter().for_each(|values| seen.share(values));
        assert!(Arc::ptr_eq(&a.0, &b.0) && !Arc::ptr_eq(&a.0, &c.0));
        b.insert("rpo.k".to_owned(), "5".to_owned());
        assert_eq!((a["rpo.k"].as_str(), b["rpo.k"].as_str()), ("4", "5"));
    }

    #[test]
    fn it_is_written_as_the_map_it_is() {
        let text = serde_json::to_string(&values("4")).unwrap();
        assert_eq!(text, r#"{"rpo.k":"4"}"#);
        assert_eq!(serde_json::from_str::<SettingValues>(&text).unwrap(), values("4"));
    }
}
