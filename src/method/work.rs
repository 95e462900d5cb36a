//! Multiply-adds of a method, counted from the model's shape: what the code does, not what it must do.
//!
//! Only matrix products are counted, and a backward pass through frozen weights to their input as one more
//! forward pass: the weights' own gradients are never formed.

use crate::backbone::{ClipConfig, TowerConfig};

/// What a method computes and keeps, in multiply-adds and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Once per class set.
    pub bind: u64,
    /// One training step, forward and backward, without the frozen passes of its images.
    pub step: u64,
    /// The text side of one evaluation, once for all its images.
    pub classifier: u64,
    /// What is made of one image before the method's own part; 0 where the method runs the tower itself.
    pub image: u64,
    /// One evaluated image besides its frozen pass.
    pub evaluate: u64,
    /// Keys and values kept for the class set, in bytes of f32.
    pub kept_text_bytes: u64,
    /// What is kept of one image (keys and values, or tokens before the first block), in bytes of f32.
    pub kept_image_bytes: u64,
    /// What a training step holds at one time however its work is cut, in bytes of f32: trained values with momentum and
    /// gradient, the features of all prompts and the logits, each with its gradient. A lower bound.
    pub step_bytes: u64,
}

/// A model shape and a class set.
#[derive(Clone, Debug)]
pub struct Shape<'a> {
    /// The model.
    pub config: &'a ClipConfig,
    /// Images per training step.
    pub batch: u64,
    /// Tokens SOS..EOS of every class prompt.
    lengths: Vec<u64>,
    /// Tokens that all of them begin with.
    prefix: u64,
}

const F32_BYTES: u64 = 4;
/// Widths of a row that backward needs of a block, at the least: input, queries, output, and the MLP's inside.
const KEPT_WIDTHS: u64 = 6;

/// Multiply-adds of one row in one block: queries and output, keys and values, MLP.
fn row(tower: &TowerConfig) -> [u64; 3] {
    let (d, hidden) = (tower.width as u64, tower.mlp_width as u64);
    [2 * d * d, 2 * d * d, 2 * d * hidden]
}

/// Attention of `pairs` queries and keys: the score, and the weighted sum.
fn attention(tower: &TowerConfig, pairs: u64) -> u64 {
    2 * tower.width as u64 * pairs
}

/// Tokens through a tower whose last block goes on with `read` rows only; `pairs` queries and keys a block,
/// `last_pairs` in the last.
fn tokens(tower: &TowerConfig, rows: u64, read: u64, pairs: u64, last_pairs: u64) -> u64 {
    let [q_out, kv, mlp] = row(tower);
    let whole = rows * (q_out + kv + mlp) + attention(tower, pairs);
    let last = rows * kv + read * (q_out + mlp) + attention(tower, last_pairs);
    (tower.layers as u64).saturating_sub(1) * whole + last
}

/// Readers through a tower: no keys and values of their own.
fn readers(tower: &TowerConfig, rows: u64, pairs: u64) -> u64 {
    let [q_out, _, mlp] = row(tower);
    tower.layers as u64 * (rows * (q_out + mlp) + attention(tower, pairs))
}

/// Whole sequences of `n` rows through a tower.
fn whole(tower: &TowerConfig, sequences: u64, n: u64) -> u64 {
    tower.layers as u64 * sequences * (n * row(tower).iter().sum::<u64>() + attention(tower, n * n))
}

impl<'a> Shape<'a> {
    /// Of class prompts (token ids BOS … EOS).
    pub fn new(config: &'a ClipConfig, prompts: &[Vec<u32>], batch: u64) -> Self {
        let first = prompts.first().map_or(&[] as &[u32], Vec::as_slice);
        let common = |other: &Vec<u32>| first.iter().zip(other).take_while(|(a, b)| a == b).count();
        let prefix = prompts.iter().map(|p| common(p).min(p.len().saturating_sub(1))).min().unwrap_or(0);
        let lengths = prompts.iter().map(|prompt| prompt.len() as u64).collect();
        Self { config, batch, lengths, prefix: prefix as u64 }
    }

    /// Number of classes.
    pub fn classes(&self) -> u64 {
        self.lengths.len() as u64
    }

    /// Bytes of f32 of a step that trains `trained` numbers and leaves `features` vectors of the joint space and `logits`
    /// logits. Saturating: settings may ask for anything.
    pub fn step_bytes(&self, trained: u64, features: u64, logits: u64) -> u64 {
        let outputs = features.saturating_mul(self.joint()).saturating_add(logits);
        let numbers = trained.saturating_mul(3).saturating_add(outputs.saturating_mul(2));
        numbers.saturating_mul(F32_BYTES)
    }

    /// Bytes of f32 that backward needs of `k` readers of one class and one image: classes and images can be cut apart,
    /// readers cannot.
    pub fn reader_bytes(&self, k: u64) -> u64 {
        let numbers = |tower: &TowerConfig| KEPT_WIDTHS * (tower.layers * tower.width) as u64;
        k.saturating_mul(numbers(&self.config.text) + numbers(&self.config.vision)).saturating_mul(F32_BYTES)
    }

    /// Width of the joint space.
    pub fn joint(&self) -> u64 {
        self.config.projection_dim as u64
    }

    fn text_row_count(&self) -> u64 {
        self.prefix + self.lengths.iter().map(|length| length - self.prefix).sum::<u64>()
    }

    fn text_projection(&self, rows: u64) -> u64 {
        rows * self.config.text.width as u64 * self.joint()
    }

    fn image_projection(&self, rows: u64) -> u64 {
        rows * self.config.vision.width as u64 * self.joint()
    }

