//! Strings that were checked once: templates, digests, paths below a folder, dataset ids.
//!
//! Serde goes through the checks, so a manifest that parses holds no unchecked string. Joining a
//! [`BelowPath`] to a root cannot leave the root; a class name is never one.

use serde::{Deserialize, Serialize};

/// Declares a checked string: `TryFrom<String>` runs the check, `as_str` gives it back.
macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(reason) => Err(format!("{text:?} {reason}")),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_string!(
    /// A dataset's id: lower-case letters, digits and underscores, 1 to 64 of them.
    DatasetId,
    check_id
);
checked_string!(
    /// A prompt template with exactly one `{}`, where the class name goes.
    Template,
    check_template
);
checked_string!(
    /// A relative, `/`-separated path that stays below the folder it is joined to; `.` alone is that folder.
    BelowPath,
    check_below
);
checked_string!(
    /// A SHA-256 digest as 64 lower-case hex digits.
    Sha256Hex,
    check_sha256
);
checked_string!(
    /// An MD5 digest as 32 lower-case hex digits; some publishers record no other.
    Md5Hex,
    check_md5
);

impl DatasetId {
    /// The nearest valid id to any folder name: other characters become `_`, capitals small.
    /// Empty where the name has no letter or digit.
    pub fn sanitised(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        let text: String =
            lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(64).collect();
        let has_name = text.chars().any(|c| c != '_');
        has_name.then(|| Self::try_from(text).ok()).flatten()
    }
}

impl Template {
    /// The prompt of one class; the name goes in as it is, so underscores are the caller's business.
    pub fn fill(&self, class_name: &str) -> String {
        self.0.replacen("{}", class_name, 1)
    }
}

impl BelowPath {
    /// `self/rest`, or `rest` where `self` is `.`.
    pub fn join_text(&self, rest: &str) -> String {
        if self.0 == "." { rest.to_owned() } else { format!("{}/{rest}", self.0) }
    }
}

/// True if joining `path` to a folder cannot leave that folder on any platform.
pub(super) fn stays_below(path: &str) -> bool {
    let foreign = |c: char| matches!(c, '\\' | ':') || c.is_control();
    !path.contains(foreign) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn check_id(text: &str) -> Result<(), &'static str> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(good) {
        Ok(())
    } else {
        Err("is not an id: 1 to 64 of a-z, 0-9 and _")
    }
}

fn check_template(text: &str) -> Result<(), &'static str> {
    if text.matches("{}").count() == 1 && text.matches(['{', '}']).count() == 2 {
        Ok(())
    } else {
        Err("is not a template: it must hold {} exactly once")
    }
}

fn check_below(text: &str) -> Result<(), &'static str> {
    if text == "." || stays_below(text) {
        Ok(())
    } else {
        Err("is not a relative `/`-separated path without empty, `.` or `..` parts")
    }
}

fn check_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn check_sha256(text: &str) -> Result<(), &'static str> {
    if check_hex(text, 64) { Ok(()) } else { Err("is not 64 lower-case hex digits") }
}

fn check_md5(text: &str) -> Result<(), &'static str> {
    if check_hex(text, 32) { Ok(()) } else { Err("is not 32 lower-case hex digits") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_hold_one_placeholder() {
        let template = Template::try_from("{} texture.".to_owned()).unwrap();
        assert_eq!(template.fill("polka-{}dotted"), "polka-{}dotted texture.");
        for bad in ["no placeholder", "{} and {}", "{ }", "{}}"] {
            assert!(Template::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_cannot_leave_their_folder() {
        for bad in ["", "/a", "a//b", "../a", "a/../b", "a/.", "a\\b", "c:a", "a\nb"] {
            assert!(BelowPath::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        let here = BelowPath::try_from(".".to_owned()).unwrap();
        assert_eq!(here.join_text("a/b.jpg"), "a/b.jpg");
    }

    #[test]
    fn ids_are_made_from_any_folder_name() {
        let id = |name| DatasetId::sanitised(name).map(String::from);
        assert_eq!(id("My Birds-2").as_deref(), Some("my_birds_2"));
        assert_eq!(id("Vögel").as_deref(), Some("v_gel"));
        assert_eq!(id("---"), None);
    }

    #[test]
    fn digests_are_lower_case_hex() {
        assert!(Md5Hex::try_from("0123456789abcdef0123456789abcdef".to_owned()).is_ok());
        assert!(Md5Hex::try_from("0123456789ABCDEF0123456789abcdef".to_owned()).is_err());
        assert!(Sha256Hex::try_from("00".to_owned()).is_err());
    }
}
