//! Read-only prompts leave every token feature of both towers bit-equal, on the naive full-sequence path.
//!
//! On the cached path this would be a tautology: there the prompts never meet the tokens. So prompts are
//! real rows of whole sequences here, under the mask. The negative controls drop the mask, wholly or in
//! one head, and require the property to break: without them the property could hold for free.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod cases;
mod common;

use candle_core::{DType, Device, Result, Tensor};
use proptest::prelude::*;
use rpo_bench::backbone::Clip;
use rpo_bench::method::rpo_full::{PromptedTexts, Visibility, text_mask, vision_mask};
use rpo_bench::util::rng::Stream;

use cases::cases;
use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

/// A random model with two images and three classes.
struct Model {
    clip: Clip,
    pixels: Tensor,
    prompts: Vec<Vec<u32>>,
}

impl Model {
    fn new(stream: &mut Stream) -> Self {
        let config = tiny_config(stream);
        let weights = random_weights(&config, DType::F32, stream);
        let side = config.image_size;
        let pixels = normals(&[2, 3, side, side], 1.0, DType::F32, stream);
        let prompts = class_prompts(&config, 3, stream);
        Self { clip: Clip::new(config, &weights).unwrap(), pixels, prompts }
    }

    fn tokens(&self) -> usize {
        self.clip.config.image_tokens()
    }

    fn vision_mask(&self, k: usize, visibility: Visibility) -> Tensor {
        vision_mask(self.tokens(), k, visibility, &Device::Cpu).unwrap()
    }

    /// Every layer's token rows `[2, tokens, width]` with these prompts under this mask.
    fn vision_tokens(&self, prompts: Option<&Tensor>, mask: Option<&Tensor>) -> Result<Vec<Tensor>> {
        let mut layers = Vec::new();
        self.clip.vision.transformer().unwrap().masked(&self.pixels, prompts, mask, &mut |_, x| {
            layers.push(x.narrow(1, 0, self.tokens())?);
            Ok(())
        })?;
        Ok(layers)
    }

    fn texts(&self, k: usize) -> PromptedTexts {
        PromptedTexts::new(&self.clip, &self.prompts, k).unwrap()
    }

    /// Every layer's rows SOS … EOS of all classes `[rows, width]`, then the prompts' own features
    /// `[classes, k, joint]`.
    fn text_rows(&self, prompts: &Tensor, mask: &Tensor) -> Result<(Vec<Tensor>, Tensor)> {
        let k = prompts.dim(0)?;
        let (texts, mut layers) = (self.texts(k), Vec::new());
        let rows = texts.run(&self.clip, prompts, mask, &mut |_, x| {
            let classes = texts.eos().iter().enumerate();
            let words = classes.map(|(class, end)| x.get(class)?.narrow(0, 0, end + 1));
            layers.push(Tensor::cat(&words.collect::<Result<Vec<_>>>()?, 0)?);
            Ok(())
        })?;
        let classes = texts.eos().iter().enumerate();
        let read =
            classes.map(|(class, end)| self.clip.text.project(&rows.get(class)?.narrow(0, end + 1, k)?));
        Ok((layers, Tensor::stack(&read.collect::<Result<Vec<_>>>()?, 0)?))
    }

    fn text_mask(&self, k: usize, visibility: Visibility) -> Tensor {
        let texts = self.texts(k);
        text_mask(texts.eos(), texts.length(), visibility, &Device::Cpu).unwrap()
    }

    /// Every layer's rows SOS … EOS of all classes, each class run alone, without any prompt.
    fn plain_text(&self) -> Result<Vec<Tensor>> {
        let mut layers = vec![Vec::new(); self.clip.config.text.layers];
        for prompt in &self.prompts {
            let n = prompt.len();
            let mask = text_mask(&[n - 1], n, Visibility::Ordinary, &Device::Cpu)?;
            let embeddings = self.clip.text.embed(prompt)?.unsqueeze(0)?;
            let positioned = Tensor::ones((1, n, 1), DType::F32, &Device::Cpu)?;
            self.clip.text.masked(&embeddings, &positioned, &mask, &mut |layer, x| {
                layers[layer].push(x.squeeze(0)?);
                Ok(())
            })?;
        }
        layers.iter().map(|classes| Tensor::cat(classes, 0)).collect()
    }
}

