//! Methods in sizes that suit a tiny model.

use rpo_bench::method::{Entry, Method, SettingsTable};

/// A method with sizes that suit a tiny model: two prompts, two deep blocks, networks of more than one hidden unit (one
/// may be dead).
pub fn small_method(entry: &Entry) -> Box<dyn Method> {
    let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
    let small = [
        ("k", 2),
        ("reduction", 1),
        ("ctx", 2),
        ("depth", 2),
        ("vision_ctx", 2),
        ("vision_depth", 2),
        ("text_ctx", 2),
        ("text_depth", 2),
        ("layer", 1),
        ("views", 1),
    ];
    for (key, value) in small {
        if let Some(slot) = own.get_mut(key) {
            *slot = toml::Value::Integer(value);
        }
    }
    (entry.build)(own).unwrap()
}
