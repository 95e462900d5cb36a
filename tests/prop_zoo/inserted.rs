//! Rows inside a tower: what the naive path computes, where they are gone, which tower they move.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use rpo_bench::backbone::changes::{TextChanges, TextRows, VisionChanges};
use rpo_bench::backbone::{Clip, TextLayout, Weights};
use rpo_bench::method::Named;
use rpo_bench::method::rpo_full::{Visibility, text_mask};
use rpo_bench::util::rng::Stream;

use super::common::{assert_close, normals, numbers, random_weights};
use super::{CLASSES, Task, config, method};

/// Prompts overwritten before a block are gone there: where the block between passes nothing on to the tokens, no value of
/// theirs matters, to the bit. Without the second overwriting they flow on.
#[test]
fn overwritten_prompts_are_gone() {
    let mut stream = Stream::new(&["zoo", "gone"]);
    let config = config(&mut stream);
    let weights = random_weights(&config, DType::F32, &mut stream);
    let mut tensors: BTreeMap<String, Tensor> =
        weights.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    for (name, tensor) in &mut tensors {
        if name.starts_with("vision_model.encoder.layers.1.self_attn.out_proj") {
            *tensor = tensor.zeros_like().unwrap();
        }
    }
    let (side, width) = (config.image_size, config.vision.width);
    let pixels = normals(&[2, 3, side, side], 1.0, DType::F32, &mut stream);
    let clip = Clip::new(config, &Weights::new("one block passes nothing on", tensors)).unwrap();
    let mut prompts = || normals(&[2, width], 0.5, DType::F32, &mut stream);
    let (first, last, [one, other]) = (prompts(), prompts(), [prompts(), prompts()]);
    let features = |middle: &Tensor, overwritten: bool| {
        let mut rows = vec![(1, middle.clone())];
        if overwritten {
            rows.push((2, last.clone()));
        }
        let changes =
            VisionChanges { appended: Some(first.clone()), overwritten: rows, ..VisionChanges::default() };
        numbers(&clip.vision.transformer().unwrap().encode_changed(&pixels, &changes).unwrap())
    };
    assert_eq!(features(&one, true), features(&other, true));
    assert_ne!(features(&one, false), features(&other, false), "control: they flow on");
}

/// Overwritten rows of the vision tower against whole sequences with a hook, values and gradients; a wrong block shows.
#[test]
fn vision_prompts_agree_with_the_naive_path() {
    let task = Task::new("vision");
    let (clip, pixels) = (&task.clip, task.images.pixels().unwrap());
    let (width, tokens) = (clip.config.vision.width, clip.config.image_tokens());
    let mut stream = Stream::new(&["prompts"]);
    let mut prompts = || Var::from_tensor(&normals(&[2, width], 0.5, DType::F32, &mut stream)).unwrap();
    let (first, second) = (prompts(), prompts());
    let inserted = |block: usize| {
        let changes = VisionChanges {
            appended: Some(first.as_tensor().clone()),
            overwritten: vec![(block, second.as_tensor().clone())],
            ..VisionChanges::default()
        };
        clip.vision.transformer().unwrap().encode_changed(pixels, &changes).unwrap()
    };
    let mut between = |block: usize, x: Tensor| {
        if block != 1 {
            return Ok(x);
        }
        let rows = second.as_tensor().unsqueeze(0)?.broadcast_as((x.dim(0)?, 2, width))?.contiguous()?;
        Tensor::cat(&[x.narrow(1, 0, tokens)?, rows], 1)
    };
    let rows = clip
        .vision
        .transformer()
        .unwrap()
        .masked_between(pixels, Some(first.as_tensor()), None, &mut between, &mut |_, _| Ok(()))
        .unwrap();
    let naive = clip
        .vision
        .transformer()
        .unwrap()
        .project(&rows.narrow(1, 0, 1).unwrap().contiguous().unwrap())
        .unwrap()
        .squeeze(1)
        .unwrap();
    assert_close("vision features", &inserted(1), &naive, 1e-5);
    let weights = normals(naive.dims(), 1.0, DType::F32, &mut Stream::new(&["weights"]));
    let gradients = |features: &Tensor| {
        let loss = (features * &weights).unwrap().sum_all().unwrap();
        let store = loss.backward().unwrap();
        [&first, &second].map(|var| store.get(var).unwrap().clone())
    };
    let [ours, expected] = [gradients(&inserted(1)), gradients(&naive)];
    assert_close("gradient of the first", &ours[0], &expected[0], 1e-4);
    assert_close("gradient of the second", &ours[1], &expected[1], 1e-4);
    let other = numbers(&inserted(2));
    assert!(
        other.iter().zip(numbers(&naive)).any(|(a, b)| (a - b).abs() > 1e-3),
        "control: a block off by one"
    );
}

