//! What holds the program against something: golden numbers ([`parity`]), its own records ([`verify`]), the clock
//! ([`mod@bench`]).

pub mod bench;
pub mod parity;
pub mod verify;
