//! The embedded default: small seeded pictures and datasets made of them ([`world`]), and the training of the small
//! CLIP that knows them ([`pretrain`]).

pub mod pretrain;
pub mod world;

pub use world::dataset::{PocketDataset, PocketImages, dataset, datasets};
pub use world::grammar::PretrainSource;
pub use world::preview::{PocketError, Sheet, contact_sheet, write_previews};
