// Package golden compares what tests make with files that are checked in: generated pages, and what programs print. The
// flag -update of a test program that imports it writes them anew. Only tests import it.
package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the files that tests compare with anew")

// Updating tells whether files are to be written anew, for tests that write more than File does.
func Updating() bool { return *update }

// File compares got with the file at path, or writes it there with -update. Lines that a checkout has given the ends of
// Windows are the same lines.
func File[T ~string | ~[]byte](t testing.TB, path string, got T) {
	t.Helper()
	if *update {
		write(t, path, []byte(got))
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // of the test's choice
	if err != nil {
		t.Errorf("%v; -update writes it", err)
		return
	}
	unix := bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))
	if !bytes.Equal(want, []byte(got)) && !bytes.Equal(unix, []byte(got)) {
		t.Errorf("%s differs; -update writes it anew. Got:\n%s", path, shown([]byte(got)))
	}
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // part of a checkout
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // part of a checkout
		t.Fatal(err)
	}
}

// shown is as much of a file as a person reads in the output of a test.
func shown(content []byte) []byte {
	const most = 16 << 10
	return content[:min(len(content), most)]
}
