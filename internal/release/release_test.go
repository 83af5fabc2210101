package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes a package and lists its API.
func tree(t *testing.T, source string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"p/p.go": "package p\n" + source, "p/p_test.go": "package p\nfunc Tested() {}\n",
		"p/internal/q/q.go": "package q\nfunc Hidden() {}\n", "cmd/main.go": "package main\nfunc Main() {}\n",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := api(dir)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestAPI(t *testing.T) {
	got := tree(t, `
type T struct{ A, b int; *E; f }
type E struct{}
func (t *T) M(ctx int, of ...string) (n int, err error) { return }
func (f) Not() {}
type f struct{}
type I interface { B(x int); A() }
type G[K comparable] map[K]func(a, b int) error
func Map[K any](k K) K { return k }
const (
	One E2 = iota
	Two
	three
)
type E2 int
var V, w = 1, 2
`)
	want := []string{
		"p: const One E2", "p: const Two E2", "p: func (*T) M(int, ...string) (int, error)", "p: func Map[K any](K) K",
		"p: type E struct", "p: type E2 int", "p: type G[K comparable] map[K]func(a, b int) error",
		"p: type I interface { A(); B(int) }", "p: type T embeds *E", "p: type T struct", "p: type T.A int", "p: var V",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// What breaks nobody is no break, and what breaks somebody is one.
func TestBreaks(t *testing.T) {
	const before = "type T struct{ A int }\ntype I interface{ M() }\nfunc F(a int) {}\n"
	for name, c := range map[string]struct {
		after  string
		breaks bool
	}{
		"nothing":                 {before, false},
		"another parameter name":  {strings.Replace(before, "a int", "b int", 1), false},
		"a field more":            {strings.Replace(before, "A int", "A, B int", 1), false},
		"a function more":         {before + "func G() {}\n", false},
		"a method more":           {before + "func (T) M() {}\n", false},
		"a field less":            {strings.Replace(before, "A int", "a int", 1), true},
		"another type of a field": {strings.Replace(before, "A int", "A string", 1), true},
		"an interface's method":   {strings.Replace(before, "M()", "M(); N()", 1), true},
		"a parameter more":        {strings.Replace(before, "a int", "a, b int", 1), true},
		"a function less":         {strings.Replace(before, "func F", "func f", 1), true},
	} {
		gone, _ := compare(tree(t, before), tree(t, c.after))
		if (len(gone) > 0) != c.breaks {
			t.Errorf("%s: gone %q", name, gone)
		}
	}
}

func TestLicenceOf(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n   Version 2.0, January 2004":                                  "Apache-2.0",
		"Permission is hereby granted, free of\ncharge, to any person obtaining a copy": "MIT",
		"Redistribution and use in source and binary forms … Neither the name of":       "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":            "BSD-2-Clause",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                          "",
		"Mozilla Public License Version 2.0":                                            "", "": "",
	} {
		if got := licenceOf([]byte(text)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
