#!/usr/bin/env bash
# Would this tree break who uses the public API? By the record beside this file, and by apidiff against the newest tag;
# before the first tag against the commit that recorded last.
set -euo pipefail
cd "$(dirname "$0")/.."
go run ./internal/release api
base=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || git log -1 --format=%H -- .ci/api.txt)
[ -n "$base" ] || { echo "no tag, and nothing recorded" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/base"
git archive "$base" | tar -x -C "$work/base"
export GOWORK=off
GOBIN="$work" go install golang.org/x/exp/cmd/apidiff@v0.0.0-20261113113407-e3970619a1a4
module=$(go list -m)
(cd "$work/base" && "$work/apidiff" -m -w "$work/base.export" "$module") 2>"$work/log" || { cat "$work/log"; exit 1; }
"$work/apidiff" -m -incompatible "$work/base.export" "$module" >"$work/breaks" 2>"$work/log" || { cat "$work/log"; exit 1; }
if grep -q . "$work/breaks"; then
  cat "$work/breaks"
  echo "breaks since $base: a new major version, or before v1 a line in CHANGELOG.md and the API recorded anew" >&2
  exit 1
fi
