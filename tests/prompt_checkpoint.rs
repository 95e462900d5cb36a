//! Prompt files: the authors' published checkpoints, and small ones with everything a checkpoint can hold.
//!
//! `fixtures/torch/checkpoint.pth.tar` was saved by torch 2.15.0: half-precision prompts (one of them a parameter
//! and a view with an offset) beside a transposed view, other types, optimiser state and big integers. The
//! SHA-256 of the published prompts are those of `tensor.numpy().tobytes()` after `torch.load` of torch 2.15.0.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rpo_bench::backbone::PromptCheckpoint;
use rpo_bench::backbone::files::safetensors_write::write_safetensors;
use rpo_bench::backbone::files::stored::{StoredDtype, StoredTensor};
use rpo_bench::backbone::files::tensor_file::TensorFile;
use rpo_bench::backbone::files::torch_file::{TorchArchive, unpickle};
use sha2::{Digest, Sha256};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn published_checkpoints_are_read_and_converted_bit_for_bit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/paper/checkpoints");
    if !folder.exists() {
        println!("skipped: ../shared/paper/checkpoints is absent");
        return;
    }
    for (file, text, img) in [
        (
            "rpo_k24_dtd_seed1.pth.tar",
            "1146259136dd47a912e1f3516bbf226783c3c37c197f8098c231d0723e138e41",
            "c3a29c22156cc6764744f4eaaf21363ef60ddf175a9aff14b148655ae419b249",
        ),
        (
            "rpo_k24_eurosat_seed1.pth.tar",
            "993610147f2aff8a01f298bf4b21671acd9a9fedbdd7cbc9c0b0f0c7fe0f00e6",
            "4b42f72723d47a2c00b093cbb7577c42be7c00ed96ceef57954feca0283ddfc0",
        ),
        (
            "rpo_k24_oxford_flowers_seed2.pth.tar",
            "227770de91ac0bd18d6a2aac1197f8c6d1a7a241646b8aeab35cc74c0e9ab6e3",
            "2c7ee290beab84c56abaabe4cd28b4db295d9a0205e9defd6ce908f348fe8f8c",
        ),
    ] {
        let prompts = PromptCheckpoint::read(&folder.join(file)).unwrap();
        assert_eq!((&prompts.text_prompt.shape, &prompts.img_prompt.shape), (&vec![24, 512], &vec![24, 768]));
        assert_eq!((prompts.text_prompt.dtype, prompts.prompts()), (StoredDtype::F16, 24));
        assert_eq!(
            (sha256(&prompts.text_prompt.bytes), sha256(&prompts.img_prompt.bytes)),
            (text.into(), img.into())
        );
        assert_survives_conversion(prompts);
    }
}

