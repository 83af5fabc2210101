package filestore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// A failed append that cannot be undone leaves a file of which nobody knows what stands in it: the store says nothing
// any more, even when the disk is well again, until it is opened anew.
func TestBrokenStaysBroken(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	signature := strings.Repeat("5a", 32)
	entry := evidence.Entry{Record: []byte(`{}`), Hashes: []evidence.Hash{{1}}, Signature: signature}
	if err := s.Append(t.Context(), 0, []evidence.Entry{entry}); err != nil {
		t.Fatal(err)
	}
	well := s.entries
	if s.entries, err = os.Open(filepath.Join(dir, filepath.Base(well.Name()))); err != nil { // neither written nor cut
		t.Fatal(err)
	}
	entry.Again = true
	if err := s.Append(t.Context(), 1, []evidence.Entry{entry}); err == nil {
		t.Fatal(err)
	}
	ill := s.entries
	s.entries = well
	for name, call := range map[string]func() error{
		"Size":       func() error { _, err := s.Size(t.Context()); return err },
		"Append":     func() error { return s.Append(t.Context(), 1, []evidence.Entry{entry}) },
		"Entries":    func() error { _, err := s.Entries(t.Context(), 0, 1); return err },
		"HeldFrom":   func() error { _, err := s.HeldFrom(t.Context(), 0, 1); return err },
		"PutBlob":    func() error { _, err := s.PutBlob(t.Context(), strings.NewReader("x")); return err },
		"Blob":       func() error { _, err := s.Blob(t.Context(), evidence.Hash{1}); return err },
		"Hashes":     func() error { _, err := s.Hashes(t.Context(), []int64{0}); return err },
		"Signed":     func() error { _, err := s.Signed(t.Context(), signature); return err },
		"DeleteHeld": func() error { return s.DeleteHeld(t.Context(), 0) },
	} {
		if err := call(); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(ill.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := again.Size(t.Context()); err != nil || n != 1 {
		t.Errorf("opened anew: %d entries, %v", n, err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
