package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

func TestChainFindsEveryChange(t *testing.T) {
	t.Parallel()
	var records []*evidence.Record
	for i := range 4 {
		records = append(records, record(t, evidence.Basis(fmt.Sprintf("record %c", 'a'+i))))
	}
	old, err := evidence.ChainOf(records...)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(old)
	chain, err := evidence.ReadChain(strings.NewReader(whole))
	if err != nil || chain.Records != 4 {
		t.Fatalf("%v, %v", chain, err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	lines[3] += "\n"
	join := func(order ...int) string {
		var b strings.Builder
		for _, i := range order {
			b.WriteString(lines[i])
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		log    string
		record int
		reason evidence.Reason
	}{
		"text changed": {strings.Replace(whole, "record b", "record x", 1), 2, evidence.ReasonHash},
		"time changed": {strings.Replace(whole, "2026-11-21T03:00:00Z", "2026-11-20T03:00:00Z", 1), 1,
			evidence.ReasonHash},
		"mode changed":   {strings.Replace(whole, `"digest-info"`, `"bare-hash"`, 1), 1, evidence.ReasonHash},
		"record removed": {join(0, 2, 3), 2, evidence.ReasonChain},
		"first removed":  {join(1, 2, 3), 1, evidence.ReasonChain},
		"record twice":   {join(0, 1, 1, 2, 3), 3, evidence.ReasonChain},
		"order changed":  {join(0, 2, 1, 3), 2, evidence.ReasonChain},
		"last line cut":  {whole[:len(whole)-10], 4, evidence.ReasonFormat},
		"newline cut":    {whole[:len(whole)-1], 4, evidence.ReasonFormat},
		"empty line":     {join(0) + "\n" + join(1), 2, evidence.ReasonFormat},
		"member added":   {strings.Replace(whole, `"version":1`, `"version":1,"x":1`, 1), 1, evidence.ReasonFormat},
		"member twice": {strings.Replace(whole, `"version":1`, `"version":1,"version":1`, 1), 1,
			evidence.ReasonFormat},
		"another version":   {strings.Replace(whole, `"version":1`, `"version":2`, 1), 1, evidence.ReasonFormat},
		"line without end":  {strings.Repeat("x", limits.Evidence+2), 1, evidence.ReasonFormat},
		"step did not hold": {strings.Replace(whole, `"ok":true`, `"ok":false`, 1), 1, evidence.ReasonFormat},
	} {
		l := newLog(t, evidence.NewMemory())
		_, err := l.ImportChain(t.Context(), strings.NewReader(c.log))
		if n, errSize := l.Size(t.Context()); n != 0 || errSize != nil {
			t.Errorf("%s: %d records were taken over", name, n)
		}
		var e *evidence.Error
		if !errors.As(err, &e) || e.Record != c.record || e.Reason != c.reason ||
			kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What a chain cannot show by itself: that its end was cut off. The head can.
	if short, err := evidence.ReadChain(strings.NewReader(join(0, 1))); err != nil || short.Head == chain.Head {
		t.Errorf("shortened: %v, %v", short, err)
	}
	if chain, err := evidence.ReadChain(strings.NewReader("")); err != nil || chain != (evidence.Chain{}) {
		t.Errorf("empty: %v, %v", chain, err)
	}
	if _, err := evidence.ReadChain(failing{}); reasonOf(err) != evidence.ReasonIO {
		t.Errorf("failing reader: %v", err)
	}
}

// TestImportChain: a log of the old form becomes the beginning of a new one, record by record and byte by byte.
func TestImportChain(t *testing.T) {
	t.Parallel()
	old, err := evidence.ChainOf(record(t, evidence.WithCertificate()), record(t, evidence.Basis("犯収法")))
	if err != nil {
		t.Fatal(err)
	}
	l := newLog(t, evidence.NewMemory())
	chain, err := l.ImportChain(t.Context(), bytes.NewReader(old))
	if err != nil || chain.Records != 2 {
		t.Fatalf("%+v, %v", chain, err)
	}
	first, second := get(t, l, 0), get(t, l, 1)
	if first.Held == nil || second.Previous != first.Hash || second.Hash != chain.Head {
		t.Error("the records are others than they were")
	}
	if _, err := l.Append(t.Context(), verified()); err != nil {
		t.Fatal(err)
	}
	if s, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || s.Records != 3 || s.Held != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := l.ImportChain(t.Context(), bytes.NewReader(old)); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("into a log with records: %v", err)
	}
}

func newLog(tb testing.TB, s evidence.Store) *evidence.Log {
	tb.Helper()
	l, err := evidence.OpenLog(evidence.LogConfig{Store: s, Now: clock, Keys: localKeys(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// TestConcurrentAppend: two logs over one store are two instances; whoever comes second sees the other's records.
func TestConcurrentAppend(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	logs := []*evidence.Log{newLog(t, store), newLog(t, store)}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if _, err := logs[i%2].Append(t.Context(), verified()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s, err := logs[0].Verify(t.Context(), evidence.Verification{}); err != nil || s.Records != 32 {
		t.Errorf("%+v, %v", s, err)
	}
}
