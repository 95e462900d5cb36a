//! What a finished cell leaves behind, how it is stored, and who is working on what. Knows no tensor and no table.

pub mod claim;
pub mod claim_folder;
#[cfg(test)]
mod claim_simulated;
pub mod class_names;
pub mod holder;
pub mod identity;
pub mod imported;
pub mod packed;
pub mod predictions;
pub mod redact;
pub mod schema;
pub mod seal;
pub mod store;
pub mod survey;
pub mod validation;

pub use claim::{Claims, Gone, Held, living, living_claims, lock_file};
pub use holder::{ClaimedWork, Holder};
pub use identity::Identity;
pub use imported::{ImportKind, Imported, Reported};
pub use packed::packed;
pub use predictions::{parse_predictions, predictions_csv};
pub use redact::Redactor;
pub use schema::*;
pub use store::{Seal, Store, StoreError, kept_so_far, parse_record, read_record};
pub use survey::{CellSeen, Survey};
pub use validation::ValidationUse;
