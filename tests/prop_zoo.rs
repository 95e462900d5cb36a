//! What must hold of the methods beyond their golden numbers: where one becomes another, where prompts are gone, and that
//! prompts inside a tower are what the naive path with a hook computes.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use rpo_bench::backbone::changes::{TextChanges, TextRows, VisionChanges};
use rpo_bench::backbone::{Clip, ClipConfig, TextLayout, Weights};
use rpo_bench::method::rpo_full::{Visibility, text_mask};
use rpo_bench::method::{
    ClassTexts, FixedShots, ImageBatch, Method, Named, Needs, Parameters, SettingsTable, find,
};
use rpo_bench::train::{Gradients, StepPart, frozen_pass, joint_step, loss_and_gradients};
use rpo_bench::util::rng::Stream;

use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

const CLASSES: usize = 4;
const EVERYTHING: Needs = Needs { pooled: true, tokens: true, pixels: true };

struct Task {
    clip: Arc<Clip>,
    texts: ClassTexts,
    images: ImageBatch,
    labels: Tensor,
    shots: FixedShots,
}

fn config(stream: &mut Stream) -> ClipConfig {
    let mut config = tiny_config(stream);
    (config.vision.layers, config.text.layers) = (3, 3);
    config
}

impl Task {
    fn new(seed: &str) -> Self {
        let mut stream = Stream::new(&["zoo", seed]);
        let config = config(&mut stream);
        let weights = random_weights(&config, DType::F32, &mut stream);
        let texts = ClassTexts::of(&class_prompts(&config, CLASSES, &mut stream));
        let pixels = normals(&[3, 3, config.image_size, config.image_size], 1.0, DType::F32, &mut stream);
        let shots = FixedShots::random(CLASSES, config.projection_dim, &Device::Cpu).unwrap();
        let clip = Arc::new(Clip::new(config, &weights).unwrap());
        let images = frozen_pass(&clip, pixels, EVERYTHING).unwrap();
        Self { clip, texts, images, labels: Tensor::new(&[0u32, 3, 1], &Device::Cpu).unwrap(), shots }
    }

    fn init(&self, method: &dyn Method) -> Parameters {
        method.init(&self.clip, &self.texts, Some(&self.shots), &mut Stream::new(&["init"])).unwrap()
    }

    fn logits(&self, method: &dyn Method, values: &Named) -> Vec<f64> {
        let head = method.bind(&self.clip, &self.texts).unwrap();
        numbers(&head.classifier(values).unwrap().logits(&self.images).unwrap())
    }

    /// Initial parameters, moved by noise of this spread.
    fn moved(&self, method: &dyn Method, spread: f64) -> Parameters {
        let parameters = self.init(method);
        let mut stream = Stream::new(&["moved"]);
        for (_, var) in parameters.iter() {
            let moved = var.as_tensor() + normals(var.dims(), spread, DType::F32, &mut stream);
            var.set(&moved.unwrap()).unwrap();
        }
        parameters
    }

    /// Loss and gradients at the initial parameters, moved a little.
    fn step(&self, method: &dyn Method) -> Gradients {
        let parameters = self.moved(method, 0.1);
        let head = method.bind(&self.clip, &self.texts).unwrap();
        loss_and_gradients(head.as_ref(), &parameters, &self.images, &self.labels, (0, 0)).unwrap()
    }
}

fn method(id: &str, changes: &[(&str, f64)]) -> Box<dyn Method> {
    let entry = find(id).unwrap();
    let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
    for (key, value) in changes {
        let slot = own.get_mut(*key).unwrap();
        *slot = match slot {
            toml::Value::Integer(_) => toml::Value::Integer(*value as i64),
            _ => toml::Value::Float(*value),
        };
    }
    (entry.build)(own).unwrap()
}

fn bits(gradients: &Gradients) -> Vec<u64> {
    let tensors = gradients.tensors.iter().flat_map(numbers).map(f64::to_bits);
    std::iter::once(gradients.loss.to_bits()).chain(tensors).collect()
}

