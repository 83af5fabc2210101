package evidencestore

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestCopy: a log moves from files into SQLite and back; its checkpoints hold for every copy, its held parts are opened
// there, a deletion stays one, and what was interrupted is continued.
func TestCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(where string) *Opened {
		t.Helper()
		s, err := Open(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	files, database, back := open(filepath.Join(dir, "a")), open("sqlite:"+filepath.Join(dir, "b.db")),
		open(filepath.Join(dir, "c"))
	l := storetest.Log(t, files)
	var points []evidence.Checkpoint
	for i := range 600 {
		var options []evidence.Option
		if i%100 == 0 {
			options = append(options, evidence.WithCertificate())
		}
		if _, err := l.Append(t.Context(), storetest.Report(i, i), options...); err != nil {
			t.Fatal(err)
		}
		if i%299 == 0 {
			points = append(points, storetest.Point(t, files))
			if n, err := evidence.Copy(t.Context(), database, files); err != nil || n != int64(i+1) {
				t.Fatalf("%d, %v", n, err)
			}
		}
	}
	if err := l.DeleteHeld(t.Context(), 100, "request of the person"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Archive(t.Context(), strings.NewReader("anchor 0")); err != nil { // which all records name
		t.Fatal(err)
	}
	for _, c := range [][2]evidence.Store{{database, files}, {back, database}} {
		if n, err := evidence.Copy(t.Context(), c[0], c[1]); err != nil || n != 601 {
			t.Fatalf("%d, %v", n, err)
		}
		all := evidence.Verification{Checkpoints: points, Archive: true}
		state, err := storetest.Log(t, c[0]).Verify(t.Context(), all)
		if err != nil || state.Records != 601 || state.Archived != 1 || state.Sealed != 0 || state.Held != 5 {
			t.Errorf("%+v, %v", state, err)
		}
	}
	other := evidence.NewMemory()
	if _, err := storetest.Log(t, other).Append(t.Context(), storetest.Report(9, 9)); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Copy(t.Context(), other, files); !errors.Is(
		err, &evidence.Error{Reason: evidence.ReasonCheckpoint},
	) {
		t.Errorf("behind another log: %v", err)
	}
	if _, err := evidence.Copy(t.Context(), files, other); !errors.Is(
		err, &evidence.Error{Reason: evidence.ReasonTruncated},
	) {
		t.Errorf("of a shorter log: %v", err)
	}
}
