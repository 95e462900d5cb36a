//! The number format of products with frozen weights.
//!
//! The weights of linear layers are held in it, and the rows that meet them are rounded to it, forward and
//! backward; the product goes on in f32. Embeddings, biases, LayerNorm, attention, softmax, prompts, loss
//! and optimiser stay in f32 throughout.

use candle_core::DType;

/// A format for products with frozen weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits: no rounding.
    #[default]
    F32,
    /// 16 bits, 8 of them exponent.
    Bf16,
    /// 16 bits, 5 of them exponent: nothing above 65 504.
    F16,
}

/// A name that is no precision.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("read dtype {0:?}: unknown; expected f32, bf16 or f16")]
pub struct PrecisionError(String);

impl Precision {
    /// All of them, the exact one first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    /// Its name in records and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// candle's name of it.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(name: &str) -> Result<Self, PrecisionError> {
        let found = Self::ALL.into_iter().find(|precision| precision.as_str() == name);
        found.ok_or_else(|| PrecisionError(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_others_are_refused() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        let error = "fp16".parse::<Precision>().unwrap_err().to_string();
        assert!(error.contains("fp16") && error.contains("f32, bf16 or f16"), "{error}");
    }
}
