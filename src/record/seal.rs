//! The seal of a record: a hash over the file's other bytes.
//!
//! It finds records that were edited or damaged; it does not stop somebody who computes it anew, which is
//! what running the cell again is for. It is made of the text, not of the fields, so a later schema version
//! still finds the seals of older files whole.

use sha2::{Digest, Sha256};

use crate::util::hex;

/// The field as it stands in a record without a seal. It is the document's last.
const EMPTY: &str = "\"record_sha256\": \"\"";
/// Hexadecimal digits of a seal.
const DIGITS: usize = 64;

/// Fills the empty `record_sha256` of a record's text with the SHA-256 of that text.
pub fn sealed(text: &str) -> String {
    match text.rsplit_once(EMPTY) {
        Some((front, back)) => {
            let seal = hex(&Sha256::digest(text));
            format!("{front}\"record_sha256\": \"{seal}\"{back}")
        }
        None => text.to_owned(),
    }
}

/// Whether a record's text carries the seal that belongs to it.
pub fn holds(text: &str) -> bool {
    let field = &EMPTY[..EMPTY.len() - 1];
    let Some((front, rest)) = text.rsplit_once(field) else { return false };
    let (Some(seal), Some(back)) = (rest.get(..DIGITS), rest.get(DIGITS..)) else { return false };
    seal == hex(&Sha256::digest(format!("{front}{field}{back}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_breaks_the_seal() {
        let text = sealed("{\n  \"correct\": 7,\n  \"record_sha256\": \"\"\n}\n");
        assert!(holds(&text));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(!holds(&String::from_utf8(bytes).unwrap()), "byte {at}");
        }
        assert!(!holds("{\"record_sha256\": \"\"}") && !holds("") && !holds("\"record_sha256\": \"ab"));
    }
}
