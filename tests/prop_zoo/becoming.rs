//! Where a method becomes another, or zero-shot CLIP.

use candle_core::DType;
use rpo_bench::method::{ClassTexts, Method, Named, Parameters};
use rpo_bench::train::loss_and_gradients;
use rpo_bench::util::rng::Stream;

use super::common::{normals, numbers};
use super::{CLASSES, Task, bits, method};

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
