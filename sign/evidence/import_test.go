package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestImportIsWhole: a chain that cannot be taken over to its end is not begun.
func TestImportIsWhole(t *testing.T) {
	t.Parallel()
	plain := record(t)
	held := record(t, evidence.WithCertificate())
	other := record(t)
	other.TransactionID = "0f7d1d9a-0000-4000-8000-000000000002"
	again := record(t) // the same signature in the same transaction is recorded twice
	many := func(last *evidence.Record) []*evidence.Record {
		var all []*evidence.Record
		for range 256 {
			all = append(all, plain)
		}
		return append(all, last)
	}
	for name, records := range map[string][]*evidence.Record{
		"a held part and no keys": many(held), "a signature of another transaction": many(other),
	} {
		old, err := evidence.ChainOf(records...)
		if err != nil {
			t.Fatal(err)
		}
		l, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.ImportChain(t.Context(), bytes.NewReader(old))
		if n, errSize := l.Size(t.Context()); err == nil || n != 0 || errSize != nil {
			t.Errorf("%s: %v, %d entries", name, err, n)
		}
	}
	old, err := evidence.ChainOf(many(again)...)
	if err != nil {
		t.Fatal(err)
	}
	l := newLog(t, evidence.NewMemory())
	if _, err := l.ImportChain(t.Context(), bytes.NewReader(old)); err != nil {
		t.Error(err)
	}
}

// filling is a store that takes some appends and no more.
type filling struct {
	evidence.Store
	left int
}

func (s *filling) Append(ctx context.Context, size int64, entries []evidence.Entry) error {
	if s.left == 0 {
		return errors.New("full")
	}
	err := s.Store.Append(ctx, size, entries)
	if err == nil {
		s.left--
	}
	return err
}

// TestImportGoesOn: what an interrupted import left is the beginning of the same chain, and of no other.
func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	chain := func(first *evidence.Record) []byte {
		all := []*evidence.Record{first}
		held := record(t, evidence.WithCertificate())
		for range 299 {
			all = append(all, held)
		}
		b, err := evidence.ChainOf(all...)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	old, other := chain(record(t)), chain(record(t, evidence.Basis("犯収法")))
	store := &filling{Store: evidence.NewMemory(), left: 1}
	l := newLog(t, store)
	if _, err := l.ImportChain(t.Context(), bytes.NewReader(old)); reasonOf(err) != evidence.ReasonIO {
		t.Fatal(err)
	}
	store.left = 10
	if _, err := l.ImportChain(t.Context(), bytes.NewReader(other)); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("another chain: %v", err)
	}
	if n, err := l.Size(t.Context()); n != 256 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for range 2 { // the second time nothing is left to do
		if c, err := l.ImportChain(t.Context(), bytes.NewReader(old)); err != nil || c.Records != 300 {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	s, err := l.Verify(t.Context(), evidence.Verification{})
	if err != nil || s.Records != 300 || s.Held != 299 || get(t, l, 256).Previous != get(t, l, 255).Hash {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := l.AppendNotes(t.Context(), "operation", map[string]string{"step": "done"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.ImportChain(t.Context(), bytes.NewReader(old)); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("behind a note: %v", err)
	}
}
