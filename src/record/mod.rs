//! What a finished cell leaves behind, how it is stored, and who is working on what. Knows no tensor and no table.

pub mod claim;
pub mod holder;
pub mod identity;
pub mod imported;
pub mod predictions;
pub mod redact;
pub mod schema;
pub mod seal;
pub mod store;

pub use claim::{Claims, Held, living_claims, lock_file};
pub use holder::Holder;
pub use identity::Identity;
pub use imported::{ImportKind, Imported, Reported};
pub use predictions::{parse_predictions, predictions_csv};
pub use redact::Redactor;
pub use schema::*;
pub use store::{Seal, Store, StoreError, parse_record, read_record};
