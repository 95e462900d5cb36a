//! Weights of the towers, and steps that mind a guide.

use candle_core::{DType, Tensor};
use rpo_bench::method::{Named, Shares};
use rpo_bench::train::{StepPart, joint_step};
use rpo_bench::util::rng::Stream;

use super::common::{assert_close, normals, numbers};
use super::{Task, bits, method};

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
        let step = joint_step(head.as_ref(), &[slot], &task.images, Shares::Even, (0, 0)).unwrap();
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
