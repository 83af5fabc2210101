package storetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Flip says how [Flips] reads and writes the files of a store.
type Flip struct {
	// Files reads the files of a closed store by their paths.
	Files func(tb testing.TB) map[string][]byte
	// Write makes a store of files, and opens it.
	Write func(tb testing.TB, files map[string][]byte) (store evidence.Store, closeStore func(), err error)
	Flips int
}

// Flips opens copies of a store's files with a single bit flipped and verifies them: the flip is named, or it changed
// nothing that the log says. point is the log's state; see [Point].
func Flips(t *testing.T, f Flip, point evidence.Checkpoint) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // places to flip
	files := f.Files(t)
	var names []string
	for name, content := range files {
		if len(content) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	named := 0
	for i := range f.Flips {
		name := names[i%len(names)]
		at := random.IntN(len(files[name]))
		bit := byte(1) << random.IntN(8)
		files[name][at] ^= bit
		if flipped(t, f, files, point) {
			named++
		}
		files[name][at] ^= bit
	}
	t.Logf("%d of %d flips were named, the others changed nothing", named, f.Flips)
}

func flipped(t *testing.T, f Flip, files map[string][]byte, point evidence.Checkpoint) (named bool) {
	t.Helper()
	s, closeStore, err := f.Write(t, files)
	if err != nil {
		return true
	}
	defer closeStore()
	l := Log(t, s)
	state, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: []evidence.Checkpoint{point}})
	var e *evidence.Error
	switch {
	case errors.As(err, &e):
		return true
	case err != nil:
		t.Error(explain(err))
	case state.Root != point.Root:
		t.Error("another log, and no error")
	default:
		everySignatureIsFound(t, s, state.Records)
	}
	return false
}

func everySignatureIsFound(t *testing.T, s evidence.Store, n int64) {
	t.Helper()
	entries, err := s.Entries(t.Context(), 0, int(n))
	must(t, err)
	for i, e := range entries {
		found, err := s.Signed(t.Context(), e.Signature)
		if index, ok := found[e.Signature]; err != nil || !ok || index != int64(i) {
			t.Errorf("the signature of entry %d is not found, and no error: %v", i, err)
		}
	}
}

// Point is the present state of a log over a store, for [Flips].
func Point(tb testing.TB, s evidence.Store) evidence.Checkpoint {
	tb.Helper()
	return checkpoint(tb, Log(tb, s))
}
