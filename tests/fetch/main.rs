//! Downloads against a server on loopback that fails in every way servers fail. No test leaves this machine.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod archives;
mod faults;
mod new_user;
mod server;
