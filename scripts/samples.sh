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
  # A sample lies one folder deeper than a report.
  sed -i 's#(../../docs/#(../../../docs/#g' "$sample/README.md"
  # One explorer is enough to look at; the records that it links to are not committed.
  if [ "$suite" = base2new ]; then
    sed -i -E 's#"records":"[^"]*"#"records":null#' "$sample/index.html"
  else
    rm "$sample/index.html"
    sed -i -E 's#\[`index.html`\]\(index.html\)#`index.html`#' "$sample/README.md"
  fi
done
