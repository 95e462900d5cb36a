//! What the process used: CPU-seconds, wall seconds, peak memory, and the machine's matrix-product rate.
//!
//! CPU-seconds are user and system time of all threads, so they hold on a machine shared with others;
//! wall seconds there do not. The kernel counts in ticks of 1/100 s.

use std::time::Instant;

use candle_core::{Device, Tensor};
use serde::Serialize;

use super::error::BenchError;
use super::shape::normals;
use crate::backbone::Precision;
use crate::stats::describe::median;
use crate::util::machine;

/// Ticks per second of `/proc/self/stat`: fixed by Linux's interface to programs, whatever the kernel's own.
const TICKS: f64 = 100.0;
/// Rows, outputs and inputs of the matrix product the machine is measured by: ViT-B's first MLP layer on
/// 16 images.
const PRODUCT: (usize, usize, usize) = (3152, 3072, 768);

/// Seconds used by a piece of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Used {
    /// User and system time of all threads.
    pub cpu: f64,
    /// Time on the clock.
    pub wall: f64,
}

impl std::ops::AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.wall += other.wall;
    }
}

fn cpu_seconds() -> Result<f64, BenchError> {
    let ticks = machine::cpu_ticks().ok_or(BenchError::Proc { what: "processor time" })?;
    Ok(ticks as f64 / TICKS)
}

/// Where a benchmark computes.
#[derive(Clone, Debug)]
pub struct BenchDevice {
    /// The device.
    pub device: Device,
    /// The format of products with frozen weights.
    pub precision: Precision,
}

impl BenchDevice {
    /// The seconds that matter: of the processors' time on the CPU, on the clock where a GPU works beside them.
    pub(super) fn seconds(&self, used: Used) -> f64 {
        if self.device.is_cpu() { used.cpu } else { used.wall }
    }
}

/// Rate of a large matrix product, in GFLOP per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// f32 on the CPU, per CPU-second.
    pub cpu: f64,
    /// On the benchmark's own device in its own format, per second on the clock.
    pub wall: f64,
}

/// Runs `work`, waits for the device, and says what it used.
pub(super) fn measured<T, E: Into<BenchError>>(
    device: &Device,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<(T, Used), BenchError> {
    device.synchronize()?;
    let (cpu, wall) = (cpu_seconds()?, Instant::now());
    let value = work().map_err(Into::into)?;
    device.synchronize()?;
    Ok((value, Used { cpu: cpu_seconds()? - cpu, wall: wall.elapsed().as_secs_f64() }))
}

/// Largest resident memory of this process so far, in MiB.
pub(super) fn peak_rss_mib() -> Result<f64, BenchError> {
    let bytes = machine::peak_memory_bytes().ok_or(BenchError::Proc { what: "peak memory" })?;
    Ok(bytes as f64 / f64::from(1 << 20))
}

/// The rates of one large matrix product, the way the towers call it (`x·Wᵀ`).
pub(super) fn product_rate(place: &BenchDevice) -> Result<Rate, BenchError> {
    let plain = BenchDevice { device: Device::Cpu, precision: Precision::F32 };
    let (gflop, used) = product(&plain)?;
    let cpu = gflop / used.cpu.max(1.0 / TICKS);
    if place.device.is_cpu() && place.precision == Precision::F32 {
        return Ok(Rate { cpu, wall: gflop / used.wall });
    }
    // The first product on a GPU pays for its library.
    product(place)?;
    let (gflop, used) = product(place)?;
    Ok(Rate { cpu, wall: gflop / used.wall })
}

fn product(place: &BenchDevice) -> Result<(f64, Used), BenchError> {
    const REPEATS: usize = 4;
    let (m, n, k) = PRODUCT;
    let (device, dtype) = (&place.device, place.precision.dtype());
    let x = normals(&[m, k], 0.0, 1.0, "product x", device)?.to_dtype(dtype)?;
    let weight = normals(&[n, k], 0.0, 1.0, "product weight", device)?.to_dtype(dtype)?.t()?;
    let run = || -> Result<(), candle_core::Error> {
        for _ in 0..REPEATS {
            std::hint::black_box(Tensor::matmul(&x, &weight)?);
        }
        Ok(())
    };
    let ((), used) = measured(device, run)?;
    Ok((2e-9 * (m * n * k * REPEATS) as f64, used))
}

/// The middle of repeated measurements; the mean of the two in the middle for an even count, 0 for none.
pub(super) fn middle(values: impl Iterator<Item = f64>) -> f64 {
    median(&values.collect::<Vec<_>>()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_uses_cpu_and_sleep_does_not() {
        let busy = || -> Result<f64, BenchError> {
            let started = Instant::now();
            let mut x = 1f64;
            while started.elapsed().as_millis() < 120 {
                x = std::hint::black_box(x).sqrt();
            }
            Ok(x)
        };
        let (_, used) = measured(&Device::Cpu, busy).unwrap();
        assert!(used.wall >= 0.12, "{used:?}");
        assert!(used.cpu > 0.0, "{used:?}");
        assert!(peak_rss_mib().unwrap() > 1.0);
    }
}
