#!/usr/bin/env bash
# The whole visit in a real Chromium, in Japanese and English, on a phone and on a PC; the pages of the simulator, a private
# business with its platform operator, and the screen of a consent (examples/moved). Keeps a picture of every page in
# .ci/artifacts/screenshots; they are meant to be looked at. Needs the Debian packages chromium and fonts-noto-cjk.
set -euo pipefail
cd "$(dirname "$0")/.."
export KAKUNIN_SCREENSHOTS="$PWD/.ci/artifacts/screenshots"
rm -rf "$KAKUNIN_SCREENSHOTS"
# A font with Japanese glyphs must be there, or the pictures show empty boxes and prove nothing.
[ -n "$(fc-list :lang=ja family)" ] || { echo "no Japanese font: install fonts-noto-cjk" >&2; exit 1; }
# The package's other tests need no browser and run with all the rest.
go test -count=1 -tags browser -run '^Test(Honest)?Visit' -timeout 25m ./examples/demo
go test -count=1 -tags browser -run '^TestReportInChromium$' ./sign/report
go test -count=1 -tags browser ./examples/internal/accessibility
pictures=$(find "$KAKUNIN_SCREENSHOTS" -name '*.png' | wc -l)
echo "$pictures pictures in .ci/artifacts/screenshots"
[ "$pictures" -ge 80 ]
# Every example as the gallery shows it, in both languages.
export KAKUNIN_GALLERY="$PWD/.ci/artifacts/gallery"
rm -rf "$KAKUNIN_GALLERY"
go test -count=1 -tags browser -run '^TestGallery$' -timeout 15m ./examples/internal/gallery
shown=$(grep -o 'gallery/[a-z-]*\.en\.png' docs/gallery.md | sort -u | wc -l)
made=$(find "$KAKUNIN_GALLERY" -name '*.en.png' | wc -l)
echo "$made pictures in .ci/artifacts/gallery, docs/gallery.md shows $shown"
[ "$made" -eq "$shown" ]