/// For every layer, whether the two passes have the same bits.
fn same_bits(a: &[Tensor], b: &[Tensor]) -> Vec<bool> {
    assert_eq!(a.len(), b.len());
    let bits = |t: &Tensor| numbers(t).into_iter().map(f64::to_bits).collect::<Vec<_>>();
    a.iter().zip(b).map(|(a, b)| bits(a) == bits(b)).collect()
}

fn all(flags: &[bool], expected: bool) -> bool {
    flags.iter().all(|flag| *flag == expected)
}

/// Two prompt sets `[k, width]` whose entries reach 1e6.
fn two_sets(k: usize, width: usize, stream: &mut Stream) -> [Tensor; 2] {
    std::array::from_fn(|_| {
        let scale = 10f64.powf(stream.uniform_in(-3.0, 6.5));
        normals(&[k, width], scale, DType::F32, stream).clamp(-1e6, 1e6).unwrap()
    })
}

/// `set` with its first prompt replaced by the first of `other`.
fn with_first_of(set: &Tensor, other: &Tensor) -> Tensor {
    let rest = set.narrow(0, 1, set.dims()[0] - 1).unwrap();
    Tensor::cat(&[&other.narrow(0, 0, 1).unwrap(), &rest], 0).unwrap()
}

/// The read-only mask in every head but one; `[1, heads, n, n]`.
fn mask_missing_in_one_head(model: &Model, k: usize, head: usize) -> Tensor {
    let masks = (0..model.clip.config.vision.heads)
        .map(|h| model.vision_mask(k, if h == head { Visibility::Ordinary } else { Visibility::ReadOnly }));
    Tensor::stack(&masks.collect::<Vec<_>>(), 0).unwrap().unsqueeze(0).unwrap()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn image_tokens_never_see_a_prompt(seed: u64, k in 1usize..5) {
        let mut stream = Stream::new(&["image tokens", &seed.to_string()]);
        let model = Model::new(&mut stream);
        let [a, b] = two_sets(k, model.clip.config.vision.width, &mut stream);
        let mask = model.vision_mask(k, Visibility::ReadOnly);
        let with_a = model.vision_tokens(Some(&a), Some(&mask)).unwrap();
        let with_b = model.vision_tokens(Some(&b), Some(&mask)).unwrap();
        prop_assert_eq!(with_a.len(), model.clip.config.vision.layers);
        prop_assert!(all(&same_bits(&with_a, &with_b), true));
        // Sequences of another length are other matrix products: equal to rounding only.
        for (with, without) in with_a.iter().zip(model.vision_tokens(None, None).unwrap()) {
            assert_close("image tokens without prompts", with, &without, 1e-5);
        }
    }

    #[test]
    fn words_never_see_a_prompt(seed: u64, k in 1usize..5) {
        let mut stream = Stream::new(&["words", &seed.to_string()]);
        let model = Model::new(&mut stream);
        let [a, b] = two_sets(k, model.clip.config.text.width, &mut stream);
        let mask = model.text_mask(k, Visibility::ReadOnly);
        let (with_a, _) = model.text_rows(&a, &mask).unwrap();
        let (with_b, _) = model.text_rows(&b, &mask).unwrap();
        prop_assert_eq!(with_a.len(), model.clip.config.text.layers);
        prop_assert!(all(&same_bits(&with_a, &with_b), true));
        for (with, without) in with_a.iter().zip(model.plain_text().unwrap()) {
            assert_close("words without prompts", with, &without, 1e-5);
        }
    }

    #[test]
    fn control_without_the_mask_image_tokens_change(seed: u64, k in 1usize..5) {
        let mut stream = Stream::new(&["no mask", &seed.to_string()]);
        let model = Model::new(&mut stream);
        let [a, b] = two_sets(k, model.clip.config.vision.width, &mut stream);
        let mut masks = vec![model.vision_mask(k, Visibility::Ordinary)];
        masks.extend((0..model.clip.config.vision.heads).map(|h| mask_missing_in_one_head(&model, k, h)));
        for mask in masks {
            let with_a = model.vision_tokens(Some(&a), Some(&mask)).unwrap();
            let with_b = model.vision_tokens(Some(&b), Some(&mask)).unwrap();
            prop_assert!(all(&same_bits(&with_a, &with_b), false), "a layer did not change");
        }
    }

    /// In text, causality alone keeps SOS … EOS: what the mask adds is that prompts do not see each other.
    #[test]
    fn control_without_the_mask_prompts_see_each_other(seed: u64, k in 2usize..5) {
        let mut stream = Stream::new(&["columns", &seed.to_string()]);
        let model = Model::new(&mut stream);
        let [a, other] = two_sets(k, model.clip.config.text.width, &mut stream);
        let b = with_first_of(&a, &other);
        let others = |features: &Tensor| [features.narrow(1, 1, k - 1).unwrap()];
        for (visibility, independent) in [(Visibility::ReadOnly, true), (Visibility::Ordinary, false)] {
            let mask = model.text_mask(k, visibility);
            let (words_a, prompts_a) = model.text_rows(&a, &mask).unwrap();
            let (words_b, prompts_b) = model.text_rows(&b, &mask).unwrap();
            prop_assert!(all(&same_bits(&words_a, &words_b), true), "{:?}", visibility);
            let same = same_bits(&others(&prompts_a), &others(&prompts_b));
            prop_assert!(all(&same, independent), "{:?}", visibility);
        }
    }

    #[test]
    fn control_without_mask_and_causality_words_change(seed: u64, k in 1usize..5) {
        let mut stream = Stream::new(&["zero mask", &seed.to_string()]);
        let model = Model::new(&mut stream);
        let [a, b] = two_sets(k, model.clip.config.text.width, &mut stream);
        let mask = model.text_mask(k, Visibility::ReadOnly).zeros_like().unwrap();
        let (with_a, with_b) = (model.text_rows(&a, &mask).unwrap().0, model.text_rows(&b, &mask).unwrap().0);
        prop_assert!(all(&same_bits(&with_a, &with_b), false), "a layer did not change");
    }

    /// Beyond 1e6 the arithmetic of a prompt may overflow. Then the pass is refused; the tokens it
    /// returns are never anything but the frozen ones.
    #[test]
    fn overflowing_prompts_are_refused_or_harmless(
        seed: u64,
        k in 1usize..5,
        value in prop::sample::select(vec![1e30, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]),
        alternate: bool,
    ) {
        let mut stream = Stream::new(&["overflow", &seed.to_string()]);
        let model = Model::new(&mut stream);
        let prompt = |width: usize| {
            let sign = |i: usize| if alternate && i % 2 == 1 { -value } else { value };
            Tensor::from_iter((0..k * width).map(sign), &Device::Cpu).unwrap().reshape((k, width)).unwrap()
        };
        let zeros = |width: usize| Tensor::zeros((k, width), DType::F32, &Device::Cpu).unwrap();
        let (image, text) = (model.clip.config.vision.width, model.clip.config.text.width);
        let mask = model.vision_mask(k, Visibility::ReadOnly);
        let frozen = model.vision_tokens(Some(&zeros(image)), Some(&mask)).unwrap();
        let tokens = model.vision_tokens(Some(&prompt(image)), Some(&mask));
        let mask = model.text_mask(k, Visibility::ReadOnly);
        let plain = model.text_rows(&zeros(text), &mask).unwrap().0;
        let words = model.text_rows(&prompt(text), &mask).map(|(words, _)| words);
        for (pass, frozen) in [(tokens, frozen), (words, plain)] {
            // f32::MAX may go either way: it depends on the width whether a sum overflows.
            prop_assert!(pass.is_ok() || value != 1e30, "prompts of 1e30 were refused");
            prop_assert!(pass.is_err() || value.is_finite(), "prompts of {} were accepted", value);
            if let Ok(rows) = pass {
                prop_assert!(all(&same_bits(&rows, &frozen), true), "prompts of {} changed a token", value);
            }
        }
    }
}
