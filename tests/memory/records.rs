//! Many records: settings that records have in common are held once, and of predictions nothing stays but numbers.

use peak_alloc::PeakAlloc;
use rpo_bench::data::{Confidence, Prediction};
use rpo_bench::frame::Frame;
use rpo_bench::record::{RunRecord, Store, read_record};
use rpo_bench::report::measured::Measured;

use crate::meter::{fixture, taken};

/// So many seeds of one cell.
fn seeds(count: u64) -> Vec<RunRecord> {
    let first = read_record(&fixture("records/v5_rpo.json")).unwrap();
    let of = |seed: u64| {
        let mut record = first.clone();
        (record.key, record.cell.seed) = (format!("{seed:064x}"), Some(seed));
        record
    };
    (1..=count).map(of).collect()
}

/// Bytes of memory that reading a run takes for each of its records, with eighty further settings in each.
fn bytes_per_record(memory: &PeakAlloc, setting: impl Fn(usize, u64) -> String) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let records = seeds(100);
    for (record, number) in records.iter().zip(0..) {
        let mut record = record.clone();
        (0..80).for_each(|at| drop(record.config.insert(format!("rpo.setting_{at}"), setting(at, number))));
        store.save(&record).unwrap();
    }
    taken(memory, || drop(store.all().unwrap())) / records.len()
}

pub fn equal_settings_are_held_once(memory: &PeakAlloc) {
    let shared = bytes_per_record(memory, |at, _| format!("value {at}"));
    let own = bytes_per_record(memory, |at, record| format!("value {at} of {record}"));
    assert!(shared < 8_000, "{shared} bytes a record");
    assert!(
        own > shared + 80 * 32,
        "the control: {own} bytes where no two records agree, {shared} where all do"
    );
}

pub fn measures_keep_no_prediction(memory: &PeakAlloc) {
    let row = |at: u32| Prediction {
        path: format!("class_{}/{at:06}.jpg", at % 8),
        label: at % 8,
        predicted: at % 7,
        p_true: 0.25,
        confidence: Some(Confidence { p_predicted: 0.5, margin: 0.25 }),
    };
    let images = 2_000;
    let peak = |seeds_of_cell: u64| {
        let frame = Frame::from_records(&seeds(seeds_of_cell)).unwrap();
        taken(memory, || drop(Measured::read(&frame, |_, _| Some((0..images).map(row).collect()))))
    };
    let (few, many) = (peak(5), peak(25));
    let file = images as usize * size_of::<Prediction>();
    assert!(few > file, "{few}: one file of {file} bytes is in memory at a time");
    assert!(many < few + 40 * 1_000, "{few} bytes at 5 seeds, {many} at 25: predictions stay");
}
