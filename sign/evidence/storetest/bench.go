package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Plain is what appends are compared with: inserting N rows into the same medium, as durably.
type Plain struct {
	N int
	// Held: the records keep certificate and signature, encrypted.
	Held bool
	// Insert writes the entries that the log has just given to its store: every byte of them, as rows of one table (or
	// lines of one file), in one statement (or write), without an index, a check or a look at what is there.
	Insert func(entries []evidence.Entry)
}

// Append compares appends of batches of records with plain inserts of the same bytes: record, hashes of the tree,
// name of the signature, and the encrypted part and its key where there are any. It reports plain's time as a share of
// the append's (of-plain), and its inverse (x-plain), by the medians of runs in turn: 1 means that checks, tree, index
// and the search for signatures that are known already cost no more than the store saves. of-plain-mean is the same of
// the sums: it has what is done once in many appends too, and whatever else the machine did. The records are made
// beforehand, with a signature value each.
func Append(b *testing.B, s evidence.Store, p Plain) {
	b.Helper()
	given := &heard{Store: s}
	l := Log(b, given)
	var options []evidence.Option
	if p.Held {
		options = append(options, evidence.WithCertificate())
	}
	var appends, plains []time.Duration
	next := 0
	for b.Loop() {
		b.StopTimer()
		batch := make([]*evidence.Record, p.N)
		for i := range batch {
			var err error
			if batch[i], err = evidence.FromReport(Report(next, next), Now(), options...); err != nil {
				b.Fatal(err)
			}
			next++
		}
		logged := func() {
			start := b.Elapsed()
			if _, err := l.AppendRecords(b.Context(), batch...); err != nil {
				b.Fatal(explain(err))
			}
			appends = append(appends, b.Elapsed()-start)
		}
		inserted := func(entries []evidence.Entry) {
			start := b.Elapsed()
			p.Insert(entries)
			plains = append(plains, b.Elapsed()-start)
		}
		// Each goes first every second time: what one leaves for the disk to do is not always the other's.
		first := given.entries
		b.StartTimer()
		if first != nil && len(appends)%2 == 1 {
			inserted(first)
			logged()
		} else {
			logged()
			inserted(given.entries)
		}
	}
	b.ReportMetric(float64(total(plains))/float64(total(appends)), "of-plain-mean")
	of := float64(median(plains)) / float64(median(appends))
	b.ReportMetric(of, "of-plain")
	b.ReportMetric(1/of, "x-plain")
	b.ReportMetric(float64(p.N)/median(appends).Seconds(), "records/s")
}

// Lines are the bytes of entries, a line each. What is no text is written as it is.
func Lines(entries []evidence.Entry) (lines []byte) {
	for _, e := range entries {
		lines = append(lines, e.Record...)
		for _, h := range e.Hashes {
			lines = append(append(lines, ' '), h[:]...)
		}
		lines = append(append(lines, ' '), e.Signature...)
		lines = append(append(append(lines, e.Held...), e.Key...), '\n')
	}
	return lines
}

// heard is a store that remembers what it was given last.
type heard struct {
	evidence.Store
	entries []evidence.Entry
}

func (h *heard) Append(ctx context.Context, size int64, entries []evidence.Entry) error {
	h.entries = entries
	return h.Store.Append(ctx, size, entries)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func total(d []time.Duration) (sum time.Duration) {
	for _, one := range d {
		sum += one
	}
	return sum
}
