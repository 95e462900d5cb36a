//! Where a record was made, against where we are.

use crate::record::Provenance;

/// How two provenances compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Inputs that are not the recorded ones: the cell is another.
    pub inputs: Vec<String>,
    /// Machine and build that are not the recorded ones: last bits may differ.
    pub machine: Vec<String>,
}

impl Environment {
    /// Whether a second run must give the same bytes.
    pub fn expects_bit_equality(&self) -> bool {
        self.inputs.is_empty() && self.machine.is_empty()
    }
}

/// What differs between the recorded provenance and that of a run here. A field the record does not know
/// (older schema versions) is not compared, but an unknown commit or uncommitted changes count as another build.
pub fn differences(recorded: &Provenance, here: &Provenance) -> Environment {
    let list = |pairs: &[(&str, &str, &str)]| -> Vec<String> {
        let differing = pairs.iter().filter(|(_, recorded, here)| !recorded.is_empty() && recorded != here);
        differing.map(|(name, recorded, here)| format!("{name}: recorded {recorded}, here {here}")).collect()
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let numerics = |provenance: &Provenance| provenance.numerics_version.to_string();
    let (recorded_draw, draw) = (text(&recorded.draw_sha256), text(&here.draw_sha256));
    let inputs = list(&[
        ("weights_sha256", &recorded.weights_sha256, &here.weights_sha256),
        ("config_sha256", &recorded.config_sha256, &here.config_sha256),
        ("tokenizer_sha256", &recorded.tokenizer_sha256, &here.tokenizer_sha256),
        ("split_sha256", &recorded.split_sha256, &here.split_sha256),
        ("draw_sha256", &recorded_draw, &draw),
        ("data_kind", &recorded.data_kind, &here.data_kind),
        ("dtype", &recorded.dtype, &here.dtype),
        ("decoder", &recorded.decoder, &here.decoder),
        ("numerics_version", &numerics(recorded), &numerics(here)),
    ]);
    let machine = list(&[
        ("version", &recorded.version, &here.version),
        ("commit", &build(recorded), &build(here)),
        ("lockfile_sha256", &recorded.lockfile_sha256, &here.lockfile_sha256),
        (
            "features",
            &format!("[{}]", recorded.features.join(" ")),
            &format!("[{}]", here.features.join(" ")),
        ),
        ("target", &recorded.target, &here.target),
        ("cpu_model", &recorded.cpu_model, &here.cpu_model),
        ("device", &recorded.device, &here.device),
        ("device_model", &recorded.device_model, &here.device_model),
        ("driver", &text(&recorded.driver), &text(&here.driver)),
    ]);
    Environment { inputs, machine }
}

fn build(provenance: &Provenance) -> String {
    let commit = provenance.commit.as_deref().unwrap_or("unknown");
    match provenance.dirty {
        Some(true) => format!("{commit} with uncommitted changes"),
        _ => commit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_and_machine_are_told_apart() {
        let recorded = Provenance {
            weights_sha256: "a".into(),
            commit: Some("1".into()),
            cpu_model: "x".into(),
            ..Provenance::default()
        };
        assert!(differences(&recorded, &recorded).expects_bit_equality());
        let other = Provenance { cpu_model: "y".into(), dirty: Some(true), ..recorded.clone() };
        let found = differences(&recorded, &other);
        assert_eq!((found.inputs.len(), found.machine.len()), (0, 2), "{found:?}");
        assert!(found.machine[0].contains("1 with uncommitted changes"), "{found:?}");
        let other = Provenance { weights_sha256: "b".into(), ..recorded.clone() };
        assert_eq!(differences(&recorded, &other).inputs, ["weights_sha256: recorded a, here b"]);
        let unknown = Provenance { cpu_model: String::new(), ..recorded.clone() };
        assert!(differences(&unknown, &recorded).expects_bit_equality());
    }
}
