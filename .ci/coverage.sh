#!/usr/bin/env bash
# .ci/coverage.sh FOLDER: how much of every package of the library runs in tests, as a table, and whether that is enough.
# FOLDER has what the steps race and instances left there; where it is missing, both run here without the race detector, which
# needs what they need. A package counts with the tests of its neighbours, because many are tested through the package
# that people import. The examples' tests do not count, but for those that run the stores' suites on real databases.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
data="$1"

# What every package must have that is judged.
floor=90

# Commands and helpers of tests are in the table without being judged.
judged() {
  case "$1" in
    cardsim/cmd/* | internal/mutate | internal/release | jpki/crl/internal/curve) return 1 ;; # commands
    jpki/internal/testca | jpki/crl/internal/listgen | internal/tests | internal/tests/golden) return 1 ;; # helpers of our tests
    sign/evidence/storetest | sign/signapi/storetest) return 1 ;; # suites of tests: what they do not run says what is wrong
    jpki/card/pcsc) return 1 ;;                                   # behind a build tag: step pcsc runs its tests
    internal/limits) return 1 ;;                                  # constants
  esac
}

if [ ! -d "$data" ]; then
  mkdir -p "$data"
  data=$(cd "$data" && pwd)
  go test -count=1 -cover -covermode=atomic -coverpkg=./... ./... -args -test.gocoverdir="$data"
  bash .ci/instances.sh -cover -covermode=atomic -coverpkg=./... ./examples/instances ./examples/internal/evidencestore \
    ./examples/internal/signaturestore -args -test.gocoverdir="$data"
fi

module=$(sed -n 's/^module //p' go.mod)
# A name without a figure has no statements; the next name stands on the same line.
figures=$(go tool covdata percent -i="$data" | tr '\t' '\n' | awk -v module="$module" '
  index($0, module) == 1 { name = $0; next }
  /^coverage: / { sub("%", "", $2); print name, $2 }')
low=0
while read -r package; do
  figure=$(awk -v package="$package" '$1 == package { print $2 }' <<<"$figures")
  name=${package#"$module"} name=${name#/}
  if ! judged "$name"; then
    printf '%7s  %s (not judged)\n' "${figure:--}" "$name"
    continue
  fi
  if awk -v figure="${figure:-0}" -v floor="$floor" 'BEGIN { exit !(figure < floor) }'; then
    printf '%7s  %s: less than %s %%\n' "${figure:-0.0}" "${name:-.}" "$floor"
    low=$((low + 1))
  else
    printf '%7s  %s\n' "$figure" "${name:-.}"
  fi
done < <(go list ./...)
[ "$low" -eq 0 ] || { echo "$low packages have too little of them tested"; exit 1; }
