//! Hyper-parameters from defaults, suite, profile, protocol and command line, in that order.

use std::collections::BTreeMap;

use toml::Value;

use super::globals::{GLOBAL_KEYS, Globals};
use super::names::{method_key, near_key};
use crate::method::{self, Entry, Method, PromptStyle, SettingsTable};
use crate::protocol;
use crate::suite::error::SuiteError;
use crate::train::{Recipe, Sampling};

/// Largest whole number a method's setting may be: beyond any use, and no product of three of them with a model's
/// sizes overflows.
const MOST: i64 = 1 << 16;

/// All settings after overrides.
#[derive(Clone, Debug)]
pub struct Settings {
    tables: BTreeMap<&'static str, toml::Table>,
    /// Settings that belong to no method.
    pub globals: Globals,
}

/// A method ready to run.
pub struct Resolved {
    /// Method id.
    pub id: &'static str,
    /// The method.
    pub method: Box<dyn Method>,
    /// How it words prompts.
    pub style: PromptStyle,
    /// How it trains; absent for a method that trains nothing.
    pub recipe: Option<Recipe>,
    /// Which images it draws, and how its views are cut.
    pub sampling: Sampling,
    /// Dotted keys and values, for the record.
    pub config: BTreeMap<String, String>,
    /// Protocol switches in force, for the record.
    pub switches: BTreeMap<String, String>,
    /// Settings in which this variant departs from the suite's own; empty for the suite's own.
    pub variant: BTreeMap<String, String>,
}

impl Settings {
    /// Applies `changes` (dotted key, value) to the defaults, in order.
    ///
    /// # Errors
    /// [`SuiteError::Override`] for a key that names nothing or a value of another type.
    pub fn new<'a>(changes: impl IntoIterator<Item = (&'a str, Value)>) -> Result<Self, SuiteError> {
        let mut tables = BTreeMap::new();
        for entry in method::REGISTRY {
            tables.insert(entry.id, entry.default_table()?);
        }
        let mut settings = Self { tables, globals: Globals::default() };
        for (key, value) in changes {
            settings.apply(key, &value)?;
        }
        Ok(settings)
    }

    /// A copy with one more change.
    ///
    /// # Errors
    /// As [`Settings::new`].
    pub fn with(&self, key: &str, value: &Value) -> Result<Self, SuiteError> {
        let mut settings = self.clone();
        settings.apply(key, value)?;
        Ok(settings)
    }

    /// Parses `key=value` as typed on the command line; the value is TOML, or a bare word.
    ///
    /// # Errors
    /// [`SuiteError::Override`] without a `=`.
    pub fn parse_assignment(text: &str) -> Result<(String, Value), SuiteError> {
        let (key, value) = text.split_once('=').ok_or_else(|| SuiteError::Override {
            key: text.to_owned(),
            value: String::new(),
            reason: "expected key=value, for example rpo.k=4".to_owned(),
        })?;
        Ok((key.trim().to_owned(), parse_value(value.trim())))
    }

    fn apply(&mut self, key: &str, value: &Value) -> Result<(), SuiteError> {
        let fail =
            |reason: String| SuiteError::Override { key: key.to_owned(), value: value.to_string(), reason };
        match (key, value) {
            ("protocol", Value::String(word)) if word == "published" => {
                for switch in protocol::switches() {
                    self.apply(&switch.key, &parse_value(switch.published))?;
                }
            }
            ("protocol", Value::String(word)) if word == "default" => {}
            ("protocol", _) => return Err(fail("expected published or default".to_owned())),
            ("raw_class_names", _) => {
                for entry in method::REGISTRY {
                    self.apply(&format!("{}.raw_class_names", entry.id), value)?;
                }
            }
            _ if GLOBAL_KEYS.contains(&key) => self.globals.apply(key, value).map_err(fail)?,
            _ => self.apply_to_method(key, value)?,
        }
        Ok(())
    }

    fn apply_to_method(&mut self, key: &str, value: &Value) -> Result<(), SuiteError> {
        let fail =
            |reason: String| SuiteError::Override { key: key.to_owned(), value: value.to_string(), reason };
        let (name, field) = method_key(key).unwrap_or(("", key));
        let keys = || -> Vec<String> {
            let of = |(id, table): (&&str, &toml::Table)| {
                table.keys().map(|field| format!("{id}.{field}")).collect::<Vec<_>>()
            };
            let own = self.tables.iter().flat_map(of);
            own.chain(["protocol", "raw_class_names"].map(str::to_owned))
                .chain(GLOBAL_KEYS.map(str::to_owned))
                .collect()
        };
        let known = self.tables.get(name).and_then(|table| table.get(field));
        let Some(old) = known else {
            let known = keys();
            let near = near_key(key, &known);
            return Err(fail(format!("unknown key; did you mean {near}? `list settings {name}` shows all")));
        };
        let value = match (old, value) {
            (Value::Float(_), Value::Integer(n)) => Value::Float(*n as f64),
            (Value::Integer(_), Value::Integer(n)) if !(0..=MOST).contains(n) => {
                return Err(fail(format!("expected a whole number from 0 to {MOST}")));
            }
            (old, value) if old.same_type(value) => value.clone(),
            (old, _) => return Err(fail(format!("expected {}, such as {old}", kind(old)))),
        };
        if let Some(table) = self.tables.get_mut(name) {
            table.insert(field.to_owned(), value);
        }
        Ok(())
    }

    /// A method as these settings make it.
    ///
    /// # Errors
    /// [`SuiteError::Method`] or [`SuiteError::Train`] naming key and value.
    pub fn resolve(&self, entry: &'static Entry) -> Result<Resolved, SuiteError> {
        let table = self.tables.get(entry.id).cloned().unwrap_or_default();
        let config = table.iter().map(|(key, value)| (format!("{}.{key}", entry.id), plain(value))).collect();
        let parts = SettingsTable::split(table.clone());
        let refused = |error: toml::de::Error| {
            SuiteError::Method(crate::method::MethodError::Setting {
                method: entry.id.to_owned(),
                reason: error.message().to_owned(),
            })
        };
        let style: PromptStyle = Value::Table(parts.prompt).try_into().map_err(refused)?;
        if let Some(reason) = style.fault() {
            return Err(crate::method::MethodError::Setting { method: entry.id.to_owned(), reason }.into());
        }
        let recipe = match parts.recipe.is_empty() {
            true => None,
            false => {
                let recipe: Recipe = Value::Table(parts.recipe).try_into().map_err(refused)?;
                Some(recipe.check(entry.id)?)
            }
        };
        let sampling: Sampling = Value::Table(parts.sampling).try_into().map_err(refused)?;
        let sampling = sampling.check(entry.id)?;
        let (method, variant) = ((entry.build)(parts.own)?, BTreeMap::new());
        let switches = self.switches(&table, entry.id, method.draws());
        Ok(Resolved { id: entry.id, method, style, recipe, sampling, config, switches, variant })
    }

    fn switches(&self, table: &toml::Table, id: &str, draws: bool) -> BTreeMap<String, String> {
        let mut switches = BTreeMap::new();
        let entry = method::look_up(id);
        for switch in entry.map_or(&[] as &[_], |entry| entry.switches) {
            if let Some(value) = table.get(switch.key) {
                switches.insert(format!("{id}.{}", switch.key), plain(value));
            }
        }
        switches.extend(self.globals.switches(draws));
        switches
    }
}

