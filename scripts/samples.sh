#!/usr/bin/env bash
# Renders the committed samples in reports/samples again: every suite on the pocket profile, in a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for sample in reports/samples/*/; do
  suite=$(basename "$sample")
  suite=${suite%-pocket}
  cargo run --release --locked --quiet -- suite "$suite" --out "$out"
  rm -rf "$sample"
  cp -r "$out/reports/$suite-pocket" "$sample"
done
