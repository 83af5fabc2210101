// Command mutate asks whether the tests would notice a wrong decision: it turns round every comparison of a package,
// one at a time, moves the boundary of every ordered one, and runs the tests that reach it.
//
//	go run ./internal/mutate                      # every package with decisions that matter: half an hour
//	go run ./internal/mutate ./jpki ./jpki/crl    # some
//	go run ./internal/mutate -file accept.go ./jpki/revocation
//	go run ./internal/mutate -match 'Skew == 0' ./jpki/revocation
//
// All mutants of a package are compiled into one test binary, and a variable of the environment says which one is
// alive, so that a mutant costs no build. Every test is run once alone first, which tells how long it takes and which
// comparisons it reaches; a mutant then costs a run of the tests that reach it, the quick ones first, up to the first
// that fails. Where the package's own tests notice nothing, those of named importers are asked.
//
// What survives is printed with its place. A survivor that is known, because it changes nothing that can be seen from
// outside, stands in survivors.txt with the reason; any other one makes the command fail, and so does a line of
// survivors.txt that names no survivor.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"
)

//go:embed survivors.txt
var survivorsText string

func main() {
	slow := flag.Duration("timeout", 20*time.Second,
		"how long a mutant may make its tests run before it counts as noticed")
	skip := flag.String("skip", "FIPS|OpenSSL|Benchmark|Allocations", "tests that are not run (a `pattern`)")
	only := flag.String("file", "", "mutate this `file` of the packages only")
	match := flag.String("match", "", "try only mutants whose place or expression matches this `pattern`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	packages, err := chosen(flag.Args())
	pattern, bad := regexp.Compile(*match)
	err = errors.Join(err, bad)
	unknown := 0
	if err == nil {
		m := mutator{
			ctx: ctx, timeout: *slow, skip: *skip, only: *only, match: pattern, out: os.Stdout,
			known: parseSurvivors(survivorsText),
		}
		unknown, err = m.runAll(packages)
	}
	stop()
	switch {
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	case unknown > 0:
		os.Exit(1)
	}
}

// parseSurvivors reads lines "package/file: expression (kind) # reason".
func parseSurvivors(text string) map[string]string {
	known := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		key, reason, ok := strings.Cut(line, " # ")
		if ok && !strings.HasPrefix(line, "#") {
			known[strings.TrimSpace(key)] = reason
		}
	}
	return known
}
