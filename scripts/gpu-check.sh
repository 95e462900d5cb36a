#!/usr/bin/env bash
# Every check and figure that needs a GPU, in one go; prints one JSON document on stdout.
#
#   scripts/gpu-check.sh [BINARY]     BINARY: a build with --features cuda
#                                     (default target/release/rpo-bench; see scripts/cuda-build.sh)
#
# Each step runs even where another fails; exit code 1 when any failed.
set -uo pipefail
cd "$(dirname "$0")/.."
binary=${1:-target/release/rpo-bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
steps=()

# step NAME COMMAND…: its stdout must be JSON and goes in as it is.
step() {
  local name=$1 started result code
  shift
  started=$(date +%s)
  echo "gpu-check: $name" >&2
  result=$("$@")
  code=$?
  [ "$code" -eq 0 ] || failed=1
  [ -n "$result" ] || result=null
  steps+=("{\"step\":\"$name\",\"exit_code\":$code,\"seconds\":$(($(date +%s) - started)),\"result\":$result}")
}

# The suite twice on the GPU, and once on the CPU: same bytes, and how many rows differ.
suites() {
  local set=(suite smoke --fresh)
  "$binary" "${set[@]}" --device cuda --out "$work/first" >&2 || return 1
  "$binary" "${set[@]}" --device cuda --out "$work/second" >&2 || return 1
  "$binary" "${set[@]}" --device cpu --out "$work/cpu" >&2 || return 1
  local report=reports/smoke-pocket/results.csv same=true rows
  cmp -s "$work/first/$report" "$work/second/$report" || same=false
  rows=$(diff <(cut -d, -f1-11 "$work/first/$report") <(cut -d, -f1-11 "$work/cpu/$report") | grep -c '^<')
  echo "{\"repeated_run_is_byte_identical\":$same,\"rows_that_differ_from_cpu\":$rows}"
  [ "$same" = true ]
}

card() {
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader |
    sed 's/.*/"&"/' | head -1
}

bench() { "$binary" bench step --device cuda --model vit-b-16 --json "$@"; }

evaluation() { "$binary" bench evaluate --device cuda --model vit-b-16 --classes 50 --json "$@"; }

# The same suite in another number format: rows that differ from f32.
rounded() {
  "$binary" suite smoke --fresh --device cuda --dtype "$1" --out "$work/$1" >&2 || return 1
  local report=reports/smoke-pocket/results.csv rows
  rows=$(diff <(cut -d, -f1-11 "$work/first/$report") <(cut -d, -f1-11 "$work/$1/$report") | grep -c '^<')
  echo "{\"dtype\":\"$1\",\"rows_that_differ_from_f32\":$rows}"
}

# Seeds in the same products and sizes by free memory: twice the same bytes, and which rows differ from seeds apart.
together() {
  local set=(suite smoke --fresh --device cuda --seeds 1,2,3 --set engine.seeds=together)
  set+=(--set engine.max_rows=auto --set engine.images=auto)
  "$binary" "${set[@]}" --out "$work/together" >&2 || return 1
  "$binary" "${set[@]}" --out "$work/together2" >&2 || return 1
  "$binary" suite smoke --fresh --device cuda --seeds 1,2,3 --out "$work/apart" >&2 || return 1
  local report=reports/smoke-pocket/results.csv same=true rows
  cmp -s "$work/together/$report" "$work/together2/$report" || same=false
  rows=$(diff <(cut -d, -f1-11 "$work/together/$report") <(cut -d, -f1-11 "$work/apart/$report") | grep -c '^<')
  echo "{\"repeated_run_is_byte_identical\":$same,\"rows_that_differ_from_seeds_apart\":$rows}"
  [ "$same" = true ]
}

# The tests that are ignored without a GPU. They are built here: a toolkit is needed, or this step fails alone.
ignored_tests() {
  local said
  said=$(cargo test --release --locked --features cuda --test cuda -- --ignored 2>&1)
  local code=$?
  echo "$said" >&2
  echo "\"$(echo "$said" | grep '^test result' | tail -1)\""
  return "$code"
}

step card card
step parity "$binary" parity tests/fixtures/tiny_clip --device cuda --json
step suites suites
step rpo_k24 bench --method rpo --k 24 --batch 4 --steps 10
step rpo_k4 bench --method rpo --k 4 --batch 4 --steps 10
step cocoop bench --method cocoop --batch 1 --steps 10
step coop bench --method coop --batch 32 --steps 10
step rpo_k24_three_seeds bench --method rpo --k 24 --batch 4 --seeds 3 --steps 10
step rpo_k4_three_seeds bench --method rpo --k 4 --batch 4 --seeds 3 --steps 10
step rpo_1000_classes bench --method rpo --k 24 --batch 4 --classes 1000 --steps 3
step rpo_k24_bf16 bench --method rpo --k 24 --batch 4 --steps 10 --dtype bf16
step coop_bf16 bench --method coop --batch 32 --steps 10 --dtype bf16
step evaluate evaluation --images 64
step evaluate_bf16 evaluation --images 64 --dtype bf16
step evaluate_bf16_large evaluation --images 512 --chunk 256 --together --methods zero_shot,coop,rpo --dtype bf16
step together together
step suite_bf16 rounded bf16
step suite_f16 rounded f16
step tests ignored_tests
(
  IFS=,
  echo "{\"steps\":[${steps[*]}],\"pass\":$([ "$failed" -eq 0 ] && echo true || echo false)}"
)
exit "$failed"
