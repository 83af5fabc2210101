package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// logOfOne is a directory with one record.
func logOfOne(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := storetest.Log(t, s).AppendRecords(t.Context(), storetest.Record(t, 1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTornTailsStay: what two crashes left at the same place is kept twice: one of them may be worth something.
func TestTornTailsStay(t *testing.T) {
	t.Parallel()
	dir := logOfOne(t)
	entries := filepath.Join(dir, "entries.log")
	whole, err := os.ReadFile(entries)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]string{}
	for _, torn := range []string{"the first", "the second", "the third"} {
		if err := os.WriteFile(entries, append(whole[:len(whole):len(whole)], torn...), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := filestore.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		r := s.Recovered()
		if r.Torn != int64(len(torn)) || left[r.TornFile] != "" {
			t.Errorf("%s: %+v", torn, r)
		}
		left[r.TornFile] = torn
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range left {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestLaterDirectory: what a later version wrote is not touched, and told apart from damage.
func TestLaterDirectory(t *testing.T) {
	t.Parallel()
	dir := logOfOne(t)
	later := []byte(`{"version":3,"size":1,"end":1,"hashes":1}`)
	if err := os.WriteFile(filepath.Join(dir, "state"), later, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := filestore.Open(dir)
	if s != nil || !errors.Is(err, evidence.ErrLater) || errors.Is(err, evidence.ErrDamaged) {
		t.Errorf("%v", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "state")); err != nil || string(got) != string(later) {
		t.Errorf("%q, %v", got, err)
	}
}
