#!/usr/bin/env bash
# The whole visit in a real Chromium, in Japanese and English, on a phone and on a PC. Keeps a picture of every page in
# .ci/artifacts/screenshots; they are meant to be looked at. Needs the Debian packages chromium and fonts-noto-cjk.
set -euo pipefail
cd "$(dirname "$0")/.."
export KAKUNIN_SCREENSHOTS="$PWD/.ci/artifacts/screenshots"
rm -rf "$KAKUNIN_SCREENSHOTS"
# A font with Japanese glyphs must be there, or the pictures show empty boxes and prove nothing.
[ -n "$(fc-list :lang=ja family)" ] || { echo "no Japanese font: install fonts-noto-cjk" >&2; exit 1; }
# The package's other tests need no browser and run with all the rest.
go test -count=1 -tags browser -run '^TestVisit$' -timeout 10m ./examples/demo
pictures=$(find "$KAKUNIN_SCREENSHOTS" -name '*.png' | wc -l)
echo "$pictures pictures in .ci/artifacts/screenshots"
[ "$pictures" -ge 50 ]
