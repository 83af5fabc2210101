package golden_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

// recorder notes whether a comparison failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	for _, tt := range []struct {
		what, kept, got string
		failed          bool
	}{
		{"the same", "one\ntwo\n", "one\ntwo\n", false},
		{"ends of Windows", "one\r\ntwo\r\n", "one\ntwo\n", false},
		{"other text", "one\ntwo\n", "one\n", true},
		{"no end of the last line", "one\n", "one", true},
		{"ends of Windows that were made", "one\n", "one\r\n", true},
		{"empty", "one\n", "", true},
	} {
		t.Run(tt.what, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(tt.kept), 0o600); err != nil {
				t.Fatal(err)
			}
			r := &recorder{TB: t}
			golden.File(r, path, tt.got)
			if r.failed != tt.failed {
				t.Errorf("failed: %t", r.failed)
			}
		})
	}
	r := &recorder{TB: t}
	golden.File(r, path+".missing", []byte("one"))
	if !r.failed {
		t.Error("a file that is missing is no difference")
	}
}
