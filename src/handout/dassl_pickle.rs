//! A draw as the pickle of Dassl's `split_fewshot` folder: `{"train": [Datum, …], "val": [Datum, …]}`.
//!
//! It owns the few opcodes of pickle protocol 2 that this takes. Easy to get wrong: `Datum` keeps its values under
//! `_impath`, `_label`, `_domain`, `_classname`, and only its properties have the plain names.

use super::draw::{DrawHandout, HandoutImage};

/// Where Dassl keeps the class.
const DATUM: (&str, &str) = ("dassl.data.datasets.base_dataset", "Datum");

/// The draw's bytes. Paths are joined to `root`, as Dassl opens them as they stand.
pub fn bytes(drawn: &DrawHandout, root: &str) -> Vec<u8> {
    let mut out = vec![0x80, 2];
    out.extend(b"}(");
    for (name, rows) in [("train", &drawn.train), ("val", &drawn.val)] {
        text(&mut out, name);
        out.extend(b"](");
        rows.iter().for_each(|row| datum(&mut out, row, root));
        out.push(b'e');
    }
    out.extend(b"u.");
    out
}

/// `Datum.__new__(Datum)`, then its `__dict__`.
fn datum(out: &mut Vec<u8>, row: &HandoutImage, root: &str) {
    let (module, class) = DATUM;
    out.extend(format!("c{module}\n{class}\n").as_bytes());
    out.extend(b")\x81}(");
    let path = if root.is_empty() { row.path.clone() } else { format!("{root}/{}", row.path) };
    for (name, value) in [("_impath", &path), ("_classname", &row.class_name)] {
        text(out, name);
        text(out, value);
    }
    for (name, value) in [("_label", row.label), ("_domain", 0)] {
        text(out, name);
        number(out, value);
    }
    out.extend(b"ub");
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'X');
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value.as_bytes());
}

/// LONG1 with a leading zero byte: BININT is signed.
fn number(out: &mut Vec<u8>, value: u32) {
    out.extend([0x8a, 5]);
    out.extend(value.to_le_bytes());
    out.push(0);
}
