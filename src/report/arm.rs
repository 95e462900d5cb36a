//! An arm is what is compared: a method under one variant (and type, data or limit, where the records mix
//! them). Tables have a line and pictures a colour and marker per arm.

use std::collections::BTreeSet;

use super::names::{method_name, method_order};
use crate::frame::Row;
use crate::method::{Entry, look_up};
use crate::record::RunRecord;
use crate::record::imported::DATA_KIND;

/// A method under one set of settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arm {
    order: (usize, String, Vec<Word>),
    /// Method id.
    pub method: String,
    /// Swept settings as `key=value`; empty without any.
    pub variant: String,
    /// What else tells this arm from others of the method, empty where nothing does.
    pub remark: String,
}

impl Arm {
    /// A method under one set of settings, nothing else telling it apart.
    pub fn new(method: &str, variant: &str) -> Self {
        let remark = String::new();
        Self { order: order(method, variant), method: method.to_owned(), variant: variant.to_owned(), remark }
    }

    /// Whether its method can meet classes it was not trained on; what nobody knows can.
    pub fn transfers(&self) -> bool {
        look_up(&self.method).is_none_or(Entry::transfers)
    }

    /// Name in tables and legends.
    pub fn label(&self) -> String {
        // `rpo.mask=false` of RPO reads as `mask=false`: the method's name stands before it.
        let own = format!("{}.", self.method);
        let short = |word: &str| word.strip_prefix(&own).unwrap_or(word).to_owned();
        let words = self.variant.split(' ').map(short).chain([self.remark.clone()]);
        let extra = words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
        let name = method_name(&self.method);
        if extra.is_empty() { name.to_owned() } else { format!("{name} ({extra})") }
    }
}

/// A piece of a variant's name: numbers sort as numbers, so that `k=4` stands before `k=16`. Values are told
/// apart by their bits, which for positive numbers have their order; a sign is a piece of text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Number(u64),
    Text(String),
}

fn order(method: &str, variant: &str) -> (usize, String, Vec<Word>) {
    let (place, id) = method_order(method);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut words = Vec::new();
    let mut rest = variant;
    while let Some(first) = rest.chars().next() {
        let number = is_number(first);
        let end = rest.find(|c| is_number(c) != number).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let value = word.parse::<f64>().ok().filter(|_| number);
        words.push(value.map_or_else(|| Word::Text(word.to_owned()), |v| Word::Number(v.to_bits())));
        rest = after;
    }
    (place, id, words)
}

/// Which coordinates vary among the rows, so that an arm must name them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixed {
    dtype: bool,
    data: bool,
    limit: bool,
}

impl Mixed {
    /// Looks at all rows.
    pub fn of(rows: &[Row]) -> Self {
        // Imported arms carry a mark of their own, and say nothing of types and pictures.
        let own = || rows.iter().filter(|row| !row.is_imported());
        let varies = |key: fn(&Row) -> String| own().map(key).collect::<BTreeSet<_>>().len() > 1;
        Self {
            dtype: varies(|r| r.dtype.clone()),
            data: varies(|r| r.data.clone()),
            limit: varies(|r| format!("{:?}", r.limit)),
        }
    }

    /// The arm a row belongs to.
    pub fn arm(self, row: &Row) -> Arm {
        self.named(&row.method, &row.variant, (&row.dtype, &row.data, row.limit))
    }

    /// The arm of a record, failed ones included, under its variant name.
    pub fn arm_of_record(self, record: &RunRecord, variant: &str) -> Arm {
        let origin = &record.provenance;
        let told_apart = (origin.dtype.as_str(), origin.data_kind.as_str(), record.cell.limit);
        self.named(&record.cell.method, variant, told_apart)
    }

    fn named(self, method: &str, variant: &str, (dtype, data, limit): (&str, &str, Option<u32>)) -> Arm {
        let mut remark = Vec::new();
        // What every run has without a flag needs no name.
        if self.dtype && dtype != "f32" && data != DATA_KIND {
            remark.push(dtype.to_owned());
        }
        if self.data && data != DATA_KIND {
            remark.push(data.to_owned());
        }
        if self.limit {
            remark.extend(limit.map(|n| format!("limit {n}")));
        }
        Arm { remark: remark.join(" "), ..Arm::new(method, variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_variants_sort_as_numbers() {
        let names =
            ["rpo.k=16", "rpo.k=4", "rpo.k=1", "rpo.st_scale=0.1", "rpo.st_scale=0.01", "", "rpo.mask=false"];
        let mut arms: Vec<Arm> = names.map(|variant| Arm::new("rpo", variant)).to_vec();
        arms.sort();
        let sorted: Vec<&str> = arms.iter().map(|arm| arm.variant.as_str()).collect();
        let expected =
            ["", "rpo.k=1", "rpo.k=4", "rpo.k=16", "rpo.mask=false", "rpo.st_scale=0.01", "rpo.st_scale=0.1"];
        assert_eq!(sorted, expected);
        assert!(Arm::new("coop", "z") < Arm::new("rpo", ""));
    }
}
