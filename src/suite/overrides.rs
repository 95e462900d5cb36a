//! Hyper-parameters from defaults, suite, profile, protocol and command line, in that order.

use std::collections::BTreeMap;

use toml::Value;

use super::error::SuiteError;
use super::readable::BrokenImages;
use crate::backbone::DEFAULT_MAX_ROWS;
use crate::method::{self, Entry, Method, PromptStyle, SettingsTable};
use crate::protocol::SWITCHES;
use crate::train::{Recipe, Views};

/// Short method names accepted in keys.
const ALIASES: [(&str, &str); 2] = [("lp", "linear_probe"), ("zs", "zero_shot")];

/// Settings that belong to no method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globals {
    /// Number of views.
    pub views: Views,
    /// Whether every method draws its own views, as the published processes do.
    pub views_per_method: bool,
    /// What happens to images that cannot be read.
    pub broken_images: BrokenImages,
    /// Prompt or context rows computed at one time.
    pub max_rows: usize,
    /// Whether trained parameters and momentum are held in `--dtype` too.
    pub rounded_parameters: bool,
}

const MAX_ROWS: &str = "engine.max_rows";
const PARAMETERS: &str = "engine.parameters";
/// Keys of settings that belong to no method: records hold them among the switches.
pub const GLOBAL_KEYS: [&str; 5] = ["views", "views_bank", "data.broken_images", MAX_ROWS, PARAMETERS];

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
        let globals = Globals {
            views: Views::Fresh,
            views_per_method: false,
            broken_images: BrokenImages::Fail,
            max_rows: DEFAULT_MAX_ROWS,
            rounded_parameters: false,
        };
        let mut settings = Self { tables, globals };
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
            ("views_bank", Value::Integer(0)) => self.globals.views = Views::Fresh,
            ("views_bank", Value::Integer(n)) if *n > 0 => self.globals.views = Views::Bank(*n as usize),
            ("views_bank", _) => return Err(fail("expected a whole number; 0 draws fresh views".to_owned())),
            ("views", Value::String(word)) if word == "shared" => self.globals.views_per_method = false,
            ("views", Value::String(word)) if word == "per_method" => self.globals.views_per_method = true,
            ("views", _) => return Err(fail("expected shared or per_method".to_owned())),
            ("data.broken_images", Value::String(word)) if word == "fail" => {
                self.globals.broken_images = BrokenImages::Fail;
            }
            ("data.broken_images", Value::String(word)) if word == "skip" => {
                self.globals.broken_images = BrokenImages::Skip;
            }
            ("data.broken_images", _) => return Err(fail("expected fail or skip".to_owned())),
            (MAX_ROWS, Value::Integer(n)) if *n > 0 => self.globals.max_rows = *n as usize,
            (MAX_ROWS, _) => return Err(fail(format!("expected rows, such as {DEFAULT_MAX_ROWS}"))),
            (PARAMETERS, Value::String(word)) if word == "f32" => self.globals.rounded_parameters = false,
            (PARAMETERS, Value::String(word)) if word == "dtype" => self.globals.rounded_parameters = true,
            (PARAMETERS, _) => return Err(fail("expected f32 or dtype".to_owned())),
            ("protocol", Value::String(word)) if word == "published" => {
                for switch in SWITCHES {
                    self.apply(switch.key, &parse_value(switch.published))?;
                }
            }
            ("protocol", Value::String(word)) if word == "default" => {}
            ("protocol", _) => return Err(fail("expected published or default".to_owned())),
            ("raw_class_names", _) => {
                for entry in method::REGISTRY {
                    self.apply(&format!("{}.raw_class_names", entry.id), value)?;
                }
            }
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
            return Err(fail(format!("unknown key; did you mean {}?", nearest(key, &keys()))));
        };
        let value = match (old, value) {
            (Value::Float(_), Value::Integer(n)) => Value::Float(*n as f64),
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
        let switches = self.switches(&table, entry.id);
        let parts = SettingsTable::split(table);
        let refused = |error: toml::de::Error| {
            SuiteError::Method(crate::method::MethodError::Setting {
                method: entry.id.to_owned(),
                reason: error.message().to_owned(),
            })
        };
        let style = Value::Table(parts.prompt).try_into().map_err(refused)?;
        let recipe = match parts.recipe.is_empty() {
            true => None,
            false => {
                let recipe: Recipe = Value::Table(parts.recipe).try_into().map_err(refused)?;
                Some(recipe.check(entry.id)?)
            }
        };
        let (method, variant) = ((entry.build)(parts.own)?, BTreeMap::new());
        Ok(Resolved { id: entry.id, method, style, recipe, config, switches, variant })
    }

    fn switches(&self, table: &toml::Table, id: &str) -> BTreeMap<String, String> {
        let mut switches = BTreeMap::new();
        for switch in SWITCHES {
            let field = switch.key.strip_prefix(id).and_then(|rest| rest.strip_prefix('.'));
            if let Some((field, value)) = field.and_then(|field| Some((field, table.get(field)?))) {
                switches.insert(format!("{id}.{field}"), plain(value));
            }
        }
        if table.contains_key("epochs") {
            let views = if self.globals.views_per_method { "per_method" } else { "shared" };
            switches.insert("views".to_owned(), views.to_owned());
            let bank = match self.globals.views {
                Views::Fresh => 0,
                Views::Bank(n) => n,
            };
            switches.insert("views_bank".to_owned(), bank.to_string());
        }
        if self.globals.broken_images == BrokenImages::Skip {
            // Not a switch of the protocol, but a record made with it must never pass for one without.
            switches.insert("data.broken_images".to_owned(), "skip".to_owned());
        }
        if self.globals.rounded_parameters && table.contains_key("epochs") {
            switches.insert(PARAMETERS.to_owned(), "dtype".to_owned());
        }
        if self.globals.max_rows != DEFAULT_MAX_ROWS {
            // The cut decides last bits.
            switches.insert(MAX_ROWS.to_owned(), self.globals.max_rows.to_string());
        }
        switches
    }
}

/// Method id and field of a dotted key, short names resolved; `None` for a key without a dot.
pub(super) fn method_key(key: &str) -> Option<(&str, &str)> {
    let (name, field) = key.split_once('.')?;
    Some((ALIASES.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| long), field))
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

/// The closest of `known`.
pub(super) fn nearest(name: &str, known: &[String]) -> String {
    let score = |other: &String| strsim::jaro_winkler(name, other);
    known.iter().max_by(|a, b| score(a).total_cmp(&score(b))).cloned().unwrap_or_default()
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
        let error = with("rpo.k=many").err().unwrap().to_string();
        assert!(error.contains("many") && error.contains("whole number"), "{error}");
        let settings = with("rpo.epochs=2").unwrap();
        let error = settings.resolve(method::find("rpo").unwrap()).err().unwrap().to_string();
        assert!(error.contains("epochs is 2") && error.contains("warm-up"), "{error}");
        let error = with("data.broken_images=ignore").err().unwrap().to_string();
        assert!(error.contains("fail or skip"), "{error}");
    }
}
