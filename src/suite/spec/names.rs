//! Short and mistyped names of methods and settings, and what they stand for.

use crate::method;
use crate::util::nearest;

/// Short words for the fields of settings.
const SHORT: [(&str, &str); 7] = [
    ("lr", "learning_rate"),
    ("bs", "batch_size"),
    ("batch", "batch_size"),
    ("epoch", "epochs"),
    ("n_ctx", "context_tokens"),
    ("ctx", "context_tokens"),
    ("prompts", "k"),
];

/// Method id and field of a dotted key, short names resolved; `None` for a key without a dot.
pub(in crate::suite) fn method_key(key: &str) -> Option<(&str, &str)> {
    let (name, field) = key.split_once('.')?;
    Some((method_id(name), field))
}

/// A method's id, where a short name was given.
pub fn method_id(name: &str) -> &str {
    method::REGISTRY.iter().find(|entry| entry.aliases.contains(&name)).map_or(name, |entry| entry.id)
}

/// The setting that an unknown key most likely stands for.
pub(in crate::suite) fn near_key(key: &str, known: &[String]) -> String {
    let (id, field) = method_key(key).unwrap_or(("", key));
    let of_method = |field: &str| format!("{id}.{field}");
    let spelt = SHORT.iter().find(|(short, _)| *short == field).map(|(_, long)| of_method(long));
    if let Some(spelt) = spelt.filter(|spelt| known.contains(spelt)) {
        return spelt;
    }
    let prefix = of_method("");
    let own: Vec<&str> = known.iter().filter_map(|name| name.strip_prefix(&prefix)).collect();
    match nearest(field, own) {
        Some(own) if !id.is_empty() => of_method(own),
        _ => nearest(key, known.iter().map(String::as_str)).unwrap_or_default().to_owned(),
    }
}