/// Overwritten rows of the text tower, shared and of each class, against whole sequences with a hook; in chunks too.
#[test]
fn text_prompts_agree_with_the_naive_path() {
    let task = Task::new("text");
    let (clip, prompts) = (&task.clip, &task.texts.prompts);
    let width = clip.config.text.width;
    let mut stream = Stream::new(&["prompts"]);
    let shared = Var::from_tensor(&normals(&[2, width], 0.5, DType::F32, &mut stream)).unwrap();
    let own = Var::from_tensor(&normals(&[CLASSES, 2, width], 0.5, DType::F32, &mut stream)).unwrap();
    let n = prompts.iter().map(Vec::len).max().unwrap();
    let naive = |values: &Var| {
        let rows: Vec<Tensor> = prompts
            .iter()
            .map(|prompt| {
                let padding = Tensor::zeros((n - prompt.len() + 1, width), DType::F32, &Device::Cpu).unwrap();
                let rows = Tensor::cat(&[clip.text.embed(prompt).unwrap(), padding], 0).unwrap();
                rows.narrow(0, 0, n).unwrap()
            })
            .collect();
        let eos: Vec<usize> = prompts.iter().map(|prompt| prompt.len() - 1).collect();
        let mask = text_mask(&eos, n, Visibility::Ordinary, &Device::Cpu).unwrap();
        let positioned = Tensor::ones((CLASSES, n, 1), DType::F32, &Device::Cpu).unwrap();
        let mut between = |block: usize, x: Tensor| {
            if block != 1 {
                return Ok(x);
            }
            let values = values.as_tensor();
            let rows = if values.rank() == 2 { values.unsqueeze(0)? } else { values.clone() };
            let rows = rows.broadcast_as((CLASSES, 2, width))?.contiguous()?;
            Tensor::cat(&[x.narrow(1, 0, 1)?, rows, x.narrow(1, 3, n - 3)?], 1)
        };
        let x = Tensor::stack(&rows, 0).unwrap();
        let x = clip.text.masked_between(&x, &positioned, &mask, &mut between, &mut |_, _| Ok(())).unwrap();
        let read: Vec<Tensor> = eos
            .iter()
            .enumerate()
            .map(|(class, end)| x.get(class).unwrap().narrow(0, *end, 1).unwrap())
            .collect();
        clip.text.project(&Tensor::cat(&read, 0).unwrap()).unwrap()
    };
    let inserted = |clip: &Clip, values: &Var, prefix: usize, block: usize| {
        let layout = TextLayout::new(prompts, prefix, clip.config.context_length).unwrap();
        let rows = vec![TextRows { block, first: 1, values: values.as_tensor().clone() }];
        clip.text.encode_changed(&layout, &TextChanges { rows, ..TextChanges::default() }).unwrap()
    };
    let weights = normals(&[CLASSES, clip.config.projection_dim], 1.0, DType::F32, &mut stream);
    let gradient = |features: &Tensor, var: &Var| {
        let store = (features * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        store.get(var).unwrap().clone()
    };
    let small = Clip::clone(clip).with_max_rows(3);
    for (what, var, prefix) in [("shared", &shared, 3), ("own", &own, 1)] {
        let expected = naive(var);
        for clip in [clip.as_ref(), &small] {
            let ours = inserted(clip, var, prefix, 1);
            assert_close(what, &ours, &expected, 1e-5);
            assert_close(what, &gradient(&ours, var), &gradient(&expected, var), 1e-4);
        }
        let other = numbers(&inserted(clip, var, prefix, 2));
        let differs = other.iter().zip(numbers(&expected)).any(|(a, b)| (a - b).abs() > 1e-3);
        assert!(differs, "{what}: control, a block off by one");
    }
}

/// MaPLe's image side moves with its text prompts; its texts do not move with the projections.
#[test]
fn coupled_prompts_go_one_way() {
    let task = Task::new("maple");
    let maple = method("maple", &[("depth", 3.0)]);
    let values = task.init(maple.as_ref()).values().unwrap();
    let moved = |part: &str| {
        let moved = values.iter().map(|(name, value)| {
            let value = if name.contains(part) { (value * 1.5).unwrap() } else { value.clone() };
            (name.to_owned(), value)
        });
        Named::new(moved)
    };
    let rows = |values: &Named| {
        let rows = maple.token_rows(&task.clip, &task.texts, Some(values), &task.images).unwrap();
        let last = |rows: &[Tensor]| numbers(rows.last().unwrap());
        [last(&rows.text), last(&rows.vision)]
    };
    let [text, vision] = rows(&values);
    let [text_after, vision_after] = rows(&moved("compound_prompts_text"));
    assert!(text != text_after && vision != vision_after, "text prompts move both");
    let [text_after, vision_after] = rows(&moved("compound_prompt_projections"));
    assert!(text == text_after && vision != vision_after, "projections move images alone");
}