    /// All class prompts once, the shared beginning once.
    pub fn text_tokens(&self) -> u64 {
        let triangle = |n: u64| n * (n + 1) / 2;
        let own = |length: &u64| triangle(*length) - triangle(self.prefix);
        let pairs = triangle(self.prefix) + self.lengths.iter().map(own).sum::<u64>();
        let last = self.lengths.iter().sum();
        let (rows, classes) = (self.text_row_count(), self.classes());
        tokens(&self.config.text, rows, classes, pairs, last) + self.text_projection(classes)
    }

    /// All class prompts once, sharing only their first `shared` rows.
    pub fn text_unshared(&self, shared: u64) -> u64 {
        let apart = Self { prefix: shared.min(self.prefix), ..self.clone() };
        apart.text_tokens()
    }

    /// `k` readers of every class.
    pub fn text_readers(&self, k: u64) -> u64 {
        let rows = k * self.classes();
        let pairs = k * self.lengths.iter().sum::<u64>();
        readers(&self.config.text, rows, pairs) + self.text_projection(rows)
    }

    /// `k` rows behind every class prompt, which see it and in causal order each other.
    pub fn text_followers(&self, k: u64) -> u64 {
        let rows = k * self.classes();
        let own = self.classes() * k * (k + 1) / 2;
        let pairs = k * self.lengths.iter().sum::<u64>() + own;
        let [_, kv, _] = row(&self.config.text);
        let keys = self.config.text.layers as u64 * rows * kv;
        keys + readers(&self.config.text, rows, pairs) + self.text_projection(rows)
    }

    /// Whole text sequences of `n` rows, or of the longest prompt and `k` more where that is longer.
    pub fn text_whole(&self, k: u64, n: u64) -> u64 {
        let n = n.max(self.lengths.iter().max().copied().unwrap_or(0) + k);
        whole(&self.config.text, self.classes(), n) + self.text_projection(k * self.classes())
    }

    fn patches(&self) -> u64 {
        let (p, width) = (self.config.patch_size as u64, self.config.vision.width as u64);
        (self.image_rows() - 1) * 3 * p * p * width
    }

    fn image_rows(&self) -> u64 {
        self.config.image_tokens() as u64
    }

    /// The frozen pass of one image.
    pub fn image_tokens(&self) -> u64 {
        let n = self.image_rows();
        if let Some(resnet) = &self.config.resnet {
            return resnet.multiply_adds(self.config.image_size, self.config.projection_dim);
        }
        self.patches() + tokens(&self.config.vision, n, 1, n * n, n) + self.image_projection(1)
    }

    /// `k` readers of one image.
    pub fn image_readers(&self, k: u64) -> u64 {
        readers(&self.config.vision, k, k * self.image_rows()) + self.image_projection(k)
    }

    /// One image with `k` prompts in its sequence.
    pub fn image_whole(&self, k: u64) -> u64 {
        self.patches() + whole(&self.config.vision, 1, self.image_rows() + k) + self.image_projection(k)
    }

    /// One image's tokens up to the first block's attention.
    pub fn image_entering(&self) -> u64 {
        let [q_out, kv, _] = row(&self.config.vision);
        self.patches() + self.image_rows() * (q_out / 2 + kv)
    }

    /// `k` prompts, which alone are read, in the sequence of one image whose tokens have entered already.
    pub fn image_beside(&self, k: u64) -> u64 {
        let (tower, n) = (&self.config.vision, self.image_rows() + k);
        let [q_out, kv, _] = row(tower);
        // Of a single block nobody reads the queries of the image's own tokens.
        let entered = self.image_rows() * if tower.layers > 1 { q_out / 2 + kv } else { kv };
        tokens(tower, n, k, n * n, k * n) - entered + self.image_projection(k)
    }

    /// One image with `k` rows more in its sequence, of which the class token alone is read.
    pub fn image_prompted(&self, k: u64) -> u64 {
        let n = self.image_rows() + k;
        self.patches() + tokens(&self.config.vision, n, 1, n * n, n) + self.image_projection(1)
    }

    /// Bytes of every layer's keys and values of the class prompts.
    pub fn text_cache_bytes(&self) -> u64 {
        let tower = &self.config.text;
        2 * F32_BYTES * (tower.layers * tower.width) as u64 * self.text_row_count()
    }

    /// Bytes of every layer's keys and values of one image.
    pub fn image_cache_bytes(&self) -> u64 {
        let tower = &self.config.vision;
        2 * F32_BYTES * (tower.layers * tower.width) as u64 * self.image_rows()
    }

    /// Bytes of one image's tokens before the first block, with queries, keys and values.
    pub fn image_entering_bytes(&self) -> u64 {
        4 * F32_BYTES * self.config.vision.width as u64 * self.image_rows()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::bench::ModelShape;

    /// ViT-B/16 against figures counted by hand (GFLOP, two a multiply-add): 32.7 a frozen image, 0.149 a vision
    /// reader, 0.0629 a text reader without its few keys.
    #[test]
    fn vit_b_16_agrees_with_the_count_by_hand() {
        let config = ModelShape::find("vit-b-16").unwrap().config();
        let prompts: Vec<Vec<u32>> = (0..50).map(|class| vec![1, 2, 3, 4, 5, 10 + class, 6, 7]).collect();
        let shape = Shape::new(&config, &prompts, 4);
        let close = |ours: u64, gflop: f64| {
            let ours = 2e-9 * ours as f64;
            assert!((ours - gflop).abs() < 0.01 * gflop, "{ours} {gflop}");
        };
        close(shape.image_tokens(), 32.7);
        close(shape.image_readers(24), 24.0 * 0.150);
        close(shape.text_readers(24), 1200.0 * 0.0636);
        assert_eq!(shape.text_row_count(), 5 + 50 * 3);
        assert!(shape.text_whole(24, 77) > 8 * shape.text_readers(4));
    }
}
