//! Switches that decide by which images something is chosen.

use candle_core::{Device, Tensor};
use rpo_bench::method::{ClassTexts, FixedShots, MethodError, Needs, Pool, Selection, Shots};
use rpo_bench::train::frozen_pass;
use serde_json::Value;

use super::{method, pixels, plan, pocket, ran, stream};

/// The selection of a method under these settings.
fn selection(id: &str, settings: &[&str]) -> Option<Selection> {
    method(&plan(settings), id).method.selection()
}

/// The marks of a selection's pools.
fn marks(selection: Option<Selection>) -> Vec<Option<&'static str>> {
    selection.into_iter().flat_map(|selection| selection.pools).map(|pool| pool.mark()).collect()
}

#[test]
fn the_gradient_of_alpha_is_summed_or_fresh() {
    let (clip, prompts) = pocket();
    let texts = ClassTexts::of(&prompts);
    let joint = clip.config.projection_dim;
    let shots = FixedShots::random(prompts.len(), joint, &Device::Cpu).unwrap();
    let alpha = |setting: &[&str]| {
        let plan = plan(setting);
        let resolved = method(&plan, "lp_plus_plus");
        let solved = resolved.method.init(&clip, &texts, Some(&shots), &mut stream()).unwrap();
        solved.fixed().get("alpha", &[prompts.len()]).unwrap().to_vec1::<f32>().unwrap()
    };
    let steps = |number: u32| format!("lp_plus_plus.steps={number}");
    // Until the first move both have seen the same gradients; the sum shows from then on.
    let nine = steps(9);
    assert_eq!(alpha(&[&nine]), alpha(&[&nine, "lp_plus_plus.accumulate=false"]));
    let twenty = steps(20);
    assert_ne!(alpha(&[&twenty]), alpha(&[&twenty, "lp_plus_plus.accumulate=false"]));
}

/// The step is the last, or the latest of those after which most validation images are right.
#[test]
fn the_step_is_chosen_as_told() {
    assert_eq!(selection("lp_plus_plus", &[]), None);
    assert_eq!(marks(selection("lp_plus_plus", &["lp_plus_plus.selection=few"])), [None]);
    assert_eq!(marks(selection("lp_plus_plus", &["protocol=published"])), [Some("as_many_as_shots")]);
    let (clip, prompts) = pocket();
    let (texts, joint) = (ClassTexts::of(&prompts), clip.config.projection_dim);
    let shots = FixedShots::random_images(12, (prompts.len(), joint), &Device::Cpu).unwrap();
    let other = FixedShots::random_images(60, (prompts.len(), joint), &Device::Cpu).unwrap();
    let judged = Judged { shots, validation: other.views[0].narrow(0, 12, 48).unwrap() };
    let solved = |settings: &[&str]| {
        let plan = plan(settings);
        let method = &method(&plan, "lp_plus_plus").method;
        let values = method.init(&clip, &texts, Some(&judged), &mut stream()).unwrap().values().unwrap();
        let pixels = pixels(&clip).narrow(0, 0, 1).unwrap();
        let mut images = frozen_pass(&clip, pixels, Needs::POOLED).unwrap();
        let (features, labels) = judged.validation(Pool::Few).unwrap();
        images.frozen.as_mut().unwrap().features = features;
        let head = method.bind(&clip, &texts).unwrap();
        let predicted = head.classifier(&values).unwrap().logits(&images).unwrap().argmax(1).unwrap();
        let right = predicted.to_vec1::<u32>().unwrap().iter().zip(&labels).filter(|(a, b)| a == b).count();
        (right, values.get("weight", &[0, 0]).unwrap().to_vec2::<f32>().unwrap())
    };
    const STEPS: usize = 40;
    let after: Vec<_> = (1..=STEPS).map(|steps| solved(&[&format!("lp_plus_plus.steps={steps}")])).collect();
    let most = after.iter().map(|(right, _)| *right).max().unwrap();
    let latest = after.iter().rposition(|(right, _)| *right == most).unwrap();
    let last = format!("lp_plus_plus.steps={STEPS}");
    assert!(solved(&["lp_plus_plus.selection=few", &last]) == after[latest]);
    assert!(after[latest].1 != after[STEPS - 1].1, "control: step {latest} is not the last");
}

