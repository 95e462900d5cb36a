#!/usr/bin/env bash
# Type-checks the `cuda` feature without a GPU and without a CUDA toolkit.
#
# A stand-in replaces the kernel compiler: Rust code is checked whole, GPU kernels are not compiled.
# `scripts/cuda-build.sh` makes the real binary.
set -euo pipefail
cd "$(dirname "$0")/.."

export NVCC="$PWD/scripts/stand-in/nvcc" PATH="$PWD/scripts/stand-in:$PATH"
export CUDA_COMPUTE_CAP=90 CUDARC_CUDA_VERSION=13000
# A folder of its own: build scripts must not keep the stand-in's outputs for a real build.
export CARGO_TARGET_DIR="${CUDA_CHECK_TARGET_DIR:-target/cuda-check}"
if ! cargo fetch --locked; then
  echo "skipped: the crates of the cuda feature cannot be fetched here"
  exit 0
fi
cargo check --locked --release --lib --bins --features cuda,parquet
echo "the cuda and parquet features type-check (kernel compiler: stand-in)"
