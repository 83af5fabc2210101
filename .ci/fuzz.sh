#!/usr/bin/env bash
# .ci/fuzz.sh FOLDER: every fuzz target of the source, 20,000 executions each. A number of executions, not a time: when the
# time is over in the middle of one, the fuzzer reports a failure without an input. Each package's test binary is built
# once for all of its targets, and two packages run beside each other, with one worker each. FOLDER is for the binaries.
# Every target in the source is run: one that a package's listing does not name is a failure, not a smaller number.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$1"

# fuzz_package FOLDER: all targets of the package there. Prints a line for each that passed; what a failed one said stays.
fuzz_package() {
  local binary target import
  binary="$work/$(tr / - <<<"$1").test"
  import=$(go list "./$1")
  go test -c -fuzz . -o "$binary" "./$1"
  cd "$1" # where the seeds are, and where a failing input is kept
  for target in $("$binary" -test.list '^Fuzz'); do
    if ! "$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime 20000x -test.fuzzminimizetime 10x \
      -test.parallel 1 -test.fuzzcachedir "$(go env GOCACHE)/fuzz/$import" >"$binary.$target.log" 2>&1; then
      cat "$binary.$target.log"
      return 1
    fi
    echo "fuzzed $1 $target"
  done
  rm "$binary"
}
if [ "$#" -eq 2 ]; then
  fuzz_package "$2"
  exit
fi

rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)
expected=$(git grep -hE '^func Fuzz[A-Z]' -- '*_test.go' | wc -l)
git grep -lE '^func Fuzz[A-Z]' -- '*_test.go' | xargs -n1 dirname | sort -u |
  xargs -P 2 -n 1 bash .ci/fuzz.sh "$work" | tee "$work/passed"
count=$(grep -c '^fuzzed ' "$work/passed" || true)
echo "$count of $expected fuzz targets"
[ "$count" -gt 0 ] && [ "$count" -eq "$expected" ]
