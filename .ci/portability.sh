#!/usr/bin/env bash
# Where the module builds and what it runs with: other systems and processors, no C compiler, the oldest Go.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
everything=(./... ./examples/...)

for platform in windows/amd64 windows/arm64 darwin/arm64 linux/arm64; do
  echo "$platform: build and vet, tests too"
  GOOS=${platform%/*} GOARCH=${platform#*/} go vet "${everything[@]}"
done
for platform in linux/386 linux/arm windows/386; do
  echo "$platform: build and vet of the libraries, tests too"
  GOOS=${platform%/*} GOARCH=${platform#*/} go vet ./...
done
if [ "$(go env GOHOSTARCH)" = amd64 ] && [ "$(go env GOHOSTOS)" = linux ]; then
  echo "linux/386: tests of the libraries, which such a machine runs too"
  GOARCH=386 go test -timeout 20m ./...
fi

# go.mod names the oldest Go. Its toolchain builds and tests alone, whatever is installed here.
oldest=$(awk '$1 == "go" { print $2 }' go.mod)
echo "no cgo, go$oldest: tests"
GOTOOLCHAIN="go$oldest" GOWORK=off go test ./...
