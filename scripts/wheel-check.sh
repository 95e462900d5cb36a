#!/usr/bin/env bash
# Wheel → fresh virtual environment → `rpo-bench suite smoke` → `pandas.read_csv`. Needs Python with venv and pip, and
# maturin (MATURIN, else from the path). A wheel that is built already is taken: scripts/wheel-check.sh FILE.whl
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

limit=$((40 * 1000 * 1000))
wheel=${1:-}
if [ -z "$wheel" ]; then
    "${MATURIN:-maturin}" build --release --out "$work/wheels"
    wheel=$(echo "$work"/wheels/*.whl)
fi
bytes=$(stat -c %s "$wheel")
echo "$(basename "$wheel"): $bytes bytes"
[ "$bytes" -le "$limit" ] || { echo "larger than $limit bytes" >&2; exit 1; }

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --only-binary :all: "$wheel" pandas
cd "$work"
venv/bin/rpo-bench suite smoke --out out
venv/bin/python - <<'PYTHON'
import pandas
results = pandas.read_csv("out/reports/smoke-pocket/results.csv")
assert len(results) == 20 and results["total"].eq(200).sum() > 0, results
print(results.groupby("method")["accuracy_pct"].mean().round(2).to_string())
PYTHON
echo "the wheel runs"
