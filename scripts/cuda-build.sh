#!/usr/bin/env bash
# Build this program with its `cuda` feature on a machine that has no GPU, no driver and no
# CUDA toolkit: nvcc 13.0 is taken from PyPI wheels, the run-time libraries are replaced at link
# time by empty stub libraries of the right SONAME. A machine with CUDA 13 needs none of this: plain
# `cargo build --release --features cuda`. At run time the real libraries are loaded by SONAME.
#
#   scripts/cuda-build.sh                                  only prepare the toolkit tree
#   scripts/cuda-build.sh build --release --features cuda  ... and run `cargo <args>` with it
#
# Environment: CUDA_TREE      where the toolkit tree goes (default: $HOME/.cache/cuda-13.0-pip)
#              CUDA_COMPUTE_CAP  default 90 (H100/H200)
#              CUDARC_VERSION    default 0.19.10 (the version candle-core 0.11.1 locks to)
set -euo pipefail
TREE=${CUDA_TREE:-$HOME/.cache/cuda-13.0-pip}
ROOT=$TREE/nvidia/cu13
if [ ! -e "$TREE/.wheels-ok" ]; then
  mkdir -p "$TREE/wheels"
  python3 -m pip download -q --no-deps --only-binary=:all: -d "$TREE/wheels" \
    nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
  for w in "$TREE"/wheels/*.whl; do python3 -m zipfile -e "$w" "$TREE"; done   # loses the x bits
  chmod +x "$ROOT"/bin/* "$ROOT"/nvvm/bin/*
  rm -rf "$TREE/wheels"
  ln -sfn lib "$ROOT/lib64"
  ln -sfn libcudart.so.13 "$ROOT/lib/libcudart.so"
  touch "$TREE/.wheels-ok"
fi
# Stub libraries: every extern "C" name cudarc declares, as an empty function.
if [ ! -e "$TREE/.stubs-ok" ]; then
  SRC=$(ls -d "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/cudarc-"${CUDARC_VERSION:-0.19.10}" 2>/dev/null | head -1 || true)
  if [ -z "$SRC" ]; then
    [ $# -gt 0 ] && cargo fetch   # in the project's folder: unpacks cudarc's source
    SRC=$(ls -d "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/cudarc-"${CUDARC_VERSION:-0.19.10}" | head -1)
  fi
  mkdir -p "$ROOT/lib/stubs"
  stub() { # module library soname
    grep -ohE 'fn [A-Za-z0-9_]+ *\(' "$SRC/src/$1/sys/mod.rs" | sed -E 's/fn ([A-Za-z0-9_]+).*/\1/' \
      | grep -E '^(cu|nvrtc)' | sort -u | sed 's/.*/int &(void){return 999;}/' > "$ROOT/lib/stubs/$1.c"
    gcc -shared -fPIC -w -Wl,-soname,"$3" -o "$ROOT/lib/stubs/$2" "$ROOT/lib/stubs/$1.c"
    echo "stub $2 ($3): $(wc -l < "$ROOT/lib/stubs/$1.c") symbols" >&2
  }
  stub driver   libcuda.so     libcuda.so.1
  stub cublas   libcublas.so   libcublas.so.13
  stub cublaslt libcublasLt.so libcublasLt.so.13
  stub curand   libcurand.so   libcurand.so.10
  stub nvrtc    libnvrtc.so    libnvrtc.so.13
  touch "$TREE/.stubs-ok"
fi
export CUDA_HOME=$ROOT CUDA_PATH=$ROOT PATH="$ROOT/bin:$PATH"
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90} CUDARC_CUDA_VERSION=13000
export NVCC=$ROOT/bin/nvcc
# libcudart.so for candle-kernels' `-lcudart` (cudarc adds lib/ and lib/stubs/ by itself)
export LIBRARY_PATH="$ROOT/lib:$ROOT/lib/stubs${LIBRARY_PATH:+:$LIBRARY_PATH}"
[ $# -eq 0 ] || exec cargo "$@"
