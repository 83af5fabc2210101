package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The snippets of the page are parts of the programs that CI runs.
func TestSnippetsAreRun(t *testing.T) {
	page, err := os.ReadFile("../../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	for language, file := range map[string]string{"python": "login.py", "js": "login.mjs", "java": "Login.java"} {
		m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(page)
		program, err := os.ReadFile(filepath.Join("../../../.ci/clients", file))
		if m == nil || err != nil || !strings.Contains(string(program), string(m[1])) {
			t.Errorf("the %s snippet is not in %s: %v", language, file, err)
		}
	}
}
