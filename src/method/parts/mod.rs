//! What several methods share: class features of several wordings, random initial values, weights of towers that train, readers that
//! meet in pairs.

pub(super) mod deep;
pub(super) mod draws;
pub(super) mod layer_norms;
pub(super) mod low_rank;
pub(super) mod pairing;
pub(super) mod texts;
pub(super) mod trained_weights;
