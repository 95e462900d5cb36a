#!/usr/bin/env bash
# Dependencies against deny.toml, where cargo-deny is installed; advisories where their database can be reached.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo-deny >/dev/null; then
    echo "skipped: cargo-deny is not installed (cargo install cargo-deny)"
    exit 0
fi
cargo-deny --locked check bans licenses sources
if ! cargo-deny --locked fetch db 2>/dev/null; then
    echo "skipped: the advisory database cannot be reached"
    exit 0
fi
cargo-deny --locked check advisories
