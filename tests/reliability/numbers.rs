//! NaN and infinity stop a training with the tensor's name, and never reach a parameter.

use candle_core::{Device, Tensor};
use rpo_bench::backbone::Precision;
use rpo_bench::method::{
    Classifier, ClassifierSet, Head, ImageBatch, MethodError, Named, Needs, Parameters, Shares,
};
use rpo_bench::preprocess::CROP_SCALE;
use rpo_bench::suite::World;
use rpo_bench::train::{
    FeatureStore, Fit, Member, NoCheckpoints, Recipe, Slots, TrainError, TrainingImages, TrainingSet, Views,
    fit,
};

/// What is wrong with the head.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Logits,
    Loss,
    Gradient,
    Unused,
    LastUpdate,
}

/// Logits = features · weight, with a fault.
struct FaultyHead(Fault, std::sync::atomic::AtomicUsize);
struct Faulty {
    fault: Fault,
    call: usize,
    weight: Tensor,
    extra: Tensor,
}

impl Head for FaultyHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let [parameters] = parameters else { panic!("one training at a time") };
        let call = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let weight = parameters.get("weight", &[0, 0])?.clone();
        let extra = parameters.get("extra", &[1])?.clone();
        Ok(Box::new(Faulty { fault: self.0, call, weight, extra }))
    }
}

impl ClassifierSet for Faulty {
    fn logits(&self, images: &ImageBatch, _: Shares) -> Result<Vec<Tensor>, MethodError> {
        Ok(vec![Classifier::logits(self, images)?])
    }
}

impl Classifier for Faulty {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let logits = images.pooled()?.matmul(&self.weight)?;
        let extra = match self.fault {
            Fault::Logits => (&self.extra * f64::INFINITY)?,
            // Finite, but the difference of two rows is not, nor is the softmax.
            Fault::Loss => {
                Tensor::new(&[f32::MAX, f32::MIN, 0.0], &Device::Cpu)?.broadcast_add(&self.extra)?
            }
            // √0 is finite, its slope is not.
            Fault::Gradient => self.extra.sqr()?.sqrt()?,
            Fault::Unused => Tensor::zeros(1, candle_core::DType::F32, &Device::Cpu)?,
            // A slope so steep that the update overflows, though every gradient is finite.
            Fault::LastUpdate if self.call == 2 => {
                let slope = Tensor::new(&[3e38f32, 0.0, 0.0], &Device::Cpu)?;
                let steep = slope.broadcast_mul(&(&self.extra + 1e-3)?)?;
                return Ok((logits * 1e-30)?.broadcast_add(&steep)?);
            }
            _ => self.extra.clone(),
        };
        Ok(logits.broadcast_add(&extra)?)
    }
}

/// Trains three epochs of one step with a fault; gives the end and whether the parameters moved.
fn train(world: &World, fault: Fault) -> (Result<usize, TrainError>, bool) {
    let dataset = world.dataset("eurosat").unwrap();
    let items = dataset.split.train.iter().take(4).map(|item| (item, 1)).collect();
    let source = dataset.source.as_ref();
    let (dataset_id, views, crop_scale) = ("eurosat", Views::Bank(1), CROP_SCALE);
    let set = TrainingSet { dataset: dataset_id, seed: 1, owner: "", items, source, views, crop_scale };
    let features = FeatureStore::new("test");
    let images = TrainingImages::new(&world.clip, &set, Needs::POOLED, &features, &|| false).unwrap();
    let width = world.clip.config.projection_dim;
    let start = || {
        let weight = Tensor::zeros((width, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        vec![("weight", weight), ("extra", Tensor::zeros(1, candle_core::DType::F32, &Device::Cpu).unwrap())]
    };
    let mut parameters = Parameters::new(start()).unwrap();
    let head = FaultyHead(fault, Default::default());
    let recipe = Recipe::common(10.0, 4, 3);
    let run = Fit {
        head: &head,
        recipe: &recipe,
        needs: Needs::POOLED,
        storage: Precision::F32,
        slots: Slots::Fixed(1),
        ahead: false,
    };
    let stream = ["eurosat", "1", "faulty"];
    let keeper = &mut NoCheckpoints;
    let mut members =
        [Member { slot: 0, images: &images, stream, parameters: &mut parameters, keeper, score: None }];
    let result = fit(&run, &mut members, &|| false, &mut |_| {}).unwrap().pop().unwrap();
    let values = |p: &Parameters| {
        p.iter().flat_map(|(_, v)| v.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect::<Vec<_>>()
    };
    let moved = values(&parameters) != values(&Parameters::new(start()).unwrap());
    (result.map(|log| log.len()), moved)
}

#[test]
fn a_number_that_is_not_finite_stops_the_training_and_is_named() {
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let (result, moved) = train(&world, Fault::None);
    assert_eq!((result.unwrap(), moved), (3, true));
    for (fault, name, place) in [
        (Fault::Logits, "logits", (0, 0)),
        (Fault::Loss, "loss", (0, 0)),
        (Fault::Gradient, "gradient of extra", (0, 0)),
        (Fault::LastUpdate, "extra", (2, 0)),
    ] {
        match train(&world, fault) {
            (Err(TrainError::NotFinite { tensor, epoch, step }), moved) => {
                assert_eq!((tensor.as_str(), (epoch, step)), (name, place));
                assert_eq!(moved, fault == Fault::LastUpdate, "{fault:?}: a parameter moved");
            }
            (other, _) => panic!("{fault:?}: {other:?}"),
        }
    }
    let (result, moved) = train(&world, Fault::Unused);
    assert!(matches!(&result, Err(TrainError::NoGradient(name)) if name == "extra"), "{result:?}");
    assert!(!moved);
}
