//! What holds the program against something: golden numbers ([`parity`]), its own records ([`verify`]), the clock
//! ([`bench`]).

pub mod bench;
pub mod parity;
pub mod verify;
