//! Texts cut at EOS that share their beginning are the full padded causal pass over all positions.
//!
//! The sharing must hold for the gradient too: a context's gradient is the sum over all classes behind it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod cases;
mod common;

use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;
use rpo_bench::backbone::{Clip, TextLayout};
use rpo_bench::method::rpo_full::{Visibility, text_mask};
use rpo_bench::util::rng::Stream;

use cases::cases;
use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

/// Context rows behind SOS: the words all prompts share.
const CONTEXT: usize = 4;

struct Model {
    clip: Clip,
    prompts: Vec<Vec<u32>>,
    dtype: DType,
}

impl Model {
    fn new(dtype: DType, classes: usize, stream: &mut Stream) -> Self {
        let config = tiny_config(stream);
        let weights = random_weights(&config, dtype, stream);
        let prompts = class_prompts(&config, classes, stream);
        Self { clip: Clip::new(config, &weights).unwrap(), prompts, dtype }
    }

    /// Prompts padded with id 0 to all positions, the words behind SOS replaced by `context`
    /// `[CONTEXT, width]` when there is one; causal attention: `[classes, joint]`.
    fn padded(&self, context: Option<&Tensor>) -> Tensor {
        let n = self.clip.config.context_length;
        let row = |prompt: &Vec<u32>| {
            let ids: Vec<u32> = prompt.iter().copied().chain(std::iter::repeat(0)).take(n).collect();
            let words = self.clip.text.embed(&ids).unwrap();
            let Some(context) = context else { return words };
            let behind = words.narrow(0, 1 + CONTEXT, n - 1 - CONTEXT).unwrap();
            Tensor::cat(&[&words.narrow(0, 0, 1).unwrap(), context, &behind], 0).unwrap()
        };
        let embeddings = Tensor::stack(&self.prompts.iter().map(row).collect::<Vec<_>>(), 0).unwrap();
        let positioned = Tensor::ones((self.prompts.len(), n, 1), self.dtype, &Device::Cpu).unwrap();
        let last = vec![n - 1; self.prompts.len()];
        let causal = text_mask(&last, n, Visibility::Ordinary, &Device::Cpu).unwrap();
        let causal = causal.to_dtype(self.dtype).unwrap();
        let rows = self.clip.text.masked(&embeddings, &positioned, &causal, &mut |_, _| Ok(())).unwrap();
        let eos = self.prompts.iter().enumerate();
        let eos = eos.map(|(class, prompt)| rows.get(class).unwrap().narrow(0, prompt.len() - 1, 1).unwrap());
        self.clip.text.project(&Tensor::cat(&eos.collect::<Vec<_>>(), 0).unwrap()).unwrap()
    }

    /// The engine with the longest shared beginning.
    fn shared(&self) -> Tensor {
        let layout = TextLayout::shared(&self.prompts, self.clip.config.context_length).unwrap();
        self.clip.text.encode(&layout).unwrap().features
    }

    /// The engine with contexts `[copies, CONTEXT, width]`: `[copies, classes, joint]`.
    fn prefixed(&self, contexts: &Tensor) -> Tensor {
        let layout = TextLayout::new(&self.prompts, 1 + CONTEXT, self.clip.config.context_length).unwrap();
        let (copies, _, width) = contexts.dims3().unwrap();
        let start = self.clip.text.embed(&self.prompts[0][..1]).unwrap();
        let start =
            start.unsqueeze(0).unwrap().broadcast_as((copies, 1, width)).unwrap().contiguous().unwrap();
        let prefix = Tensor::cat(&[&start, contexts], 1).unwrap();
        self.clip.text.encode_prefixed(&prefix, &layout).unwrap()
    }
}

/// f32 and f64 with the share of the scale that features and gradients may differ by. A LayerNorm over few
/// numbers of little spread magnifies f32's rounding, in the backward once more: f64 is what proves.
const PRECISIONS: [(DType, f64, f64); 2] = [(DType::F32, 1e-5, 1e-4), (DType::F64, 1e-11, 1e-11)];

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn shared_texts_are_the_padded_pass(seed: u64, classes in 1usize..6) {
        let mut stream = Stream::new(&["shared", &seed.to_string()]);
        for (dtype, tolerance, _) in PRECISIONS {
            let model = Model::new(dtype, classes, &mut stream);
            assert_close("text features", &model.shared(), &model.padded(None), tolerance);
        }
    }

    #[test]
    fn a_shared_context_has_the_padded_features_and_gradient(
        seed: u64,
        classes in 1usize..6,
        copies in 1usize..4,
    ) {
        let mut stream = Stream::new(&["context", &seed.to_string()]);
        for (dtype, tolerance, gradient_tolerance) in PRECISIONS {
            let model = Model::new(dtype, classes, &mut stream);
            let config = &model.clip.config;
            let (width, joint) = (config.text.width, config.projection_dim);
            let contexts = Var::from_tensor(&normals(&[copies, CONTEXT, width], 0.7, dtype, &mut stream)).unwrap();
            let cotangent = normals(&[copies, classes, joint], 1.0, dtype, &mut stream);
            let shared = model.prefixed(&contexts);
            let padded = (0..copies).map(|i| model.padded(Some(&contexts.get(i).unwrap())));
            let padded = Tensor::stack(&padded.collect::<Vec<_>>(), 0).unwrap();
            assert_close("features behind a context", &shared, &padded, tolerance);
            let gradient = |features: &Tensor| {
                let store = (features * &cotangent).unwrap().sum_all().unwrap().backward().unwrap();
                store.get(&contexts).unwrap().clone()
            };
            let expected = gradient(&padded);
            prop_assert!(numbers(&expected).iter().any(|g| g.abs() > 1e-3), "the gradient vanishes");
            assert_close("gradient of the context", &gradient(&shared), &expected, gradient_tolerance);
        }
    }
}
