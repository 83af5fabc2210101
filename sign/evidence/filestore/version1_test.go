package filestore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// versionOne writes the entries of a store as version 1 did: a file for each part and each key, and nothing derived.
func versionOne(tb testing.TB, from evidence.Store) string {
	tb.Helper()
	dir := tb.TempDir()
	n, err := from.Size(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	entries, err := from.Entries(tb.Context(), 0, int(n))
	if err != nil {
		tb.Fatal(err)
	}
	write := func(name string, b []byte) {
		tb.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	var log bytes.Buffer
	for i, e := range entries {
		var positions []int64
		for p := tlog.StoredHashCount(int64(i)); p < tlog.StoredHashCount(int64(i)+1); p++ {
			positions = append(positions, p)
		}
		hashes, err := from.Hashes(tb.Context(), positions)
		if err != nil {
			tb.Fatal(err)
		}
		texts := make([]string, len(hashes))
		for j, h := range hashes {
			texts[j] = fmt.Sprintf("%x", h)
		}
		list, err := json.Marshal(texts)
		if err != nil {
			tb.Fatal(err)
		}
		line := fmt.Appendf(nil, `{"record":%s,"hashes":%s`, e.Record, list)
		if e.Signature != "" {
			line = fmt.Appendf(line, `,"signature":%q`, e.Signature)
		}
		line = append(line, "}\n"...)
		fmt.Fprintf(&log, `{"batch":1,"bytes":%d,"sha256":"%x"}`+"\n%s", len(line), sha256.Sum256(line), line)
		switch {
		case e.Key != nil:
			write(fmt.Sprintf("held/%d.sealed", i), e.Held)
			write(fmt.Sprintf("keys/%d.key", i), e.Key)
		case e.Held != nil:
			write(fmt.Sprintf("held/%d.json", i), e.Held)
		}
	}
	write("entries.log", log.Bytes())
	return dir
}

// oldLog is a log of before, with 8 records that have parts and 3 that have none.
func oldLog(tb testing.TB) string {
	tb.Helper()
	m := evidence.NewMemory()
	heldLog(tb, m, 0, 8)
	return versionOne(tb, m)
}

// TestVersionOne: a directory of before is read, appended to and purged; what it has in files of their own and what is
// in segments are one log.
func TestVersionOne(t *testing.T) {
	t.Parallel()
	dir := oldLog(t)
	// What a crash left behind the last entry: the entry that comes there has another part, or none.
	for _, name := range []string{"held/11.json", "held/12.sealed", "keys/12.key", "held/500.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(`{"certificate":"AQ=="}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := open(t, dir)
	l := storetest.Log(t, s)
	state, err := l.Verify(t.Context(), evidence.Verification{})
	if err != nil || state.Records != 11 || state.Held != 8 {
		t.Fatalf("%+v, %v", state, err)
	}
	if _, err := l.AppendRecords(t.Context(), storetest.Record(t, 50)); err != nil { // entry 11, without a part
		t.Fatal(err)
	}
	heldLog(t, s, 20, 3) // entries 12, 13 and 15
	for range 2 {        // as it is, and opened again
		held, err := s.HeldFrom(t.Context(), 0, 100)
		if want := []int64{0, 2, 3, 4, 6, 7, 8, 10, 12, 13, 15}; err != nil || !slices.Equal(held, want[:len(held)]) {
			t.Errorf("%v, %v", held, err)
		}
		if some, err := s.HeldFrom(t.Context(), 7, 3); err != nil || !slices.Equal(some, []int64{7, 8, 10}) {
			t.Errorf("%v, %v", some, err)
		}
		if state, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || state.Held != int64(len(held)) {
			t.Errorf("%+v, %v", state, err)
		}
		if got, err := entryAt(t, s, 11); err != nil || got.Held != nil {
			t.Errorf("a stranger's part: %s, %v", got.Held, err)
		}
		shut(t, s)
		s, _ = open(t, dir)
		l = storetest.Log(t, s)
	}
	before := secrets(t, s)
	if err := l.DeleteHeld(t.Context(), 2, "withdrawn"); err != nil {
		t.Fatal(err)
	}
	until := storetest.Now().AddDate(20, 0, 0)
	late, err := evidence.OpenLog(evidence.LogConfig{Store: s, Now: func() time.Time { return until }})
	if err != nil {
		t.Fatal(err)
	}
	rule := evidence.Retention{Law: "test", Start: "transaction", Years: 1}
	report, err := late.Purge(t.Context(), evidence.Purging{Default: &rule})
	if err != nil || report.Outcomes[evidence.OutcomeDeleted] != int64(len(before)-1) {
		t.Fatalf("%+v, %v", report, err)
	}
	for i, secret := range before {
		if names := inFiles(t, dir, secret); len(names) > 0 {
			t.Errorf("entry %d: in %v", i, names)
		}
	}
	state, err = storetest.Log(t, s).Verify(t.Context(), evidence.Verification{})
	if err != nil || state.Held != 0 || state.Deleted != int64(len(before)) {
		t.Errorf("%+v, %v", state, err)
	}
	shut(t, s)
}

// TestVersionOneCutOff: what the machine's death leaves of taking over is taken over at the next start.
func TestVersionOneCutOff(t *testing.T) {
	t.Parallel()
	dir := oldLog(t)
	s, _ := open(t, dir)
	crashed := copyDir(t, dir)
	shut(t, s)
	for _, st := range []string{"", `{"version":1,"size":4,"end":1,"hashes":4}`, `{"version":2,"size":0}`, "{"} {
		at := copyDir(t, crashed)
		for _, derived := range []string{"hashes", "offsets", "signatures"} {
			if err := os.Remove(filepath.Join(at, derived)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(at, "state"), []byte(st), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, at)
		state, err := storetest.Log(t, s).Verify(t.Context(), evidence.Verification{})
		if err != nil || state.Records != 11 || state.Held != 8 {
			t.Errorf("%q: %+v, %v", st, state, err)
		}
		shut(t, s)
	}
}

// TestVersionOneLosses: parts and keys of before that are gone or exchanged are named as ever.
func TestVersionOneLosses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do     func(dir string) error
		reason evidence.Reason
	}{
		"a part gone": {func(dir string) error { return os.Remove(filepath.Join(dir, "held/3.sealed")) },
			evidence.ReasonAbsent},
		"a key gone": {func(dir string) error { return os.Remove(filepath.Join(dir, "keys/3.key")) },
			evidence.ReasonAbsent},
		"another's part": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "held/6.sealed"), filepath.Join(dir, "held/3.sealed"))
		}, evidence.ReasonHash},
	} {
		dir := oldLog(t)
		if err := c.do(dir); err != nil {
			t.Fatal(err)
		}
		s, err := filestore.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		var e *evidence.Error
		_, err = storetest.Log(t, s).Verify(t.Context(), evidence.Verification{})
		if !errors.As(err, &e) || e.Reason != c.reason || e.Record != 4 {
			t.Errorf("%s: %v", name, err)
		}
		shut(t, s)
	}
}
