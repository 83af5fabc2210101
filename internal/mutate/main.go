// Command mutate asks whether the tests would notice a wrong decision: it turns round every comparison of a package,
// one at a time, moves the boundary of every ordered one, and runs the package's tests against each.
//
//	go run ./internal/mutate                      # every package with decisions that matter
//	go run ./internal/mutate ./jpki ./jpki/crl    # some
//
// All mutants of a package are compiled into one test binary, and a variable of the environment says which one is
// alive, so that a mutant costs a run of the tests up to the first that fails and no build. What survives is printed
// with its place. A survivor that is known, because it changes nothing that can be seen from outside, stands in
// survivors.txt with the reason; any other one makes the command fail.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// decisions are the packages whose decisions matter.
var decisions = []string{
	"./authn",
	"./internal/jose",
	"./internal/sigalg",
	"./jpki",
	"./jpki/crl",
	"./jpki/revocation",
	"./jpki/certpath",
	"./jpki/card",
	"./sign",
	"./sign/evidence",
	"./middleware",
}

//go:embed survivors.txt
var survivorsText string

func main() {
	slow := flag.Duration(
		"timeout",
		30*time.Second,
		"how long a mutant may make the tests run before it counts as noticed",
	)
	skip := flag.String("skip", "FIPS|OpenSSL|Benchmark|Allocations", "tests that are not run (a `pattern`)")
	only := flag.String("file", "", "mutate this `file` of the packages only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = decisions
	}
	m := mutator{
		ctx:     ctx,
		timeout: *slow,
		skip:    *skip,
		only:    *only,
		out:     os.Stdout,
		known:   parseSurvivors(survivorsText),
	}
	failed := false
	for _, p := range packages {
		unknown, err := m.run(p)
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "mutate:", err)
			os.Exit(2) //nolint:gocritic // the signal is of no use any more
		}
		failed = failed || unknown > 0
	}
	if failed {
		os.Exit(1)
	}
}

// parseSurvivors reads "file: expression: reason" lines.
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

type mutator struct {
	ctx     context.Context //nolint:containedctx // lives as long as the program
	timeout time.Duration
	skip    string
	only    string
	out     io.Writer
	known   map[string]string
}

// run tests the mutants of one package and returns how many survived that are not known.
func (m *mutator) run(pkg string) (unknown int, err error) {
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	dir, name, files, err := m.list(pkg)
	if err != nil {
		return 0, err
	}
	overlay := map[string]string{}
	var mutants []mutant
	for _, file := range files {
		if m.only != "" && file != m.only {
			continue
		}
		source, err := os.ReadFile(filepath.Join(dir, file)) //nolint:gosec // the packages that the developer names
		if err != nil {
			return 0, err
		}
		text, found, err := mutateFile(file, source, len(mutants)+1)
		if err != nil {
			return 0, err
		}
		mutants = append(mutants, found...)
		overlay[filepath.Join(dir, file)] = filepath.Join(work, file)
		if err := os.WriteFile(filepath.Join(work, file), text, 0o600); err != nil { //nolint:gosec // the packages that the developer names
			return 0, err
		}
	}
	if len(mutants) == 0 {
		return 0, nil
	}
	switchboard := filepath.Join(work, "switchboard.go")
	overlay[filepath.Join(dir, "mutate_switchboard.go")] = switchboard
	if err := os.WriteFile(switchboard, []byte("package "+name+switchboardText), 0o600); err != nil {
		return 0, err
	}
	table, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return 0, err
	}
	plan, binary := filepath.Join(work, "overlay.json"), filepath.Join(work, "test")
	if err := os.WriteFile(plan, table, 0o600); err != nil {
		return 0, err
	}
	build := exec.CommandContext(m.ctx, "go", "test", "-c", "-vet=off", "-overlay", plan, "-o", binary, pkg) //nolint:gosec // the packages that the developer names
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", pkg, err, out)
	}
	start := time.Now()
	if out, ok := m.test(binary, dir, 0); !ok {
		return 0, fmt.Errorf("%s: the tests fail without a mutant\n%s", pkg, out)
	}
	alive := m.testAll(binary, dir, mutants)
	for _, x := range alive {
		key := pkg + "/" + x.file + ": " + x.what
		reason := m.known[key]
		if reason == "" {
			unknown++
			reason = "NOT NOTICED"
		}
		_, _ = fmt.Fprintf(m.out, "%s/%s:%d: %s # %s\n", pkg, x.file, x.line, x.what, reason)
	}
	_, _ = fmt.Fprintf(m.out, "%s: %d of %d mutants noticed in %v, %d survivors not explained\n",
		pkg, len(mutants)-len(alive), len(mutants), time.Since(start).Round(time.Second), unknown)
	return unknown, m.ctx.Err()
}

const switchboardText = `

import (
	"os"
	"strconv"
)

var mutantAlive, _ = strconv.Atoi(os.Getenv("MUTANT"))

func mutantIs(n int) bool { return mutantAlive == n }
`

// list returns the folder, the name and the files of a package.
func (m *mutator) list(pkg string) (dir, name string, files []string, err error) {
	out, err := exec.CommandContext( //nolint:gosec // the packages that the developer names
		m.ctx,
		"go",
		"list",
		"-f",
		"{{.Dir}}\n{{.Name}}\n{{range .GoFiles}}{{.}}\n{{end}}",
		pkg,
	).Output()
	if err != nil {
		return "", "", nil, fmt.Errorf("go list %s: %w", pkg, err)
	}
	lines := strings.Fields(string(out))
	return lines[0], lines[1], lines[2:], nil
}

// testAll returns the mutants that the tests do not notice.
func (m *mutator) testAll(binary, dir string, mutants []mutant) (alive []mutant) {
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan mutant)
	for range max(1, runtime.NumCPU()) {
		group.Go(func() {
			for x := range next {
				if _, ok := m.test(binary, dir, x.number); ok {
					mu.Lock()
					alive = append(alive, x)
					mu.Unlock()
				}
			}
		})
	}
	for _, x := range mutants {
		if m.ctx.Err() != nil {
			break
		}
		next <- x
	}
	close(next)
	group.Wait()
	slices.SortFunc(alive, func(a, b mutant) int { return cmp.Compare(a.number, b.number) })
	return alive
}

// test runs the tests with one mutant alive, 0 for none, and reports whether they pass.
func (m *mutator) test(binary, dir string, number int) (output []byte, passed bool) {
	limit := m.timeout
	if number == 0 {
		limit *= 10
	}
	ctx, cancel := context.WithTimeout(m.ctx, limit)
	defer cancel()
	c := exec.CommandContext(ctx, binary, "-test.failfast", "-test.short", "-test.skip", m.skip) //nolint:gosec // the packages that the developer names
	c.Dir = dir
	c.Env = append(os.Environ(), fmt.Sprintf("MUTANT=%d", number))
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	c.Stdout, c.Stderr = w, w
	err := c.Run()
	_ = w.Flush() // into memory
	return out.Bytes(), err == nil
}
