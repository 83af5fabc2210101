package filestore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// record is a verdict's, made without keys and certificates; number makes it one of its own.
func record(tb testing.TB, number int) *evidence.Record {
	tb.Helper()
	sealed, err := sign.ParseSealed("aGVhZA.a2V5.aXY.Y2lwaGVy.dGFn")
	if err != nil {
		tb.Fatal(err)
	}
	tx := &sign.Transaction{
		ID: fmt.Sprintf("tx-%d", number), Mode: sign.ModeBareHash, MediaType: "text/plain",
		Digest: sha256.Sum256([]byte{byte(number), byte(number >> 8)}),
	}
	r, err := evidence.FromVerdict(evidence.Judged{Verdict: &sign.Verdict{VerificationID: tx.ID, Status: jpki.Good,
		VerifiedAt: now,
		Method:     "OCSP"}, Sealed: sealed, Transaction: tx},
		now)

	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func open(tb testing.TB, dir string) (*filestore.Store, *evidence.Log) {
	tb.Helper()
	s, err := filestore.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	l, err := evidence.OpenLog(evidence.LogConfig{Store: s, Now: clock})
	if err != nil {
		tb.Fatal(err)
	}
	return s, l
}

func appendTo(tb testing.TB, l *evidence.Log, numbers ...int) {
	tb.Helper()
	records := make([]*evidence.Record, len(numbers))
	for i, n := range numbers {
		records[i] = record(tb, n)
	}
	if _, err := l.AppendRecords(context.Background(), records...); err != nil {
		tb.Fatalf("%v: %v", err, errors.Unwrap(err))
	}
}

func verify(tb testing.TB, l *evidence.Log, want int64) evidence.State {
	tb.Helper()
	s, err := l.Verify(context.Background(), evidence.Verification{})
	if err != nil || s.Records != want {
		tb.Fatalf("%d records of %d: %v: %v", s.Records, want, err, errors.Unwrap(err))
	}
	return s
}

func entryAt(tb testing.TB, s *filestore.Store, index int64) (evidence.Entry, error) {
	tb.Helper()
	entries, err := s.Entries(context.Background(), index, 1)
	if err != nil {
		return evidence.Entry{}, err
	}
	return entries[0], nil
}

func shut(tb testing.TB, s *filestore.Store) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
}

// copyDir is what a crash leaves: the files as they are, without anything that Close does.
func copyDir(tb testing.TB, from string) string {
	tb.Helper()
	to := filepath.Join(tb.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		tb.Fatal(err)
	}
	return to
}

func TestOpenAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "evidence")
	s, l := open(t, dir)
	appendTo(t, l, 0)
	appendTo(t, l, 1, 2, 3)
	appendTo(t, l, 4)
	before := verify(t, l, 5)
	shut(t, s)
	if _, err := s.Size(t.Context()); !errors.Is(err, filestore.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	shut(t, s) // once more does no harm
	s, l = open(t, dir)
	if r := s.Recovered(); r != (filestore.Recovered{}) {
		t.Errorf("after an ordinary end: %+v", r)
	}
	if after := verify(t, l, 5); after != before {
		t.Errorf("%+v before, %+v after", before, after)
	}
	appendTo(t, l, 5)
	for i := range int64(6) {
		if r, err := l.Record(t.Context(), i); err != nil || r.TransactionID != fmt.Sprintf("tx-%d", i) {
			t.Errorf("record %d: %v", i, err)
		}
	}
	for _, i := range []int64{-1, 6} {
		if _, err := entryAt(t, s, i); !errors.Is(err, evidence.ErrAbsent) {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	shut(t, s)
	entries, err := os.Stat(filepath.Join(dir, "entries.log"))
	if err != nil || entries.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", entries.Mode(), err)
	}
}

func TestOneWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, l := open(t, dir)
	if other, err := filestore.Open(dir); other != nil || !errors.Is(err, filestore.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	appendTo(t, l, 0)
	if err := s.Append(t.Context(), 0, []evidence.Entry{{Record: []byte("{}")}}); !errors.Is(err, evidence.ErrMoved) {
		t.Errorf("behind another size: %v", err)
	}
	shut(t, s)
	s, l = open(t, dir)
	verify(t, l, 1)
	shut(t, s)
}

// withoutJournal is a copy that somebody made of the other files alone, and what a version without a journal left.
func withoutJournal(tb testing.TB, dir string) string {
	tb.Helper()
	if err := os.Remove(filepath.Join(dir, "journal")); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// TestTornAtEveryByte: a batch that was cut off anywhere and is not in the journal is moved aside, the records before
// it are all there, and the log goes on.
func TestTornAtEveryByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, l := open(t, dir)
	appendTo(t, l, 0, 1)
	appendTo(t, l, 2)
	acknowledged, err := os.Stat(filepath.Join(dir, "entries.log"))
	if err != nil {
		t.Fatal(err)
	}
	before := verify(t, l, 3)
	appendTo(t, l, 3, 4)
	crashed := withoutJournal(t, copyDir(t, dir))
	shut(t, s)
	whole, err := os.ReadFile(filepath.Join(crashed, "entries.log"))
	if err != nil {
		t.Fatal(err)
	}
	for length := int(acknowledged.Size()); length < len(whole); length += tests.Size(97, 1) * 7 {
		at := copyDir(t, crashed)
		if err := os.WriteFile(filepath.Join(at, "entries.log"), whole[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		s, l := open(t, at)
		torn := int64(length) - acknowledged.Size()
		if r := s.Recovered(); r.Torn != torn || (r.TornFile == "") != (torn == 0) {
			t.Fatalf("%d bytes: %+v", length, r)
		}
		if torn > 0 {
			aside, err := os.ReadFile(filepath.Join(at, s.Recovered().TornFile))
			if err != nil || !bytes.Equal(aside, whole[acknowledged.Size():length]) {
				t.Fatalf("%d bytes: what was torn is not kept: %v", length, err)
			}
		}
		if after := verify(t, l, 3); after != before {
			t.Fatalf("%d bytes: %+v", length, after)
		}
		appendTo(t, l, 3, 4)
		verify(t, l, 5)
		shut(t, s)
	}
	// A tail whose pages were never written reads as zeros.
	at := copyDir(t, crashed)
	zeroed := append(bytes.Clone(whole[:acknowledged.Size()]), make([]byte, len(whole)-int(acknowledged.Size()))...)
	if err := os.WriteFile(filepath.Join(at, "entries.log"), zeroed, 0o600); err != nil {
		t.Fatal(err)
	}
	s, l = open(t, at)
	verify(t, l, 3)
	shut(t, s)
}

// TestDerivedFilesAreMadeAnew: whatever a crash or a hand does to them, the entries alone decide.
func TestDerivedFilesAreMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, l := open(t, dir)
	appendTo(t, l, 0, 1, 2)
	before := verify(t, l, 3)
	shut(t, s)
	for _, name := range []string{"hashes", "offsets", "signatures", "state"} {
		for what, damage := range map[string]func(path string) error{
			"missing": os.Remove,
			"empty":   func(path string) error { return os.Truncate(path, 0) },
			"short":   func(path string) error { return os.Truncate(path, 7) },
		} {
			at := copyDir(t, dir)
			if err := damage(filepath.Join(at, name)); err != nil {
				t.Fatal(err)
			}
			s, l := open(t, at)
			if r := s.Recovered(); r.Reindexed != 3 || r.Torn != 0 {
				t.Errorf("%s %s: %+v", name, what, r)
			}
			if after := verify(t, l, 3); after != before {
				t.Errorf("%s %s: %+v", name, what, after)
			}
			shut(t, s)
		}
	}
}

// TestDamageIsNamed: what was acknowledged and cannot be read is never taken for a torn tail, and never repaired.
func TestDamageIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, l := open(t, dir)
	for n := range 4 {
		appendTo(t, l, n)
	}
	// The derived files are behind, so that the batches are read when it is opened.
	healed := copyDir(t, dir)
	crashed := withoutJournal(t, copyDir(t, dir))
	shut(t, s)
	whole, err := os.ReadFile(filepath.Join(dir, "entries.log"))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(offset int) []byte {
		b := bytes.Clone(whole)
		b[offset] ^= 1
		return b
	}
	second := bytes.Index(whole[1:], []byte(`{"batch"`)) + 1
	for name, c := range map[string]struct {
		dir     string
		entries []byte
		damaged bool // when it is opened
	}{
		"a bit in the first batch, after a crash":     {crashed, flip(second - 20), true},
		"a bit in the head of a batch, after a crash": {crashed, flip(second + 3), true},
		"a batch taken out, after a crash, is torn": {crashed,
			append(bytes.Clone(whole[:second-10]), whole[second:]...), true},
		"a bit in the first batch, after an ordinary end": {dir, flip(second - 20), false},
		"a bit in the first batch, after an ordinary end, where nothing derived is left": {
			noState(t, copyDir(t, dir)), flip(second - 20), true},
		"shorter than it was": {dir, whole[:len(whole)-1], true},
	} {
		at := copyDir(t, c.dir)
		if err := os.WriteFile(filepath.Join(at, "entries.log"), c.entries, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := filestore.Open(at)
		if c.damaged {
			if s != nil || !errors.Is(err, filestore.ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
			if left, errRead := os.ReadFile(filepath.Join(at, "entries.log")); errRead != nil ||
				!bytes.Equal(left, c.entries) {
				t.Errorf("%s: the file was changed: %v", name, errRead)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		l, err := evidence.OpenLog(evidence.LogConfig{Store: s})
		if err != nil {
			t.Fatal(err)
		}
		var e *evidence.Error
		if _, err := l.Verify(t.Context(), evidence.Verification{}); !errors.As(err, &e) || e.Record != 1 {
			t.Errorf("%s: %v", name, err)
		}
		shut(t, s)
	}
	if err := os.WriteFile(filepath.Join(dir, "state"), []byte(`{"version":3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := filestore.Open(dir); s != nil || err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("a later version: %v", err)
	}
	// What the journal still has is written again, whatever became of it.
	if err := os.WriteFile(filepath.Join(healed, "entries.log"), flip(second-20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, l = open(t, healed)
	if r := s.Recovered(); r.Redone != 4 || r.Torn != 0 {
		t.Errorf("%+v", r)
	}
	verify(t, l, 4)
	shut(t, s)
	if got, err := os.ReadFile(filepath.Join(healed, "entries.log")); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("not healed: %v", err)
	}
}

func noState(tb testing.TB, dir string) string {
	tb.Helper()
	if err := os.Remove(filepath.Join(dir, "state")); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func hexSum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// TestSigned: every signature is found, the first entry of it, also over a table that had to grow and after a crash.
func TestSigned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	const n = 3000
	var batch []evidence.Entry
	for i := range n {
		batch = append(batch, evidence.Entry{
			Record: []byte("{}"), Signature: hexSum(fmt.Sprint(i % 2900)), Again: i >= 2900,
		})
		if len(batch) == 100 {
			if err := s.Append(t.Context(), int64(i-99), batch); err != nil {
				t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	crashed := copyDir(t, dir)
	shut(t, s)
	for _, at := range []string{dir, crashed} {
		s, _ := open(t, at)
		for i := range 2900 {
			signature := hexSum(fmt.Sprint(i))
			found, err := s.Signed(t.Context(), signature)
			if index, ok := found[signature]; err != nil || !ok || index != int64(i) {
				t.Fatalf("signature %d: %v, %v", i, found, err)
			}
		}
		unknown := []string{hexSum("x"), "", "zz", hexSum(fmt.Sprint(2900))}
		if found, err := s.Signed(t.Context(), unknown...); err != nil || len(found) != 0 {
			t.Errorf("%v, %v", found, err)
		}
		shut(t, s)
	}
}

// FuzzOpen: whatever the log holds, opening ends with an error or with a log whose entries can be read.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	s, l := open(f, dir)
	appendTo(f, l, 0)
	appendTo(f, l, 1, 2)
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "entries.log"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(
		[]byte(
			"{\"batch\":1,\"bytes\":3,\"sha256\":\"ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356\"}\n{}\n",
		),
	)
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "entries.log"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := filestore.Open(dir)
		if err != nil {
			return
		}
		n, err := s.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if _, err := entryAt(t, s, i); err != nil {
				t.Fatalf("entry %d of %d: %v", i, n, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
