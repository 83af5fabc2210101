package evidencestore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// signedEntries are n entries from first on, each with a signature value of its own and of this history.
func signedEntries(history string, first, n int64) (all []evidence.Entry) {
	for i := first; i < first+n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", history, i))
		e := evidence.Entry{Record: []byte(`{"a":1}`), Signature: hex.EncodeToString(sum[:])}
		for range tlog.StoredHashCount(i+1) - tlog.StoredHashCount(i) {
			e.Hashes = append(e.Hashes, sum)
		}
		all = append(all, e)
	}
	return all
}

// allSigned checks that a store finds the signature values of entries, and refuses them.
func allSigned(t *testing.T, s evidence.Store, first int64, entries []evidence.Entry) {
	t.Helper()
	var asked []string
	for _, e := range entries {
		asked = append(asked, e.Signature)
	}
	found, err := s.Signed(t.Context(), asked...)
	if err != nil || len(found) != len(asked) {
		t.Fatalf("%d of %d signature values, %v", len(found), len(asked), err)
	}
	size, err := s.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if found[e.Signature] != first+int64(i) {
			t.Fatalf("entry %d is found as %d", first+int64(i), found[e.Signature])
		}
		if i%97 == 0 || i == len(entries)-1 {
			again := signedEntries("again", size, 1)
			again[0].Signature = e.Signature
			if err := s.Append(t.Context(), size, again); !errors.Is(err, evidence.ErrSigned) {
				t.Fatalf("entry %d handed in again: %v", first+int64(i), err)
			}
		}
	}
}

// TestSQLiteSignedMoved: signature values are found and refused wherever they are, by two programs that append in turns
// while they are moved into their table; also by one that begins, and after somebody cut the log off below.
func TestSQLiteSignedMoved(t *testing.T) {
	t.Parallel()
	where := "sqlite:" + filepath.Join(t.TempDir(), "log.db")
	open := func() *Opened {
		s, err := Open(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	shut := func(s *Opened) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	one, two := open(), open()
	const total = 9000
	all := signedEntries("first", 0, total)
	size := 0
	for i := 0; size < total; i++ {
		s, other := one, two
		if i%3 == 2 {
			s, other = two, one
		}
		batch := all[size:min(size+250, total)]
		if err := s.Append(t.Context(), int64(size), batch); err != nil {
			t.Fatal(err)
		}
		size += len(batch)
		allSigned(t, other, int64(size-len(batch)), batch)
	}
	third := open()
	for _, s := range []*Opened{one, two, third} {
		allSigned(t, s, 0, all)
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		shut(s)
	}
	execAll(t, where, "DELETE FROM kakunin_evidence_entries WHERE idx >= 3000",
		"UPDATE kakunin_evidence_head SET size = 3000")
	cut := open()
	allSigned(t, cut, 0, all[:3000])
	another := signedEntries("second", 3000, 6000)
	for size := 3000; size < total; size += 250 {
		if err := cut.Append(t.Context(), int64(size), another[size-3000:size-2750]); err != nil {
			t.Fatal(err)
		}
	}
	allSigned(t, cut, 3000, another)
	if found, err := cut.Signed(t.Context(), all[3500].Signature); err != nil || len(found) != 0 {
		t.Errorf("what was cut off is found: %v, %v", found, err)
	}
	shut(cut)
	for _, lost := range []string{
		"DELETE FROM kakunin_evidence_signed WHERE idx = 2000",
		"UPDATE kakunin_evidence_signed SET key = x'00' WHERE idx = 2001",
	} {
		execAll(t, where, "CREATE TABLE kept AS SELECT * FROM kakunin_evidence_signed", lost)
		s := open()
		if err := s.Check(t.Context()); !errors.Is(err, evidence.ErrDamaged) {
			t.Errorf("%s: %v", lost, err)
		}
		shut(s)
		execAll(t, where, "DELETE FROM kakunin_evidence_signed",
			"INSERT INTO kakunin_evidence_signed SELECT * FROM kept", "DROP TABLE kept")
	}
	s := open()
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	shut(s)
}
