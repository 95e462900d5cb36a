//! A model's id on HuggingFace, checked so that it can be part of a path and of an address.

/// `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HubId(String);

impl HubId {
    /// Accepts `owner/name` of letters, digits, `-`, `_` and `.`, neither beginning with a dot; a single word is no id.
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let good = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.len() <= 96
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        (good(owner) && good(name)).then(|| Self(text.to_owned()))
    }

    /// `owner/name@revision` in two: the revision is a branch, a tag or a commit.
    pub fn with_revision(text: &str) -> Option<(Self, Option<&str>)> {
        let Some((id, revision)) = text.split_once('@') else { return Some((Self::parse(text)?, None)) };
        let good = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        revision.split('/').all(good).then_some((Self::parse(id)?, Some(revision)))
    }

    /// `owner/name`.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_their_folder() {
        let (id, revision) = HubId::with_revision("openai/clip-vit-base-patch16@refs/pr/3").unwrap();
        assert_eq!((id.text(), revision), ("openai/clip-vit-base-patch16", Some("refs/pr/3")));
        for text in
            ["../etc", "a/..", "a/b/c", "a", "/a", "a/", "a/b@", "a/b@../x", "a/b@x//y", "a/b c", "a/b?x"]
        {
            assert_eq!(HubId::with_revision(text), None, "{text}");
        }
    }
}
