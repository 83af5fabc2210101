package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const output = `goos: linux
cpu: any
BenchmarkIDToken/jwx/RS256-2   	 100	 200 ns/op	 2.50 x-bare	 10 B/op	 1 allocs/op
BenchmarkIDToken/jwx/RS256-2   	 100	 100 ns/op	 1.50 x-bare	 10 B/op	 1 allocs/op
BenchmarkIDToken/jwx/RS256     	 100	 300 ns/op	 3.50 x-bare	 10 B/op	 1 allocs/op
BenchmarkBroken
PASS
`

func TestBenchmarksAreRead(t *testing.T) {
	m := measured{}
	read("a", []byte(output), m)
	got := m["a IDToken/jwx/RS256 x-bare"]
	if len(got) != 3 || got.median() != 2.5 || least(got) != 1.5 || greatest(got) != 3.5 {
		t.Errorf("%v", got)
	}
	if v := m["a IDToken/jwx/RS256 ns/op"]; len(v) != 3 || number(v.median(), "ns/op") != "200 ns" {
		t.Errorf("%v", v)
	}
}

func TestOnlyTheMeasuredPartIsReplaced(t *testing.T) {
	docs := t.TempDir()
	name := filepath.Join(docs, "performance.md")
	if err := os.WriteFile(name, []byte("before\n"+start+"old\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := measured{}
	read("a", []byte(output), m)
	jwx := row{label: "jwx", from: "a", benchmark: "IDToken/jwx/RS256", unit: "x-bare", asked: "3"}
	again := jwx
	again.label, again.asked = "again", ""
	run := record{count: 3, at: time.Unix(0, 0).UTC(), env: func(string) string { return "" }}
	if err := page(docs, []section{
		{name: "tokens", title: "Tokens & keys", rows: []row{jwx, again}},
		{name: "servers", title: "Servers", needs: "KAKUNIN_NOBODY", rows: []row{{from: "absent"}}},
	}, m, run); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n" + start, end + "after\n", "| jwx | 2.50 × | 1.50 × | 3.50 × | 3 |",
		"![Tokens & keys](performance-tokens.svg)", "Measured 1970-01-01",
		"### Servers\n\nNot measured in this run: `KAKUNIN_NOBODY` was empty.\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("the old part is still there")
	}
	picture, err := os.ReadFile(filepath.Join(docs, "performance-tokens.svg"))
	if err != nil || !strings.Contains(string(picture), "<title>Tokens &amp; keys</title>") {
		t.Errorf("%s, %v", picture, err)
	}
	if err := page(t.TempDir(), nil, m, run); err == nil {
		t.Error("a page without a measured part was written")
	}
}

func TestCurves(t *testing.T) {
	m := measured{}
	read("a", []byte("BenchmarkProof/1000 5 10 ns/op\nBenchmarkProof/1000000 5 2000000 ns/op\n"+
		"BenchmarkPlain/1000 5 5 ns/op\n"), m)
	rows := curve("proof", "a", "Proof/", "ns/op", 1000, 1_000_000)
	plain := curve("plain", "a", "Plain/", "ns/op", 1000)
	s := section{title: "Proof", axis: "records", rows: append(rows, plain...)}
	picture := string(plot(s, m))
	if strings.Count(picture, "<polyline") != 2 || !strings.Contains(picture, ">1,000,000<") {
		t.Errorf("no curves: %q", picture)
	}
	var b bytes.Buffer
	curveTable(&b, s, m)
	const want = "| records | proof | plain |\n| ---: | ---: | ---: |\n" +
		"| 1,000 | 10 ns (10 ns – 10 ns) | 5 ns (5 ns – 5 ns) |\n" +
		"| 1,000,000 | 2.00 ms (2.00 ms – 2.00 ms) | |\n"
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
	if plot(section{axis: "records", rows: rows[:1]}, m) != nil {
		t.Error("one point is no curve")
	}
	missing := curve("proof", "a", "Proof/", "ns/op", 1000, 5)
	if plot(section{axis: "records", rows: missing}, m) != nil {
		t.Error("a curve of what was not measured")
	}
}

func TestRunsPutBenchmarksTogether(t *testing.T) {
	nothing := func(string) string { return "" }
	everything := func(string) string { return "there" }
	without, with := runs(plan(), nothing), runs(plan(), everything)
	if len(with) <= len(without) {
		t.Errorf("%d runs with servers, %d without", len(with), len(without))
	}
	for _, b := range with {
		if slices.Contains(b.names, "Instances") && (b.tags != "servers" || b.time != "1x" || len(b.names) != 1) {
			t.Errorf("%+v", b)
		}
	}
	for _, b := range without {
		if b.tags != "" {
			t.Errorf("%+v needs servers", b)
		}
	}
}

// Everything that is compared with is in the plan, and no plot has another's name.
func TestPlanIsWhole(t *testing.T) {
	labels := ""
	names := map[string]bool{}
	for _, s := range plan() {
		if s.name == "" || names[s.name] {
			t.Errorf("%q: the plot needs a name of its own", s.title)
		}
		names[s.name] = true
		for _, r := range s.rows {
			labels += r.name(s) + " (" + s.text + ")\n"
		}
	}
	for _, what := range []string{"go-oidc", "jwx", "golang-jwt", "zitadel", "crypto/x509", "x/crypto/ocsp", "scs",
		"plain insert", "1,000,000 entries", "1,000,000 records", "4 instances", "10,000 logins"} {
		if !strings.Contains(labels, what) {
			t.Errorf("the plan has no %s", what)
		}
	}
}

// Every row of the plan names a benchmark that is in the source.
func TestPlanNamesWhatExists(t *testing.T) {
	for _, s := range plan() {
		for _, r := range s.rows {
			first, _, _ := strings.Cut(r.benchmark, "/")
			names, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(r.from), "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, name := range names {
				src, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(src), "func Benchmark"+first+"(")
			}
			if !found {
				t.Errorf("%s has no Benchmark%s", r.from, first)
			}
		}
	}
}