/// Writes with metadata and reads back.
fn assert_survives_conversion(mut prompts: PromptCheckpoint) {
    prompts.metadata = BTreeMap::from([("source".to_owned(), "a \"checkpoint\"".to_owned())]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prompts.safetensors");
    prompts.write(&path).unwrap();
    assert_eq!(PromptCheckpoint::read(&path).unwrap(), prompts);
}

#[test]
fn offsets_views_types_and_foreign_state_are_understood() {
    let path = fixture("torch/checkpoint.pth.tar");
    let prompts = PromptCheckpoint::read(&path).unwrap();
    let eighths = |from: u16, to: u16| (from..to).map(|n| f32::from(n) / 8.0 - 0.5).collect::<Vec<_>>();
    assert_eq!(prompts.text_prompt.to_f32(), eighths(0, 6));
    assert_eq!(prompts.img_prompt.to_f32(), eighths(6, 12));
    assert_eq!(
        (prompts.img_prompt.dtype, prompts.img_prompt.shape.as_slice()),
        (StoredDtype::F16, &[2, 3][..])
    );
    assert_survives_conversion(prompts);

    let mut archive = TorchArchive::open(&path).unwrap();
    assert_eq!(archive.names(), ["bf", "dbl", "ids", "img_prompt", "scalar", "text_prompt", "view"]);
    let transposed = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map(|n: u8| f32::from(n) / 8.0 - 0.5);
    assert_eq!(archive.read("view").unwrap().to_f32(), transposed);
    assert_eq!(archive.read("view").unwrap().shape, [4, 3]);
    assert_eq!(archive.read("bf").unwrap().to_f32(), eighths(0, 3));
    assert_eq!(archive.read("dbl").unwrap().to_f32(), eighths(0, 2));
    assert_eq!(
        (archive.read("scalar").unwrap().to_f32(), archive.shape("scalar")),
        (vec![1.5], Some(&[][..]))
    );
    let message = archive.read("ids").unwrap_err().to_string();
    assert!(message.contains("LongStorage") && message.contains("\"ids\""), "{message}");
}

fn message_for(tensors: &[(&str, &[usize])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prompts.safetensors");
    let tensors = tensors.iter().map(|(name, shape)| {
        let zeros = vec![0.0; shape.iter().product()];
        ((*name).to_owned(), StoredTensor::from_f32(shape.to_vec(), &zeros))
    });
    write_safetensors(&path, &BTreeMap::new(), &tensors.collect()).unwrap();
    match PromptCheckpoint::read(&path) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_second_name_is_accepted_and_wrong_files_are_explained() {
    assert_eq!(message_for(&[("text_prompt", &[2, 3]), ("visual_prompt", &[2, 5])]), "");
    for (tensors, parts) in [
        (vec![("text_prompt", &[2usize, 3][..])], ["visual_prompt", "text_prompt"]),
        (vec![("ctx", &[4, 5][..])], ["prompts.safetensors", "ctx"]),
        (vec![("text_prompt", &[2, 3][..]), ("img_prompt", &[3, 5][..])], ["img_prompt", "has 2"]),
        (vec![("text_prompt", &[6][..]), ("img_prompt", &[3, 5][..])], ["[6]", "[K, width]"]),
        (vec![("text_prompt", &[0, 3][..]), ("img_prompt", &[0, 5][..])], ["[0, 3]", "[K, width]"]),
    ] {
        let message = message_for(&tensors);
        assert!(parts.iter().all(|part| message.contains(part)), "{message:?} lacks one of {parts:?}");
    }
}

/// Forty lists, each of the previous one ten times: a reader that copies would need 10⁴⁰ values.
#[test]
fn nested_repeats_and_deep_nesting_stay_small() {
    let mut bomb = b"\x80\x02]q\x00".to_vec();
    for slot in 0..40u8 {
        bomb.extend_from_slice(b"(");
        bomb.extend([b'h', slot].repeat(10));
        bomb.extend([b't', b'q', slot + 1]);
    }
    bomb.push(b'.');
    assert!(unpickle(&bomb).is_ok());
    let deep = [b"\x80\x02N".as_slice(), &[0x85; 1_000_000], b"."].concat();
    assert!(unpickle(&deep).is_ok());
}

#[test]
fn a_length_beyond_the_end_is_refused_with_its_position() {
    let error = unpickle(b"\x80\x02X\xff\xff\xff\xff..").unwrap_err();
    assert_eq!(error.offset, 2);
    assert!(error.problem.contains("4294967295"), "{error}");
    assert!(unpickle(b"\x80\x02R").unwrap_err().problem.contains("empty"));
    assert!(unpickle(b"\x80\x02ios\nsystem\n").unwrap_err().problem.contains("0x69"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_pickles_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = unpickle(&bytes) {
            prop_assert!(error.offset < bytes.len().max(1) + 1);
        }
    }

    #[test]
    fn damaged_checkpoints_never_panic_and_errors_name_the_file(
        edits in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = std::fs::read(fixture("torch/checkpoint.pth.tar")).unwrap();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.pth.tar");
        std::fs::write(&path, bytes).unwrap();
        if let Err(error) = PromptCheckpoint::read(&path) {
            prop_assert!(error.to_string().contains("damaged.pth.tar"), "{error}");
        }
    }
}
