//! A changed recipe is another cell: every number of every method's file is changed in turn, and the key must change with it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use candle_core::Device;
use rpo_bench::method::{self, REGISTRY};
use rpo_bench::suite::{BenchDataset, Plan, SuiteFile, World};
use toml::Value;

/// The keys of a method's cells on one dataset, under changed settings; `None` where the method refuses them.
fn keys(world: &World, dataset: &BenchDataset, id: &str, changes: &[(String, Value)]) -> Option<Vec<String>> {
    let suite = SuiteFile { methods: vec![id.to_owned()], ..SuiteFile::find("base2new").unwrap() };
    let plan = Plan::new(suite, changes, None).ok()?;
    Some(plan.cells(world, dataset, &[]).ok()?.into_iter().map(|cell| cell.key).collect())
}

/// Other values of a setting that holds a number.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(n) => [n + 1, n * 2, n / 2].map(Value::Integer).to_vec(),
        Value::Float(x) => [x * 1.5, x * 0.5, x + 0.25].map(Value::Float).to_vec(),
        // Epochs by shots, such as "1:50, 2:100".
        Value::String(text) if text.contains(':') => {
            vec![Value::String(format!("{text}1")), Value::String(text.replacen(':', "1:", 1))]
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_number_of_a_method_s_file_is_in_its_key() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    let mut changed = 0;
    for entry in REGISTRY {
        let own = keys(&world, &dataset, entry.id, &[]).unwrap();
        for (field, value) in entry.default_table().unwrap() {
            let others = others(&value);
            if others.is_empty() {
                continue;
            }
            let key = format!("{}.{field}", entry.id);
            let accepted: Vec<Vec<String>> = others
                .into_iter()
                .filter(|other| *other != value)
                .filter_map(|other| keys(&world, &dataset, entry.id, &[(key.clone(), other)]))
                .collect();
            // A length of 0 stands for another one, and only both together can be changed.
            let given_elsewhere = value == Value::Integer(0);
            assert!(!accepted.is_empty() || given_elsewhere, "{key} = {value}: no other value is accepted");
            for other in accepted {
                assert!(!own.is_empty() && other.len() == own.len());
                assert!(other.iter().zip(&own).all(|(a, b)| a != b), "{key}: another value, the same key");
            }
            changed += 1;
        }
    }
    assert!(changed > 5 * REGISTRY.len(), "{changed} numbers");
}

/// The control: the same settings in another order and without comments, or said again, are the same cell.
#[test]
fn comments_and_order_are_in_no_key() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    for entry in REGISTRY {
        let lines = entry.defaults.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let reversed: Vec<&str> = lines.rev().collect();
        let table: toml::Table = reversed.join("\n").parse().unwrap();
        assert_eq!(table, entry.default_table().unwrap(), "{}", entry.id);
        let again: Vec<(String, Value)> =
            table.into_iter().rev().map(|(field, value)| (format!("{}.{field}", entry.id), value)).collect();
        let [own, said_again] =
            [&[], again.as_slice()].map(|changes| keys(&world, &dataset, entry.id, changes));
        assert!(own.is_some() && own == said_again, "{}", entry.id);
    }
    assert!(method::look_up("rpo").is_some_and(|entry| entry.defaults.contains("\n#")), "there are comments");
}