fn parse_value(text: &str) -> Value {
    let parsed = format!("x = {text}").parse::<toml::Table>().ok();
    parsed.and_then(|mut table| table.remove("x")).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        _ => "a word",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Settings, SuiteError> {
        let (key, value) = Settings::parse_assignment(text)?;
        Settings::new([(key.as_str(), value)])
    }

    fn config(settings: &Settings, id: &str, key: &str) -> String {
        settings.resolve(method::find(id).unwrap()).unwrap().config[key].clone()
    }

    #[test]
    fn overrides_reach_their_method() {
        assert_eq!(config(&with("rpo.k=4").unwrap(), "rpo", "rpo.k"), "4");
        assert_eq!(config(&with("lp.epochs=30").unwrap(), "linear_probe", "linear_probe.epochs"), "30");
        let gaussian = with("rpo.st_noise=gaussian").unwrap();
        assert_eq!(config(&gaussian, "rpo", "rpo.st_noise"), "gaussian");
    }

    #[test]
    fn published_takes_the_whole_column() {
        let settings = with("protocol=published").unwrap();
        assert_eq!(config(&settings, "rpo", "rpo.raw_class_names"), "true");
        assert_eq!(config(&settings, "linear_probe", "linear_probe.template"), "A photo of a {}");
        assert_eq!(config(&settings, "coop", "coop.raw_class_names"), "false");
        assert!(settings.globals.views_per_method);
    }

    #[test]
    fn faults_name_key_value_and_neighbour() {
        let error = with("rpo.kk=4").err().unwrap().to_string();
        assert!(error.contains("rpo.kk") && error.contains("rpo.k?"), "{error}");
        for (typed, near) in [
            ("rpo.lr=1", "rpo.learning_rate?"),
            ("lp.batch=4", "linear_probe.batch_size?"),
            ("coop.epoch=3", "coop.epochs?"),
        ] {
            let error = with(typed).err().unwrap().to_string();
            assert!(error.contains(near), "{typed}: {error}");
        }
        let error = with("rpo.k=many").err().unwrap().to_string();
        assert!(error.contains("many") && error.contains("whole number"), "{error}");
        let settings = with("rpo.epochs=0").unwrap();
        let error = settings.resolve(method::find("rpo").unwrap()).err().unwrap().to_string();
        assert!(error.contains("epochs is 0") && error.contains("at least 1"), "{error}");
        for text in ["rpo.k=9223372036854775807", "rpo.k=65537", "lp.batch_size=-1"] {
            let error = with(text).err().unwrap().to_string();
            assert!(error.contains("from 0 to 65536"), "{error}");
        }
        for text in ["rpo.template=\"a photo\"", "coop.template=\"{} and {}\""] {
            let error = with(text).unwrap().resolve(method::find(&text[..text.find('.').unwrap()]).unwrap());
            let error = error.err().unwrap().to_string();
            assert!(error.contains("template") && error.contains("exactly once"), "{error}");
        }
        let error = with("data.broken_images=ignore").err().unwrap().to_string();
        assert!(error.contains("fail or skip"), "{error}");
    }
}
