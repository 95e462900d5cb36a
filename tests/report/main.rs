//! From records to pages, on made-up records: the table, the page, the pictures.
//!
//! One test program for all of it, because linking the table library takes longer than the tests.
//! Snapshots are compared, never written, unless `INSTA_UPDATE=always` is set.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod adversarial;
mod columns;
mod comparing;
mod explorer;
mod frame;
mod guide;
mod marks;
mod measures;
mod pages;
mod pictures;
mod records;
mod rendering;
mod selection;
mod shift;
mod simulated;
mod tex;
