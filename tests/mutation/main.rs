//! Damaged input of every format: no panic, no hang, bounded memory, and every error names its file.
//!
//! `PROPTEST_CASES` sets the number of cases a format (60 when it is not set). A case is made from its number
//! alone, so a find is repeated by its number; each find is also a test of its own in `finds`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod damage;
mod finds;
mod formats;
mod harness;