/// Settings in place of the defaults.
type Changes = Vec<(&'static str, f64)>;

const DEEP: [(&str, f64); 4] =
    [("vision_ctx", 2.0), ("vision_depth", 2.0), ("text_ctx", 2.0), ("text_depth", 3.0)];

/// A method whose extra weight is 0 is the other, loss and gradients, to the bit; with its own weight it is not.
#[test]
fn without_their_weight_methods_are_what_they_extend() {
    let zero = |weights: &[&'static str]| weights.iter().map(|key| (*key, 0.0)).collect::<Vec<_>>();
    let pairs: [(&str, Changes, Changes, &str, Changes); 3] = [
        ("kgcoop", vec![], zero(&["weight"]), "coop", vec![]),
        ("clap", vec![], zero(&["weight"]), "zs_lp", vec![]),
        (
            "promptsrc",
            DEEP.to_vec(),
            zero(&["text_weight", "image_weight", "logits_weight"]),
            "ivlp",
            DEEP.to_vec(),
        ),
    ];
    let task = Task::new("weights");
    for (id, sizes, off, plain, plain_sizes) in pairs {
        let expected = bits(&task.step(method(plain, &plain_sizes).as_ref()));
        let without = method(id, &[sizes.clone(), off].concat());
        assert_eq!(bits(&task.step(without.as_ref())), expected, "{id} without its weight");
        assert_ne!(bits(&task.step(method(id, &sizes).as_ref())), expected, "{id}: control");
    }
}

/// 2SFS whose first stage takes all steps is LN-only to the bit and has no second; with a share of 0.6 it has one, whose rows
/// start at the tuned text tower and leave what the first stage gave alone.
#[test]
fn two_stages_become_one_where_the_first_takes_all() {
    let task = Task::new("stages");
    let only = method("ln_only", &[]);
    let whole = method("two_stage", &[("fraction", 1.0)]);
    assert_eq!(bits(&task.step(whole.as_ref())), bits(&task.step(only.as_ref())));
    let head = whole.bind(&task.clip, &task.texts).unwrap();
    assert!(head.second_stage().is_none());

    let two = method("two_stage", &[("fraction", 0.6)]);
    let head = two.bind(&task.clip, &task.texts).unwrap();
    let second = head.second_stage().expect("control: a smaller share leaves a second stage");
    let tuned = task.moved(two.as_ref(), 0.2).values().unwrap();
    let rows = second.start(&tuned).unwrap();
    let logits = task.logits(two.as_ref(), &rows.values().unwrap());
    // They are normalised once more, which costs a last bit.
    let ended = task.logits(only.as_ref(), &tuned);
    let close = logits.iter().zip(&ended).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(close, "rows start where LN-only ended: {logits:?} {ended:?}");
    for (_, var) in rows.iter() {
        let value = var.as_tensor() + normals(var.dims(), 0.3, DType::F32, &mut Stream::new(&["rows"]));
        var.set(&value.unwrap()).unwrap();
    }
    let trained = rows.values().unwrap();
    let moved = task.logits(two.as_ref(), &trained);
    assert_ne!(moved, logits, "control: rows count");
    // Other classes are met by the tuned text tower, those trained on by their rows wherever they stand.
    let strangers = Task::new("strangers").texts.prompts;
    let prompts = vec![strangers[0].clone(), task.texts.prompts[2].clone()];
    let texts = ClassTexts::of(&prompts);
    let of = |method: &dyn Method, values: &Named| {
        let head = method.bind(&task.clip, &texts).unwrap();
        numbers(&head.classifier(values).unwrap().logits(&task.images).unwrap())
    };
    let (ours, text_alone) = (of(two.as_ref(), &trained), of(only.as_ref(), &tuned));
    for image in 0..task.images.len() {
        let row = moved[image * CLASSES + 2];
        assert!((ours[2 * image] - text_alone[2 * image]).abs() < 1e-4, "a stranger");
        assert!((ours[2 * image + 1] - row).abs() < 1e-4 && (row - text_alone[2 * image + 1]).abs() > 1e-3);
    }
}

/// TCP without weight and without class rows is CoOp to the bit: loss and the context's gradient.
#[test]
fn tcp_without_its_parts_is_coop() {
    let task = Task::new("tcp");
    let same = |changes: &[(&str, f64)]| {
        let (coop, tcp) = (method("coop", &[("context_tokens", 2.0)]), method("tcp", changes));
        let (ours, theirs) = (task.init(tcp.as_ref()), task.init(coop.as_ref()));
        let value = ours.values().unwrap().get("ctx", &[2, 0]).unwrap().clone();
        theirs.set(&Named::new([("ctx".to_owned(), value)])).unwrap();
        let step = |method: &dyn Method, parameters: &Parameters| {
            let head = method.bind(&task.clip, &task.texts).unwrap();
            let step = loss_and_gradients(head.as_ref(), parameters, &task.images, &task.labels, (0, 0));
            let step = step.unwrap();
            (step.loss, numbers(&step.tensors[0]))
        };
        let ((loss, gradient), (expected, of_coop)) =
            (step(tcp.as_ref(), &ours), step(coop.as_ref(), &theirs));
        let close = gradient.iter().zip(&of_coop).all(|(a, b)| (a - b).abs() < 1e-5);
        (loss - expected).abs() < 1e-5 && close
    };
    assert!(same(&[("ctx", 2.0), ("weight", 0.0), ("layer", 0.0)]));
    assert!(!same(&[("ctx", 2.0), ("weight", 8.0), ("layer", 0.0)]), "control: the weight counts");
    assert!(!same(&[("ctx", 2.0), ("weight", 0.0), ("layer", 1.0)]), "control: class rows count");
}

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

/// With nothing learnt or no share of what is learnt, logits are zero-shot's to the bit.
#[test]
fn what_adds_nothing_is_zero_shot() {
    let task = Task::new("nothing");
    let expected = task.logits(method("zero_shot", &[]).as_ref(), &Named::default());
    for (id, off, on) in [
        ("tip_adapter", vec![("alpha", 0.0)], vec![("alpha", 1.0)]),
        ("task_res", vec![("scale", 0.0)], vec![("scale", 0.5)]),
        ("clip_lora", vec![], vec![]),
        ("ln_only", vec![], vec![]),
    ] {
        let values = |method: &dyn Method, moved: bool| {
            let parameters = task.init(method);
            let mut stream = Stream::new(&["moved", id]);
            for (_, var) in parameters.iter().filter(|_| moved) {
                let value = var.as_tensor() + normals(var.dims(), 0.3, DType::F32, &mut stream);
                var.set(&value.unwrap()).unwrap();
            }
            parameters.values().unwrap()
        };
        // A share of 0 hides any parameters; the others must be at their start.
        let without = method(id, &off);
        let logits = task.logits(without.as_ref(), &values(without.as_ref(), !off.is_empty()));
        assert_eq!(logits, expected, "{id}");
        let with = method(id, &on);
        assert_ne!(task.logits(with.as_ref(), &values(with.as_ref(), true)), expected, "{id}: control");
    }
}

/// Dropout is drawn for training steps alone: named alike it is the same to the bit, otherwise not; at a rate of 0 the step is
/// that without noise.
#[test]
fn dropout_is_drawn_for_steps_and_by_name() {
    let task = Task::new("dropout");
    let loss = |rate: f64, noise: Option<&str>| {
        let lora = method("clip_lora", &[("dropout", rate)]);
        let parameters = task.moved(lora.as_ref(), 0.2);
        let head = lora.bind(&task.clip, &task.texts).unwrap();
        let slot = StepPart { parameters: &parameters, labels: Some(&task.labels), noise };
        let step = joint_step(head.as_ref(), &[slot], &task.images, (0, 0)).unwrap();
        bits(&step.into_iter().flatten().next().unwrap().unwrap())
    };
    let plain = loss(0.0, None);
    assert_eq!(loss(0.25, None), plain);
    assert_eq!(loss(0.0, Some("a")), plain);
    assert_eq!(loss(0.25, Some("a")), loss(0.25, Some("a")));
    assert_ne!(loss(0.25, Some("a")), plain, "control: something is left out");
    assert_ne!(loss(0.25, Some("a")), loss(0.25, Some("b")), "control: another step leaves out others");
}

/// Weights in the tower and the same weights merged into a frozen one give the same logits.
#[test]
fn merged_weights_are_the_inserted_ones() {
    let task = Task::new("merged");
    for id in ["clip_lora", "ln_only"] {
        let method = method(id, &[]);
        let parameters = task.init(method.as_ref());
        let mut stream = Stream::new(&["moved", id]);
        for (_, var) in parameters.iter() {
            let value = var.as_tensor() + normals(var.dims(), 0.2, DType::F32, &mut stream);
            var.set(&value.unwrap()).unwrap();
        }
        let head = method.bind(&task.clip, &task.texts).unwrap();
        let logits = |values: &Named| head.classifier(values).unwrap().logits(&task.images).unwrap();
        let merged = logits(&parameters.values().unwrap());
        assert_close(id, &logits(&parameters.tracked()), &merged, 1e-5);
        let start = logits(&task.init(method.as_ref()).values().unwrap());
        let moved = numbers(&merged).iter().zip(numbers(&start)).any(|(a, b)| (a - b).abs() > 1e-2);
        assert!(moved, "{id}: control, the weights do nothing");
    }
}

#[test]
fn a_guided_step_never_goes_against_its_guide() {
    let mut opposed = 0;
    for seed in 0..12 {
        let task = Task::new(&format!("guide {seed}"));
        let step = task.step(method("prograd", &[("ctx", 2.0)]).as_ref());
        let guided = step.guided.unwrap();
        for (index, guide) in guided.guide.iter().enumerate() {
            let product = |t: &Tensor| numbers(&(t * guide).unwrap()).iter().sum::<f64>();
            let size = numbers(guide).iter().map(|x| x * x).sum::<f64>();
            assert!(product(&step.tensors[index]) >= -1e-5 * size, "seed {seed}");
            assert_eq!(guided.opposed[index], product(&guided.own[index]) < 0.0, "seed {seed}");
            opposed += usize::from(guided.opposed[index]);
        }
    }
    assert!(opposed > 0, "control: no case was projected");
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
