package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// samples are the values of one metric of one benchmark.
type samples []float64

func (s samples) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

// measured maps "folder benchmark unit" to its samples.
type measured map[string]samples

func key(from, benchmark, unit string) string { return from + " " + benchmark + " " + unit }

// benchmarks are the ones of one package that one go test runs.
type benchmarks struct {
	from, tags, time string // time is empty where the caller's counts
	names            []string
	rows             []row
}

// runs puts together what can be measured here, in the order of the sections.
func runs(sections []section, env func(string) string) (all []*benchmarks) {
	for _, s := range sections {
		if s.missing(env) != "" {
			continue
		}
		for _, r := range s.rows {
			i := slices.IndexFunc(all, func(b *benchmarks) bool {
				return b.from == r.from && b.tags == s.tags && b.time == s.time
			})
			if i < 0 {
				i, all = len(all), append(all, &benchmarks{from: r.from, tags: s.tags, time: s.time})
			}
			b := all[i]
			b.rows = append(b.rows, r)
			if first, _, _ := strings.Cut(r.benchmark, "/"); !slices.Contains(b.names, first) {
				b.names = append(b.names, first)
			}
		}
	}
	return all
}

type runOptions struct {
	count int
	time  string
	log   io.Writer
}

// measure runs the benchmarks, a package at a time and on one processor, so that the ratios are of work and not of
// luck.
func measure(ctx context.Context, root string, all []*benchmarks, o runOptions) (measured, error) {
	found := measured{}
	for _, b := range all {
		if _, err := fmt.Fprintln(o.log, "measuring", b.from, strings.Join(b.names, " ")); err != nil {
			return nil, err
		}
		each := b.time
		if each == "" {
			each = o.time
		}
		pattern := "^Benchmark(" + strings.Join(b.names, "|") + ")$"
		command := exec.CommandContext(ctx, "go", "test", //nolint:gosec // the plan's own words
			"-run", "^$", "-bench", pattern, "-count", strconv.Itoa(o.count), "-benchtime", each, "-tags", b.tags,
			"-timeout", "30m", ".")
		command.Dir = filepath.Join(root, filepath.FromSlash(b.from))
		command.Env = append(os.Environ(), "GOMAXPROCS=1", "GOWORK=off")
		out, err := command.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", b.from, err, out)
		}
		read(b.from, out, found)
		for _, r := range b.rows {
			if len(found[r.key()]) == 0 {
				return nil, fmt.Errorf("%s reports no %s for %s", r.from, r.unit, r.benchmark)
			}
		}
	}
	return found, nil
}

// processors is what go test puts behind a benchmark's name when there are several.
var processors = regexp.MustCompile(`-\d+$`)

// read adds what the output of go test -bench says: name, number of executions, then pairs of value and unit.
func read(from string, output []byte, into measured) {
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				k := key(from, name, fields[i+1])
				into[k] = append(into[k], v)
			}
		}
	}
}
