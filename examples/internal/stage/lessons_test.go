package stage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A lesson is short: an example on this stage has fewer than 300 lines of Go, says how it is started, and has a test.
func TestExamplesAreShort(t *testing.T) {
	mains, err := filepath.Glob("../../*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatal("no examples", err)
	}
	for _, main := range mains {
		text, err := os.ReadFile(main)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte("examples/internal/stage")) {
			continue
		}
		dir := filepath.Dir(main)
		if !bytes.Contains(text, []byte("go run ./examples/"+filepath.Base(dir))) {
			t.Errorf("%s does not say how it is started", main)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		lines, tests := 0, 0
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				tests++
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines += bytes.Count(text, []byte("\n"))
		}
		most := 300
		if filepath.Base(dir) == "moved" {
			most = 500 // a consent from its screen to its end, with years in between, is a longer story
		}
		if lines >= most || tests == 0 {
			t.Errorf("%s has %d lines and %d files of tests", dir, lines, tests)
		}
	}
}
