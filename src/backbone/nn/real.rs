//! The two element types the CPU operations are written for, and access to a tensor's numbers.

use std::cell::RefCell;

use candle_core::{CpuStorage, Layout, Result, WithDType, bail};

use super::let_go::{LetGo, Local};

/// f32 or f64: what the CPU kernels compute in.
pub(super) trait Real: WithDType {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// eˣ. The f32 version is a polynomial that vectorises: relative error below 2e-7, exactly 0
    /// below −87, NaN stays NaN. The same bits on every machine.
    fn exp(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// Φ(x), the standard normal distribution function, and its density φ(x).
    fn normal_cdf_pdf(self) -> (Self, Self);
    /// Memory of this type that the thread has let go.
    fn let_go() -> &'static Local<Self>;
}

thread_local! {
    static SINGLE: RefCell<LetGo<f32>> = const { RefCell::new(LetGo::NOTHING) };
    static DOUBLE: RefCell<LetGo<f64>> = const { RefCell::new(LetGo::NOTHING) };
}

const LOG2_E: f32 = std::f32::consts::LOG2_E;
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// 1.5·2²³: adding it rounds a small float to the nearest integer in the low mantissa bits.
const ROUND: f32 = 12_582_912.0;

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn exp(self) -> Self {
        let x = self.clamp(-87.0, 88.0);
        let shifted = x * LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = x - n * LN2_HIGH - n * LN2_LOW;
        // Cephes' expf polynomial on [-ln2/2, ln2/2].
        let mut p = 1.987_569_1e-4_f32;
        p = p * r + 1.398_199_9e-3;
        p = p * r + 8.333_452e-3;
        p = p * r + 4.166_579_6e-2;
        p = p * r + 1.666_666_5e-1;
        p = p * r + 0.5;
        let y = p * r * r + r + 1.0;
        let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        if self < -87.0 { 0.0 } else { y * power }
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    fn normal_cdf_pdf(self) -> (Self, Self) {
        let (cdf, pdf) = f64::from(self).normal_cdf_pdf();
        (cdf as f32, pdf as f32)
    }

    fn let_go() -> &'static Local<Self> {
        &SINGLE
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn normal_cdf_pdf(self) -> (Self, Self) {
        let cdf = 0.5 * candle_core::cpu::erf::erf_f64(self / std::f64::consts::SQRT_2);
        let pdf = (-0.5 * self * self).exp() / (std::f64::consts::TAU).sqrt();
        (0.5 + cdf, pdf)
    }

    fn let_go() -> &'static Local<Self> {
        &DOUBLE
    }
}

/// A row-strided view of a 2-D operand: rows of `cols` adjacent numbers, `stride` apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a, T> {
    pub data: &'a [T],
    pub rows: usize,
    pub cols: usize,
    pub stride: usize,
}

impl<'a, T: Real> Rows<'a, T> {
    /// Views a CPU tensor of any rank ≥ 1 as rows of its last dimension.
    pub fn new(storage: &'a CpuStorage, layout: &Layout) -> Result<Self> {
        let data = T::cpu_storage_as_slice(storage)?;
        let cols = layout.dims().last().copied().unwrap_or(1);
        let count = layout.shape().elem_count();
        let rows = count.checked_div(cols).unwrap_or(0);
        let stride = match (layout.dims().len(), layout.stride()) {
            _ if layout.is_contiguous() => cols,
            (2, [stride, 1]) => *stride,
            _ => bail!("row view of a tensor whose rows are not contiguous: {layout:?}"),
        };
        Ok(Self { data: &data[layout.start_offset()..], rows, cols, stride })
    }

    #[inline(always)]
    pub fn row(&self, index: usize) -> &'a [T] {
        &self.data[index * self.stride..index * self.stride + self.cols]
    }
}

/// Runs the body with the named type alias bound to f32 or f64.
macro_rules! by_dtype {
    ($dtype:expr, $real:ident => $body:expr) => {
        match $dtype {
            candle_core::DType::F32 => {
                type $real = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $real = f64;
                $body
            }
            other => candle_core::bail!("this operation on the CPU computes in f32 or f64, not {other:?}"),
        }
    };
}
pub(super) use by_dtype;
