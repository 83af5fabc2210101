package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

type mutator struct {
	ctx     context.Context //nolint:containedctx // lives as long as the program
	timeout time.Duration
	skip    string
	only    string
	match   *regexp.Regexp
	out     io.Writer
	known   map[string]string
}

// runAll tests the mutants of the packages and returns how many survivors are not explained, lines of survivors.txt
// without a survivor included.
func (m *mutator) runAll(packages []decision) (unknown int, err error) {
	for _, d := range packages {
		n, err := m.run(d)
		if err != nil {
			return unknown, err
		}
		unknown += n
	}
	return unknown, nil
}

// run tests the mutants of one package.
func (m *mutator) run(d decision) (unknown int, err error) {
	start := time.Now()
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	mutants, overlay, err := m.mutate(d, work)
	mutants = slices.DeleteFunc(mutants, func(x mutant) bool {
		return !m.match.MatchString(fmt.Sprintf("%s:%d: %s", x.file, x.line, x.what))
	})
	if err != nil || len(mutants) == 0 {
		return 0, err
	}
	alive, reached := mutants, map[int]bool{}
	for _, pkg := range append([]string{d.pkg}, d.importers...) {
		if len(alive) == 0 {
			break
		}
		s, err := m.build(pkg, work, overlay)
		if err != nil {
			return 0, err
		}
		if err := s.measure(); err != nil {
			return 0, err
		}
		for number := range s.reached {
			reached[number] = true
		}
		alive = m.survivors(s, alive)
	}
	seen := map[string]bool{}
	for _, x := range alive {
		key := d.pkg + "/" + x.file + ": " + x.what
		seen[key] = true
		reason := m.known[key]
		if reason == "" {
			unknown++
			reason = "NOT NOTICED"
			if !reached[x.number] {
				reason = "NO TEST COMES HERE"
			}
		}
		_, _ = fmt.Fprintf(m.out, "%s/%s:%d: %s # %s\n", d.pkg, x.file, x.line, x.what, reason)
	}
	if m.match.String() == "" {
		unknown += m.stale(d, seen)
	}
	_, _ = fmt.Fprintf(m.out, "%s: %d of %d mutants noticed in %v, %d survivors not explained\n",
		d.pkg, len(mutants)-len(alive), len(mutants), time.Since(start).Round(time.Second), unknown)
	return unknown, m.ctx.Err()
}

// stale names the lines of survivors.txt for files of the package that are no survivor's.
func (m *mutator) stale(d decision, seen map[string]bool) (n int) {
	for key := range m.known {
		file, _, _ := strings.Cut(strings.TrimPrefix(key, d.pkg+"/"), ":")
		if !strings.HasPrefix(key, d.pkg+"/") || strings.Contains(file, "/") || seen[key] || m.only != "" &&
			m.only != file {
			continue
		}
		_, _ = fmt.Fprintf(m.out, "%s # survivors.txt names it, and it is noticed or gone\n", key)
		n++
	}
	return n
}

// mutate writes the mutated files of a package and returns what stands in for what.
func (m *mutator) mutate(d decision, work string) (mutants []mutant, overlay string, err error) {
	dir, name, files, err := m.list(d.pkg)
	if err != nil {
		return nil, "", err
	}
	replace := map[string]string{}
	write := func(file string, text []byte) error {
		replace[filepath.Join(dir, file)] = filepath.Join(work, file)
		return os.WriteFile(filepath.Join(work, file), text, 0o600) //nolint:gosec // a folder of our own
	}
	for _, file := range files {
		if !m.wanted(d, file) {
			continue
		}
		source, err := os.ReadFile(filepath.Join(dir, file)) //nolint:gosec // the packages that the developer names
		if err != nil {
			return nil, "", err
		}
		text, found, err := mutateFile(file, source, len(mutants)+1)
		if err != nil {
			return nil, "", err
		}
		mutants = append(mutants, found...)
		if err := write(file, text); err != nil {
			return nil, "", err
		}
	}
	if err := write("mutate_switchboard.go", []byte("package "+name+switchboardText)); err != nil {
		return nil, "", err
	}
	table, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay = filepath.Join(work, "overlay.json")
	return mutants, overlay, os.WriteFile(overlay, table, 0o600)
}

// wanted reports whether a file is mutated. What an error says of itself, errors.go, decides nothing.
func (m *mutator) wanted(d decision, file string) bool {
	switch {
	case m.only != "":
		return file == m.only
	case len(d.files) > 0:
		return slices.Contains(d.files, file)
	}
	return file != "errors.go"
}

// list returns the folder, the name and the files of a package.
func (m *mutator) list(pkg string) (dir, name string, files []string, err error) {
	const form = "{{.Dir}}\n{{.Name}}\n{{range .GoFiles}}{{.}}\n{{end}}"
	//nolint:gosec // the packages that the developer names
	out, err := exec.CommandContext(m.ctx, "go", "list", "-f", form, pkg).Output()
	if err != nil {
		return "", "", nil, fmt.Errorf("go list %s: %w", pkg, err)
	}
	lines := strings.Fields(string(out))
	return lines[0], lines[1], lines[2:], nil
}

