#!/usr/bin/env bash
# Prepares a release and prints what it would publish; publishes nothing. Needs the Go toolchain alone.
#
#	bash .ci/release.sh [VERSION [DIRECTORY]]
#
# Every program is built twice, in checkouts at different places, the second time from nothing, and both must be equal
# byte by byte. VERSION defaults to the newest tag, or v0.0.0 before the first one.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C CGO_ENABLED=0 GOFLAGS=-trimpath GOWORK=off GOTOOLCHAIN=local
version="${1:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || echo v0.0.0)}"
out="${2:-.ci/artifacts/release}"
case "$version" in v[0-9]*.[0-9]*.[0-9]*) ;; *) echo "a version is vX.Y.Z, not $version" >&2; exit 1 ;; esac
commit=$(git rev-parse HEAD) # all of it from one commit, whatever is committed meanwhile
platforms="${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}"
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# Two checkouts of what is committed. The commit's time is the only time in what comes out.
for n in 1 2; do
  mkdir -p "$work/checkout-$n$n/kakunin"
  git archive "$commit" | tar -x -C "$work/checkout-$n$n/kakunin"
done

build() { # build N PLATFORM FILE CACHE
  (cd "$work/checkout-$1$1/kakunin" && GOOS="${2%/*}" GOARCH="${2#*/}" GOCACHE="$4" \
    go build -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$version" -o "$3" ./cardsim/cmd/cardsim)
}

for platform in $platforms; do
  name="cardsim-$version-${platform%/*}-${platform#*/}"
  case "$platform" in windows/*) name="$name.exe" ;; esac
  build 1 "$platform" "$out/$name" "$(go env GOCACHE)"
  build 2 "$platform" "$work/again" "${SECOND_CACHE:-$work/cache}"
  cmp "$out/$name" "$work/again" || { echo "$name: two builds differ" >&2; exit 1; }
  rm "$work/again"
done

# What is in the programs, from the programs themselves.
mkdir -p "$work/bin"
CGO_ENABLED=0 GOBIN="$work/bin" GOFLAGS=-mod=mod go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
for program in "$out"/cardsim-*; do
  "$work/bin/cyclonedx-gomod" bin -json -licenses=false -std -noserial -version "$version" -output "$program.cdx.json" "$program" 2>"$work/sbom.log" ||
    { cat "$work/sbom.log" >&2; exit 1; }
done
GOFLAGS='' go build -o "$work/release" ./internal/release
"$work/release" licences $(ls "$out"/cardsim-* | grep -v '\.cdx\.json$') >"$out/THIRD-PARTY-LICENCES.txt"
cp LICENSE "$out/LICENSE.txt"
git archive --format=tar --prefix="kakunin-$version/" "$commit" | gzip -n -9 >"$out/kakunin-$version.tar.gz"

# The part of the changelog that belongs to the version.
awk -v want="## [${version#v}]" 'index($0, want) == 1 || (want == "## [0.0.0]" && $0 == "## [Unreleased]") { on = 1; next } /^## \[/ { on = 0 } on' \
  CHANGELOG.md >"$out/NOTES.md"
[ -s "$out/NOTES.md" ] || { echo "CHANGELOG.md has nothing about $version" >&2; exit 1; }
(cd "$out" && sha256sum -- * >SHA256SUMS)

echo "Would tag $(git rev-parse --short "$commit") as $version and publish:"
(cd "$out" && du -b -- * | awk '{ printf "  %9d  %s\n", $1, $2 }')
echo "By hand, in this order: git tag -s $version; git push origin $version; upload the files above."
