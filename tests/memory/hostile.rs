//! Files made to ask for memory: each is small, and each once asked for more than any machine has.

use std::path::Path;

use peak_alloc::PeakAlloc;
use rpo_bench::backbone::files::tensor_file::TensorFile;
use rpo_bench::backbone::files::torch_file::TorchArchive;
use rpo_bench::data::split_json::read_split_json;
use rpo_bench::suite::SavedPrompts;

use crate::meter::{allowed, taken};

/// A safetensors file of this header and these bytes.
fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// The message of a file that must be refused within its bound.
fn refused(memory: &PeakAlloc, path: &Path, bytes: &[u8], read: impl Fn(&Path) -> String) -> String {
    std::fs::write(path, bytes).unwrap();
    let mut said = String::new();
    let taken = taken(memory, || said = read(path));
    assert!(taken <= allowed(bytes.len()), "{taken} bytes for a file of {}: {said}", bytes.len());
    said
}

/// A torch archive whose pickle names one long storage key for thousands of tensors, by reference.
fn shared_key(key_bytes: usize, tensors: usize) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for tensor in 0..tensors {
        text(&mut pickle, &format!("t{tensor}"));
        if tensor > 0 {
            pickle.extend(b"h\x01");
            continue;
        }
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(&mut pickle, &"k".repeat(key_bytes));
        text(&mut pickle, "cpu");
        pickle.extend(b"K\x01tQK\x00K\x01\x85K\x01\x85\x89}tRq\x01");
    }
    pickle.extend(b"u.");
    archive(&pickle)
}

/// A torch archive that says one long text of itself under many names, by reference.
fn shared_text(text_bytes: usize, names: usize) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    text(&mut pickle, "rpo_bench");
    pickle.extend(b"}(");
    for name in 0..names {
        text(&mut pickle, &format!("n{name}"));
        if name > 0 {
            pickle.extend(b"h\x01");
            continue;
        }
        text(&mut pickle, &"t".repeat(text_bytes));
        pickle.extend(b"q\x01");
    }
    pickle.extend(b"uu.");
    archive(&pickle)
}

fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
}

fn archive(pickle: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", stored).unwrap();
    std::io::Write::write_all(&mut zip, pickle).unwrap();
    zip.finish().unwrap().into_inner()
}

pub fn files_written_by_hand_are_refused(memory: &PeakAlloc) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.safetensors");
    let prompts =
        |path: &Path| SavedPrompts::read(path, None).map_or_else(|e| e.to_string(), |_| String::new());
    let shape = |shape: &str, end: usize| {
        format!(r#"{{"text_prompt":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    for (header, data, part) in [
        (shape("[1099511627776,0]", 0), vec![], "holds no value"),
        (shape("[1099511627776,4]", 16), vec![0; 16], "p.safetensors"),
        (shape("[18446744073709551615,18446744073709551615]", 16), vec![0; 16], "p.safetensors"),
    ] {
        let said = refused(memory, &path, &safetensors(&header, &data), prompts);
        assert!(said.contains(part) && said.contains("p.safetensors"), "{said}");
    }

    let open = |path: &Path| match TorchArchive::open(path) {
        Ok(file) => format!("{} tensors", file.names().len()),
        Err(error) => error.to_string(),
    };
    let said = refused(memory, &path, &shared_key(1 << 20, 20_000), open);
    assert!(said.contains("not the one torch.save writes"), "{said}");
    let said = refused(memory, &path, &shared_key(8, 2_000), open);
    assert_eq!(said, "2000 tensors", "the same file with a key of eight letters is sound");
    let said = refused(memory, &path, &shared_text(1 << 18, 20_000), open);
    assert!(said.contains("1048576"), "{said}");
    let said = refused(memory, &path, &shared_text(8, 2_000), open);
    assert_eq!(said, "0 tensors", "the same file with a short text is sound");

    let split = |path: &Path| read_split_json(path).map_or_else(|e| e.to_string(), |_| String::new());
    let nested = format!(r#"{{"train": [{}[]], "val": [], "test": []}}"#, "[],".repeat(4 << 20));
    let said = refused(memory, &path, nested.as_bytes(), split);
    assert!(said.contains("train[0]"), "{said}");
}

/// The control: a reader that believed a header would be caught.
pub fn the_meter_sees_what_is_asked_for(memory: &PeakAlloc) {
    let asked = 64 << 20;
    let seen = taken(memory, || drop(std::hint::black_box(vec![1u8; asked])));
    assert!(seen >= asked && seen > allowed(100), "{seen}");
}