// survivors returns the mutants that the tests do not notice.
func (m *mutator) survivors(s *suite, mutants []mutant) (alive []mutant) {
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan mutant)
	for range max(1, runtime.NumCPU()) {
		group.Go(func() {
			for x := range next {
				if !s.notices(x.number) {
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

// switchboardText turns the mutants on, and notes which comparisons are reached.
const switchboardText = `

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

var (
	mutantAlive, _ = strconv.Atoi(os.Getenv("MUTANT"))
	mutantNotes    = os.Getenv("MUTANT_NOTES")
	mutantNoted    sync.Map
)

func mutantIs(n int) bool {
	if mutantNotes != "" {
		if _, known := mutantNoted.LoadOrStore(n, true); !known {
			if f, err := os.OpenFile(mutantNotes, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
				_, _ = fmt.Fprintln(f, n)
				_ = f.Close()
			}
		}
	}
	return mutantAlive == n
}
`

// suite is the tests of one package, compiled with the mutants.
type suite struct {
	*mutator

	pkg, dir, binary, notes string
	tests                   []timedTest
	reached                 map[int]bool
}

// timedTest is a test, how long it takes alone, and the mutants that it comes by.
type timedTest struct {
	name    string
	took    time.Duration
	mutants map[int]bool
}

// build compiles the tests of a package.
func (m *mutator) build(pkg, work, overlay string) (*suite, error) {
	dir, _, _, err := m.list(pkg)
	if err != nil {
		return nil, err
	}
	name := strings.Trim(strings.ReplaceAll(pkg, "/", "-"), ".-")
	s := &suite{mutator: m, pkg: pkg, dir: dir, binary: filepath.Join(work, name+".test"),
		notes: filepath.Join(work, name)}
	s.reached = map[int]bool{}
	//nolint:gosec // the packages that the developer names
	c := exec.CommandContext(m.ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", s.binary, pkg)
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", pkg, err, out)
	}
	return s, nil
}

// measure runs every test alone without a mutant.
func (s *suite) measure() error {
	//nolint:gosec // compiled just now
	c := exec.CommandContext(s.ctx, s.binary, "-test.list", "^(Test|Fuzz|Example)", "-test.skip", s.skip)
	c.Dir = s.dir
	listing, err := c.Output()
	if err != nil {
		return fmt.Errorf("%s: no listing: %w", s.pkg, err)
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	next := make(chan string)
	for range max(1, runtime.NumCPU()) {
		group.Go(func() {
			for name := range next {
				t, err := s.alone(name)
				mu.Lock()
				if err != nil {
					failed = err
				} else if len(t.mutants) > 0 {
					s.tests = append(s.tests, t)
				}
				mu.Unlock()
			}
		})
	}
	for name := range strings.FieldsSeq(string(listing)) {
		next <- name
	}
	close(next)
	group.Wait()
	slices.SortFunc(s.tests, func(a, b timedTest) int { return cmp.Compare(a.took, b.took) })
	for _, t := range s.tests {
		for number := range t.mutants {
			s.reached[number] = true
		}
	}
	return failed
}

// alone runs one test and notes what it comes by.
func (s *suite) alone(name string) (timedTest, error) {
	notes := s.notes + "." + name
	start := time.Now()
	out, ok := s.test("^"+name+"$", 10*s.timeout, "MUTANT_NOTES="+notes)
	t := timedTest{name: name, took: time.Since(start), mutants: map[int]bool{}}
	if !ok {
		return t, fmt.Errorf("%s: %s fails without a mutant\n%s", s.pkg, name, out)
	}
	text, err := os.ReadFile(notes) //nolint:gosec // a file of our own
	if err != nil {
		return t, nil //nolint:nilerr // it came by none
	}
	for line := range strings.FieldsSeq(string(text)) {
		var number int
		if _, err := fmt.Sscan(line, &number); err == nil {
			t.mutants[number] = true
		}
	}
	return t, nil
}

// group is how long the tests take together that are run in one process.
const group = time.Second

// notices reports whether a test fails with the mutant alive: those that come by it, the quick ones first.
func (s *suite) notices(number int) bool {
	var names []string
	var took time.Duration
	run := func() bool {
		defer func() { names, took = nil, 0 }()
		if len(names) == 0 {
			return false
		}
		limit := s.timeout + 10*took
		_, passed := s.test("^("+strings.Join(names, "|")+")$", limit, fmt.Sprintf("MUTANT=%d", number))
		return !passed
	}
	for _, t := range s.tests {
		if !t.mutants[number] {
			continue
		}
		if took+t.took > group && run() {
			return true
		}
		names, took = append(names, t.name), took+t.took
	}
	return run()
}

// test runs the tests of a pattern and reports whether they pass.
func (s *suite) test(pattern string, limit time.Duration, env ...string) (output []byte, passed bool) {
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	//nolint:gosec // compiled just now
	c := exec.CommandContext(ctx, s.binary, "-test.failfast", "-test.short", "-test.run", pattern, "-test.skip", s.skip)
	c.Dir = s.dir
	c.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err == nil
}
