package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// again: an entry with a signature value that an entry before has is not added, nor what is appended with it, unless
// whoever appends says that it is there again; with held parts and without, alone and anywhere in batches of any
// length. A log that moved is told before that.
func again(t *testing.T, h Harness) {
	s := opened(t, h)
	must(t, s.Append(t.Context(), 0, entries(0, 90)))
	size, next := 90, 1000
	fresh := func(n, form int) []evidence.Entry {
		batch := entries(next, n)
		next += n
		for i := range batch {
			batch[i].Hashes = entries(size+i, 1)[0].Hashes
			switch {
			case form == 1 && i%2 == 0:
				batch[i].Held, batch[i].Key = fmt.Appendf(nil, "sealed %d", next+i), []byte{1, byte(i)}
			case form == 2 && i%3 == 0:
				batch[i].Held = fmt.Appendf(nil, `{"clear":%d}`, next+i)
			case form == 3 && i > 0:
				batch[i].Signature = ""
			}
		}
		return batch
	}
	for form := range 4 {
		for _, n := range []int{1, 2, 3, 65, 130} {
			for _, at := range []int{0, n / 2, n - 1} {
				batch := fresh(n, form)
				batch[at].Signature = hexDigest("signature", size%90)
				if err := s.Append(t.Context(), int64(size), batch); !errors.Is(err, evidence.ErrSigned) {
					t.Fatalf("number %d of %d, form %d: %v", at, n, form, err)
				}
				if err := s.Append(t.Context(), int64(size)-1, batch); !errors.Is(err, evidence.ErrMoved) {
					t.Fatalf("number %d of %d, form %d, to another size: %v", at, n, form, err)
				}
				if got, err := s.Size(t.Context()); got != int64(size) || err != nil {
					t.Fatalf("number %d of %d, form %d: %d entries, %v", at, n, form, got, err)
				}
				// For this one alone, for all, and for none because the value is nobody's.
				for i := range batch {
					batch[i].Again = i == at || at == 0
				}
				if at == n-1 && n > 1 {
					batch[at].Signature, batch[at].Again = hexDigest("another", size), false
				}
				must(t, s.Append(t.Context(), int64(size), batch))
				got, err := s.Entries(t.Context(), int64(size), n)
				must(t, err)
				for i := range batch {
					if len(got) != n || !sameEntry(got[i], batch[i]) {
						t.Fatalf("number %d of %d, form %d: entry %d is another", at, n, form, i)
					}
				}
				size += n
			}
		}
	}
}

// rivals: of several that hand in one signature value at once, each for a transaction of its own, over several
// instances where there may be, one alone is kept, whatever else is appended meanwhile.
func rivals(t *testing.T, h Harness) {
	const each, rounds = 4, 12
	shared := opened(t, h)
	logs := make([]*evidence.Log, each)
	for i := range logs {
		s := shared
		if h.Shared && i > 0 {
			s = opened(t, h)
		}
		logs[i] = Log(t, s)
	}
	for round := range rounds {
		kept := make([]bool, each)
		var wg sync.WaitGroup
		for i, l := range logs {
			record, err := evidence.FromReport(Report(round, each*round+i), Now())
			must(t, err)
			batch := []*evidence.Record{record, Record(t, each*round+i)}[:1+round%2]
			wg.Go(func() {
				_, err := l.AppendRecords(t.Context(), batch...)
				if kept[i] = err == nil; err != nil {
					want(t, err, evidence.ReasonReused, -1)
				}
			})
		}
		wg.Wait()
		if n := len(slices.DeleteFunc(kept, func(k bool) bool { return !k })); n != 1 {
			t.Errorf("%d transactions have the signature value", n)
		}
	}
}
