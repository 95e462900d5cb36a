//! A method's own count of its work, which plans and limits rest on, against the products that were made.
//!
//! Towers here are wide and sequences short, so that attention, which is computed once more on the way back, weighs little.

use rpo_bench::backbone::nn::operations;
use rpo_bench::method::REGISTRY;
use rpo_bench::method::work::Shape;
use rpo_bench::train::{frozen_pass, loss_and_gradients};
use rpo_bench::util::rng::Stream;

use super::{Task, config, method};

/// Multiply-adds of `work`, and what it gives.
fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = operations().multiply_adds;
    let value = work();
    (value, operations().multiply_adds - before)
}

/// Whether what was said is what was made, but for attention that is computed again on the way back.
fn agree(said: u64, made: u64, slack: u64) -> bool {
    made + slack >= said && made as f64 <= 1.15 * said as f64 + slack as f64
}

fn wide() -> Task {
    let mut stream = Stream::new(&["zoo", "wide"]);
    let mut config = config(&mut stream);
    for tower in [&mut config.vision, &mut config.text] {
        (tower.width, tower.heads, tower.mlp_width, tower.layers) = (96, 2, 384, 3);
    }
    (config.image_size, config.patch_size, config.projection_dim) = (4, 2, 48);
    (config.vocab_size, config.context_length) = (400, 24);
    Task::of(config, stream)
}

#[test]
fn what_a_method_says_it_multiplies_is_what_was_multiplied() {
    let task = wide();
    let batch = task.images.len() as u64;
    let shape = Shape::new(&task.clip.config, &task.texts.prompts, batch);
    let mut faults = Vec::new();
    for entry in REGISTRY {
        let method = method(entry.id, sizes(entry.id));
        let work = method.work(&shape);
        let mut hold = |what: &str, said: u64, made: u64| {
            // What is small beside a step need not be told exactly; nor that words, which are frozen, get no input gradient in
            // the first block, a twentieth of a step here, where a tower has three.
            let slack = (work.step / 16).max(work.bind / 25);
            if !agree(said, made, slack) {
                faults.push(format!("{} {what}: says {said}, made {made}", entry.id));
            }
        };
        let pixels = task.images.pixels().unwrap().clone();
        let (images, made) = counted(|| frozen_pass(&task.clip, pixels, method.needs()).unwrap());
        hold("frozen pass", batch * work.image, made);
        let (head, made) = counted(|| method.bind(&task.clip, &task.texts).unwrap());
        hold("bind", work.bind, made);
        let parameters = task.init(method.as_ref());
        let values = parameters.values().unwrap();
        let (classifier, made) = counted(|| head.classifier(&values).unwrap());
        hold("classifier", work.classifier, made);
        let (_, made) = counted(|| classifier.logits(&images).unwrap());
        hold("evaluation", batch * work.evaluate, made);
        if parameters.iter().next().is_some() {
            let (_, made) = counted(|| {
                loss_and_gradients(head.as_ref(), &parameters, &images, &task.labels, (0, 0)).unwrap()
            });
            hold("step", work.step, made);
            let slack = work.step / 16;
            assert!(
                !agree(2 * work.step, made, slack) && !agree(work.step / 2, made, slack),
                "control: {}",
                entry.id
            );
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Sizes that fit three blocks and short prompts.
fn sizes(id: &str) -> &'static [(&'static str, f64)] {
    match id {
        "coop" | "cocoop" => &[("context_tokens", 2.0)],
        "kgcoop" | "prograd" => &[("ctx", 2.0)],
        "tcp" => &[("ctx", 2.0), ("layer", 2.0)],
        "vpt" => &[("ctx", 2.0), ("depth", 2.0)],
        "maple" => &[("depth", 2.0)],
        "ivlp" | "promptsrc" => {
            &[("vision_ctx", 2.0), ("vision_depth", 2.0), ("text_ctx", 2.0), ("text_depth", 2.0)]
        }
        "rpo" => &[("k", 2.0)],
        _ => &[],
    }
}
