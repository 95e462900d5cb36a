#!/usr/bin/env bash
# Every check and figure that needs a GPU, in one go; prints one JSON document on stdout.
#
#   scripts/gpu-check.sh [BINARY [STEP…]]   BINARY: a build with --features cuda
#                                           (default target/release/rpo-bench; see scripts/cuda-build.sh)
#                                           STEP: only these, by their names below
#
# Environment: CUDA_TESTS   the built tests of tests/cuda.rs, where the machine with the card has no compiler
#              REFERENCE    a PyTorch program with reference.py's `bench`, to be timed on the same card
#              STEP_LIMIT   seconds a step may take (default 600)
#
# Each step runs even where another fails; exit code 1 when any failed.
set -uo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "${1:-target/release/rpo-bench}")
wanted=" ${*:2} "
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
steps=()

# step NAME COMMAND…: its stdout must be JSON and goes in as it is.
step() {
  local name=$1 started result code
  shift
  [[ "$wanted" =~ ^\ *$ || "$wanted" == *" $name "* ]] || return 0
  started=$(date +%s)
  echo "gpu-check: $name" >&2
  # A function of this file is no program that `timeout` could start: it runs in a shell that is stopped from beside.
  result=$(bounded "$@")
  code=$?
  [ "$code" -eq 0 ] || failed=1
  [ -n "$result" ] || result=null
  steps+=("{\"step\":\"$name\",\"exit_code\":$code,\"seconds\":$(($(date +%s) - started)),\"result\":$result}")
}

# bounded COMMAND…: the command, ended after STEP_LIMIT seconds (exit code 143).
bounded() {
  "$@" &
  local work=$! timer code
  (sleep "${STEP_LIMIT:-600}"; pkill -P "$work"; kill "$work") >/dev/null 2>&1 &
  timer=$!
  wait "$work"
  code=$?
  kill "$timer" 2>/dev/null
  return "$code"
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
  if [ -n "${CUDA_TESTS:-}" ]; then
    said=$("$CUDA_TESTS" --ignored 2>&1)
  else
    said=$(cargo test --release --locked --features cuda --test cuda -- --ignored 2>&1)
  fi
  local code=$?
  echo "$said" >&2
  echo "\"$(echo "$said" | grep '^test result' | tail -1)\""
  return "$code"
}

# The PyTorch program's steps on this card: `[{…}, …]`.
pytorch() {
  [ -n "${REFERENCE:-}" ] || { echo '"REFERENCE is not set"'; return 0; }
  python3 "$REFERENCE" bench --device cuda --steps 20 --k "$2" --dtype "$1" --methods "$3" | paste -sd, | sed 's/.*/[&]/'
}

# Every check of a folder of golden numbers on the card: how many, and those that fail.
golden() {
  "$binary" parity "tests/fixtures/$1" --device cuda --json >"$work/$1.json"
  local code=$?
  [ -s "$work/$1.json" ] || return "$code"
  python3 - "$work/$1.json" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[1]))
failed = [check for check in report["checks"] if not check["pass"]]
print(json.dumps({"checks": len(report["checks"]), "failed": failed, "pass": report["pass"]}))
PYTHON
  return "$code"
}

# One thread to all cores of the machine that holds the card; no card is used.
scale() { "$binary" bench scale --repeats 1 --json; }

step card card
step parity golden tiny_clip
step rpo_k24 bench --method rpo --k 24 --batch 4 --steps 10
step rpo_k4 bench --method rpo --k 4 --batch 4 --steps 10
step cocoop bench --method cocoop --batch 1 --steps 10
step coop bench --method coop --batch 32 --steps 10 --max-rows 16384
step rpo_k24_three_seeds bench --method rpo --k 24 --batch 4 --seeds 3 --steps 10 --max-rows 16384
step rpo_k4_three_seeds bench --method rpo --k 4 --batch 4 --seeds 3 --steps 10
step rpo_1000_classes bench --method rpo --k 24 --batch 4 --classes 1000 --steps 3 --max-rows 16384
step rpo_k24_bf16 bench --method rpo --k 24 --batch 4 --steps 10 --dtype bf16
step coop_bf16 bench --method coop --batch 32 --steps 10 --dtype bf16
step rpo_k24_f16 bench --method rpo --k 24 --batch 4 --steps 10 --dtype f16
step rpo_k24_f16_three_seeds bench --method rpo --k 24 --batch 4 --seeds 3 --steps 10 --dtype f16 --max-rows 16384
step rpo_k4_f16 bench --method rpo --k 4 --batch 4 --steps 10 --dtype f16
step rpo_k4_f16_three_seeds bench --method rpo --k 4 --batch 4 --seeds 3 --steps 10 --dtype f16 --max-rows 16384
step coop_f16 bench --method coop --batch 32 --steps 10 --dtype f16 --max-rows 16384
step cocoop_f16 bench --method cocoop --batch 1 --steps 10 --dtype f16
step maple_f16 bench --method maple --batch 4 --steps 10 --dtype f16
step promptsrc_f16 bench --method promptsrc --batch 4 --steps 10 --dtype f16
step pytorch_f16 pytorch float16 24 rpo,coop,cocoop
step pytorch_f16_k4 pytorch float16 4 rpo
step pytorch_f32 pytorch float32 24 rpo,coop,cocoop
step evaluate evaluation --images 64
step evaluate_bf16 evaluation --images 64 --dtype bf16
step evaluate_bf16_large evaluation --images 512 --chunk 256 --together --methods zero_shot,coop,rpo --dtype bf16
step parity_zoo golden tiny_clip_zoo
step parity_zoo2 golden tiny_clip_zoo2
step suites suites
step together together
step suite_bf16 rounded bf16
step suite_f16 rounded f16
step tests ignored_tests
step scale scale
(
  IFS=,
  echo "{\"steps\":[${steps[*]}],\"pass\":$([ "$failed" -eq 0 ] && echo true || echo false)}"
)
exit "$failed"