/// Shots with validation images of their own.
struct Judged {
    shots: FixedShots,
    /// `[images, joint]`.
    validation: Tensor,
}

impl Shots for Judged {
    fn labels(&self) -> Vec<u32> {
        self.shots.labels()
    }

    fn pooled(&self, view: usize) -> Result<Tensor, MethodError> {
        self.shots.pooled(view)
    }

    fn validation(&self, _: Pool) -> Result<(Tensor, Vec<u32>), MethodError> {
        let images = self.validation.dim(0)? as u32;
        Ok((self.validation.clone(), (0..images).map(|image| image * image % 3).collect()))
    }
}

/// Alpha and beta are fixed, or those with which the memory answers most validation images of its kind.
#[test]
fn the_memory_is_weighed_as_told() {
    let (clip, prompts) = pocket();
    let texts = ClassTexts::of(&prompts);
    let shots = FixedShots::random(prompts.len(), clip.config.projection_dim, &Device::Cpu).unwrap();
    let correct = |setting: &[&str]| {
        let plan = plan(setting);
        let tip = &method(&plan, "tip_adapter").method;
        let values = tip.init(&clip, &texts, Some(&shots), &mut stream()).unwrap();
        let head = tip.bind(&clip, &texts).unwrap();
        let pixels = pixels(&clip).narrow(0, 0, 1).unwrap().repeat((prompts.len(), 1, 1, 1)).unwrap();
        let mut images = frozen_pass(&clip, pixels, Needs::POOLED).unwrap();
        images.frozen.as_mut().unwrap().features = shots.views[0].clone();
        let logits = head.classifier(&values.values().unwrap()).unwrap().logits(&images).unwrap();
        let predicted = logits.argmax(1).unwrap().to_vec1::<u32>().unwrap();
        predicted.iter().zip(&shots.labels).filter(|(a, b)| a == b).count()
    };
    assert_eq!(selection("tip_adapter", &[]), None);
    assert_eq!(marks(selection("tip_adapter", &["tip_adapter.selection=few"])), [None]);
    assert_eq!(marks(selection("tip_adapter", &["protocol=published"])), [Some("whole_split")]);
    // With a memory of no weight the texts answer alone; chosen weights let the memory know its own images.
    let ignored = correct(&["tip_adapter.alpha=0"]);
    let chosen = correct(&["tip_adapter.alpha=0", "tip_adapter.selection=few"]);
    assert!(ignored < chosen, "{ignored} {chosen}");
}

/// Chosen on test images it cannot be worse there than it is unchosen; and its record says what it is.
#[test]
fn the_trained_memory_is_chosen_as_told() {
    assert_eq!(selection("tip_adapter_f", &[]), None);
    let published = selection("tip_adapter_f", &["protocol=published"]);
    assert_eq!(marks(published), [Some("whole_split"), Some("test_images")]);
    let run = |selection: &str| {
        let records = ran(
            "tip_adapter_f",
            &["tip_adapter_f.epochs=8", &format!("tip_adapter_f.selection={selection}")],
        );
        let [record] = records.as_slice() else { panic!("one record: {records:?}") };
        let validation = record["training"]["validation"].clone();
        (record["evaluations"][0]["correct"].as_u64().unwrap(), validation, record["training"].clone())
    };
    let [fixed, few, test] = ["fixed", "few", "test"].map(run);
    assert!(test.0 >= fixed.0, "{} {}", test.0, fixed.0);
    let said = |validation: &Value| {
        let chose = validation["chose"].as_str().unwrap().to_owned();
        (validation["images"].as_u64().unwrap() > 0, chose, validation["whole_split"].as_bool().unwrap())
    };
    assert_eq!(said(&fixed.1), (false, String::new(), false));
    assert_eq!(said(&few.1), (true, "epoch, alpha and beta".to_owned(), false));
    assert_eq!(said(&test.1), (true, "epoch, alpha and beta by test_images".to_owned(), true));
    assert_eq!(fixed.2["epochs"], test.2["epochs"], "the training is the same");
    let sha = |run: &(u64, Value, Value)| run.2["parameters_sha256"].clone();
    assert_ne!(sha(&fixed), sha(&test), "control: another epoch, or other weights");
}
