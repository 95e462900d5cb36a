//! Nothing is computed for nobody: a pass whose classifiers have all failed opens no further image.

use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{Device, Tensor};
use rpo_bench::data::{ImageSource, Item, PixelError};
use rpo_bench::method::{ClassifierSet, ImageBatch, MethodError, Needs, Shares};
use rpo_bench::preprocess::Rgb8;
use rpo_bench::suite::World;
use rpo_bench::train::{NoPartials, Panel, TestImages, evaluate};

struct Counting<'a>(&'a dyn ImageSource, AtomicUsize);

impl ImageSource for Counting<'_> {
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.image(item)
    }
}

/// Logits of zeros, or an error.
struct Constant {
    fails: bool,
}

impl ClassifierSet for Constant {
    fn logits(&self, images: &ImageBatch, _: Shares) -> Result<Vec<Tensor>, MethodError> {
        match self.fails {
            true => Err(MethodError::Images("anything")),
            false => Ok(vec![Tensor::zeros((images.len(), 3), candle_core::DType::F32, &Device::Cpu)?]),
        }
    }
}

#[test]
fn a_pass_ends_with_its_last_classifier() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    let grid = world.clip.grid();
    let items: Vec<_> = dataset.split.test.iter().take(4 * grid).map(|item| (item, 0)).collect();
    assert!(items.len() > 3 * grid);
    let opened = |fails: &[bool]| {
        let source = Counting(dataset.source.as_ref(), AtomicUsize::new(0));
        let needs = Needs::POOLED;
        let images = TestImages { clip: &world.clip, source: &source, items: &items, needs, features: None };
        let panel = |fails: &bool| Panel { set: Box::new(Constant { fails: *fails }), wanted: vec![0] };
        let panels: Vec<Panel> = fails.iter().map(panel).collect();
        let all = evaluate(&images, &panels, &mut NoPartials, &|| false, &|_| {}).unwrap();
        assert!(all.iter().zip(fails).all(|(outcome, fails)| outcome.is_err() == *fails));
        assert!(all.iter().flatten().all(|rows| rows.len() == items.len()));
        source.1.into_inner()
    };
    assert!(opened(&[true, true]) <= 2 * grid, "the chunk at hand, and the one that was being prepared");
    assert_eq!(opened(&[true, false]), items.len(), "the control: one is left");
}
