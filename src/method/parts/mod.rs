//! What several methods share: class features of several wordings, random initial values.

pub(super) mod deep;
pub(super) mod draws;
pub(super) mod texts;
