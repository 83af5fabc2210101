package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Run runs every test of the suite against fresh stores.
func Run(t *testing.T, fresh func(tb testing.TB) Harness) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, h Harness){
		"Empty": empty, "Append": appendAndRead, "Moved": moved, "Hashes": hashes, "Signed": signed, "Again": again,
		"Held": held, "Blobs": blobs, "Log": log, "ReusedSignature": reusedSignature, "Rivals": rivals,
		"Writers": writers, "Cancelled": cancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
	t.Run("Tampered", func(t *testing.T) { tampered(t, fresh) })
}

// entries makes n entries that no log made, numbered from first on, with the hashes of their places.
func entries(first, n int) []evidence.Entry {
	var all []evidence.Entry
	for i := first; i < first+n; i++ {
		e := evidence.Entry{
			Record:    fmt.Appendf(nil, `{"number":%d,"text":"証跡 <&>"}`, i),
			Signature: hexDigest("signature", i),
		}
		for p := tlog.StoredHashCount(int64(i)); p < tlog.StoredHashCount(int64(i)+1); p++ {
			e.Hashes = append(e.Hashes, digest("hash", int(p)))
		}
		all = append(all, e)
	}
	return all
}

// opened opens a store for the rest of the test.
func opened(t *testing.T, h Harness) evidence.Store {
	t.Helper()
	s, closeStore := h.open(t)
	t.Cleanup(closeStore)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(explain(err))
	}
}

func empty(t *testing.T, h Harness) {
	s := opened(t, h)
	if n, err := s.Size(t.Context()); n != 0 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	if e, err := s.Entries(t.Context(), 0, 10); !errors.Is(err, evidence.ErrAbsent) {
		t.Errorf("entries: %v, %v", e, err)
	}
	if hashes, err := s.Hashes(t.Context(), []int64{0}); !errors.Is(err, evidence.ErrAbsent) {
		t.Errorf("hashes: %v, %v", hashes, err)
	}
	if found, err := s.Signed(t.Context(), hexDigest("signature", 1)); len(found) != 0 || err != nil {
		t.Errorf("signed: %v, %v", found, err)
	}
	if held, err := s.HeldFrom(t.Context(), 0, 10); len(held) != 0 || err != nil {
		t.Errorf("held: %v, %v", held, err)
	}
	if err := s.DeleteHeld(t.Context(), 0); !errors.Is(err, evidence.ErrAbsent) {
		t.Errorf("delete: %v", err)
	}
	if _, err := s.Blob(t.Context(), digest("blob", 1)); !errors.Is(err, evidence.ErrAbsent) {
		t.Errorf("blob: %v", err)
	}
}

// appendAndRead: what was appended in batches of many sizes comes back in any ranges, also when opened again.
func appendAndRead(t *testing.T, h Harness) {
	s, closeStore := h.open(t)
	var size int
	for _, n := range []int{1, 2, 3, 130, 1, 200, 63, 1} {
		must(t, s.Append(t.Context(), int64(size), entries(size, n)))
		size += n
		if got, err := s.Size(t.Context()); got != int64(size) || err != nil {
			t.Fatalf("size %d of %d, %v", got, size, err)
		}
	}
	all := entries(0, size)
	check := func() {
		t.Helper()
		for _, r := range [][2]int{{0, 1}, {0, size}, {size - 1, 1}, {size - 1, 10}, {130, 140}, {5, 0}, {0, 999}} {
			got, err := s.Entries(t.Context(), int64(r[0]), r[1])
			must(t, err)
			wanted := all[r[0]:min(r[0]+r[1], size)]
			if !slices.EqualFunc(got, wanted, sameEntry) {
				t.Errorf("entries %v: %d of %d, or others", r, len(got), len(wanted))
			}
		}
		for _, first := range []int64{-1, int64(size), int64(size) + 5} {
			if _, err := s.Entries(t.Context(), first, 1); !errors.Is(err, evidence.ErrAbsent) {
				t.Errorf("entry %d: %v", first, err)
			}
		}
	}
	check()
	closeStore()
	s, closeStore = h.open(t)
	defer closeStore()
	check()
}

func sameEntry(a, b evidence.Entry) bool {
	return bytes.Equal(a.Record, b.Record) && bytes.Equal(a.Held, b.Held) && bytes.Equal(a.Key, b.Key) &&
		a.Signature == b.Signature && (a.Hashes == nil || slices.Equal(a.Hashes, b.Hashes))
}

// moved: whoever thinks that the log has another size adds nothing.
func moved(t *testing.T, h Harness) {
	s := opened(t, h)
	must(t, s.Append(t.Context(), 0, entries(0, 3)))
	for _, size := range []int64{0, 2, 4, 1000} {
		for _, n := range []int{1, 2, 70} {
			if err := s.Append(t.Context(), size, entries(int(size), n)); !errors.Is(err, evidence.ErrMoved) {
				t.Errorf("%d behind %d of 3: %v", n, size, err)
			}
		}
	}
	if n, err := s.Size(t.Context()); n != 3 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
}

func hashes(t *testing.T, h Harness) {
	s := opened(t, h)
	const n = 137
	must(t, s.Append(t.Context(), 0, entries(0, n)))
	count := int(tlog.StoredHashCount(n))
	var all, some []int64
	for p := range count {
		all = append(all, int64(p))
		if p%3 == 0 {
			some = append(some, int64(count-1-p))
		}
	}
	for name, positions := range map[string][]int64{"all": all, "some, backwards": some, "twice": {5, 5}, "none": nil} {
		got, err := s.Hashes(t.Context(), positions)
		must(t, err)
		for i, p := range positions {
			if got[i] != digest("hash", int(p)) {
				t.Fatalf("%s: hash %d is another", name, p)
			}
		}
	}
	for _, p := range []int64{-1, int64(count), int64(count) + 70} {
		if _, err := s.Hashes(t.Context(), []int64{0, p}); !errors.Is(err, evidence.ErrAbsent) {
			t.Errorf("hash %d of %d: %v", p, count, err)
		}
	}
}

func signed(t *testing.T, h Harness) {
	s := opened(t, h)
	batch := entries(0, 20)
	batch[3].Signature, batch[4].Signature, batch[9].Signature = "", hexDigest("twice", 1), hexDigest("twice", 1)
	must(t, s.Append(t.Context(), 0, batch))
	more := entries(20, 1)
	more[0].Signature, more[0].Again = hexDigest("twice", 1), true
	must(t, s.Append(t.Context(), 20, more))
	wanted := map[string]int64{}
	asked := []string{hexDigest("nobody's", 1), "", "no hash"}
	for i, e := range batch {
		if _, known := wanted[e.Signature]; !known && e.Signature != "" {
			wanted[e.Signature] = int64(i)
		}
		asked = append(asked, e.Signature)
		found, err := s.Signed(t.Context(), e.Signature)
		if index, ok := found[e.Signature]; err != nil || ok != (i != 3) || ok && index != wanted[e.Signature] {
			t.Errorf("entry %d: %v, %v", i, found, err)
		}
	}
	for range 2 {
		if found, err := s.Signed(t.Context(), asked...); err != nil || !maps.Equal(found, wanted) {
			t.Errorf("%v, %v", found, err)
		}
		for i := range 100 { // more than a statement takes at once
			asked = append(asked, hexDigest("nobody's", i))
		}
	}
	if found, err := s.Signed(t.Context()); len(found) != 0 || err != nil {
		t.Errorf("none: %v, %v", found, err)
	}
}

// held: parts in clear and encrypted come back, go for good, alone, and become nobody else's.
func held(t *testing.T, h Harness) {
	s, closeStore := h.open(t)
	batch := entries(0, 80)
	for i := range batch {
		switch i % 4 {
		case 1:
			batch[i].Held = fmt.Appendf(nil, `{"certificate":"%d"}`, i)
		case 2:
			batch[i].Held, batch[i].Key = []byte{1, byte(i), 0, 255}, []byte{byte(i), 0, 9}
		}
	}
	must(t, s.Append(t.Context(), 0, batch[:1]))
	must(t, s.Append(t.Context(), 1, batch[1:2]))
	must(t, s.Append(t.Context(), 2, batch[2:]))
	check := func() {
		t.Helper()
		got, err := s.Entries(t.Context(), 0, len(batch))
		must(t, err)
		if !slices.EqualFunc(got, batch, sameEntry) {
			t.Fatal("others than were appended")
		}
		var all []int64
		for i, e := range batch {
			if e.Held != nil {
				all = append(all, int64(i))
			}
		}
		for _, from := range []int64{0, 1, 2, 30, 80} {
			rest := slices.DeleteFunc(slices.Clone(all), func(i int64) bool { return i < from })
			for _, n := range []int{1, 7, 1000} {
				got, err := s.HeldFrom(t.Context(), from, n)
				if must(t, err); !slices.Equal(got, rest[:min(n, len(rest))]) {
					t.Errorf("from %d: %v", from, got)
				}
			}
		}
	}
	check()
	gone := []int64{1, 2, 3, 42, 77}
	for range 2 {
		must(t, s.DeleteHeld(t.Context(), gone...))
	}
	must(t, s.DeleteHeld(t.Context()))
	for _, i := range gone {
		batch[i].Held, batch[i].Key = nil, nil
	}
	check()
	for _, i := range []int64{-1, 80} {
		if err := s.DeleteHeld(t.Context(), 5, i); !errors.Is(err, evidence.ErrAbsent) {
			t.Errorf("of entry %d: %v", i, err)
		}
	}
	check()
	closeStore()
	s, closeStore = h.open(t)
	defer closeStore()
	check()
}

// blobs: a file is kept once under its hash, whatever its length, and one that was not read to its end not at all.
func blobs(t *testing.T, h Harness) {
	s, closeStore := h.open(t)
	files := map[evidence.Hash][]byte{}
	for _, n := range []int{0, 1, 100, 256 << 10, 256<<10 + 1, 1 << 20} {
		content := bytes.Repeat([]byte("list "), n/5+1)[:n]
		for range 2 {
			hash, err := s.PutBlob(t.Context(), iotestReader{bytes.NewReader(content)})
			must(t, err)
			files[hash] = content
		}
	}
	if len(files) != 6 {
		t.Fatalf("%d hashes", len(files))
	}
	if _, err := s.PutBlob(
		t.Context(),
		io.MultiReader(bytes.NewReader(make([]byte, 300<<10)), failing{}),
	); !errors.Is(
		err,
		errFailing,
	) {
		t.Errorf("a reader that fails: %v", err)
	}
	for range 2 {
		for hash, content := range files {
			r, err := s.Blob(t.Context(), hash)
			must(t, err)
			got, err := io.ReadAll(r)
			if must(t, errors.Join(err, r.Close())); !bytes.Equal(got, content) {
				t.Errorf("%d bytes of %d, or others", len(got), len(content))
			}
		}
		closeStore()
		s, closeStore = h.open(t)
	}
	closeStore()
}

// iotestReader hides what else the reader can do, and reads in small pieces.
type iotestReader struct{ r io.Reader }

func (r iotestReader) Read(b []byte) (int, error) { return r.r.Read(b[:min(len(b), 1000)]) }

type failing struct{}

var errFailing = errors.New("storetest: the reader fails")

func (failing) Read([]byte) (int, error) { return 0, errFailing }

// log: a log over the store, with records, notes, checkpoints, proofs and deletions, opened again and again.
func log(t *testing.T, h Harness) {
	s, closeStore := h.open(t)
	l := Log(t, s)
	var points []evidence.Checkpoint
	for i := range 9 {
		_, err := l.Append(t.Context(), Report(i, i), evidence.WithCertificate())
		must(t, err)
		_, err = l.AppendRecords(t.Context(), Record(t, 100+i), Record(t, 200+i))
		must(t, err)
		points = append(points, checkpoint(t, l))
		if i%3 == 2 {
			closeStore()
			s, closeStore = h.open(t)
			l = Log(t, s)
		}
	}
	_, err := l.AppendNotes(t.Context(), "operation", map[string]string{"what": "list loaded"})
	must(t, err)
	must(t, l.DeleteHeld(t.Context(), 3, "request of the person"))
	must(t, l.Consistent(t.Context(), points...))
	state, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: points})
	must(t, err)
	if state.Records != 29 || state.Held != 8 || state.Deleted != 1 || state.Notes != 2 || state.Sealed != 0 {
		t.Errorf("%+v", state)
	}
	for _, index := range []int64{0, 13, 26} {
		proof, err := l.Prove(t.Context(), index, points[8])
		must(t, err)
		r, err := l.Record(t.Context(), index)
		must(t, err)
		b, err := r.Marshal()
		must(t, err)
		if _, err := proof.Check(b, points[8]); err != nil {
			t.Errorf("proof of %d: %s", index, explain(err))
		}
	}
	list := bytes.Repeat([]byte("revocation list "), 40_000)
	hash, err := l.Archive(t.Context(), bytes.NewReader(list))
	must(t, err)
	r, err := l.Archived(t.Context(), hash)
	must(t, err)
	got, err := io.ReadAll(r)
	if must(t, errors.Join(err, r.Close())); !bytes.Equal(got, list) {
		t.Error("another list")
	}
	_, err = l.Archived(t.Context(), hexDigest("nobody's", 1))
	want(t, err, evidence.ReasonAbsent, -1)
	state, err = l.Verify(t.Context(), evidence.Verification{Archive: true})
	if must(t, err); state.Archived != 0 || state.Unarchived != 1 {
		t.Errorf("%+v", state)
	}
	_, err = l.Archive(t.Context(), strings.NewReader("anchor 0")) // all records name it
	must(t, err)
	state, err = l.Verify(t.Context(), evidence.Verification{Archive: true})
	if must(t, err); state.Archived != 1 || state.Unarchived != 0 {
		t.Errorf("%+v", state)
	}
	closeStore()
}

// reusedSignature: one signature value proves one transaction, in one batch, in the same log, in one opened again, and
// in another instance that was open all the time.
func reusedSignature(t *testing.T, h Harness) {
	s, closeStore := h.open(t)
	l := Log(t, s)
	var other *evidence.Log
	closeOther := func() {}
	if h.Shared {
		var second evidence.Store
		second, closeOther = h.open(t)
		other = Log(t, second)
		_, err := other.Append(t.Context(), Report(50, 50)) // it knows the log as it was then
		must(t, err)
	}
	record := func(document, transaction int) *evidence.Record {
		r, err := evidence.FromReport(Report(document, transaction), Now())
		must(t, err)
		return r
	}
	_, err := l.AppendRecords(t.Context(), record(1, 1), record(1, 2))
	want(t, err, evidence.ReasonReused, -1)
	_, err = l.AppendRecords(t.Context(), record(1, 1), record(2, 2))
	must(t, err)
	_, err = l.AppendRecords(t.Context(), record(1, 1)) // the same transaction, verified once more
	must(t, err)
	if other != nil {
		_, err = other.AppendRecords(t.Context(), record(1, 3))
		want(t, err, evidence.ReasonReused, -1)
		_, err = other.AppendRecords(t.Context(), record(3, 3))
		must(t, err)
		_, err = l.AppendRecords(t.Context(), record(3, 4))
		want(t, err, evidence.ReasonReused, -1)
	}
	closeOther()
	closeStore()
	s, closeStore = h.open(t)
	defer closeStore()
	_, err = Log(t, s).AppendRecords(t.Context(), record(4, 4), record(2, 5))
	want(t, err, evidence.ReasonReused, -1)
}

// writers: several logs, over several instances where there may be, append at once; every record has one place.
func writers(t *testing.T, h Harness) {
	const logs, each = 4, 12
	shared := opened(t, h)
	var wg sync.WaitGroup
	for i := range logs {
		s := shared
		if h.Shared && i > 0 {
			s = opened(t, h)
		}
		l := Log(t, s)
		wg.Go(func() {
			for j := range each {
				batch := []*evidence.Record{Record(t, i*1000+j), Record(t, i*1000+500+j)}[:1+j%2]
				if _, err := l.AppendRecords(t.Context(), batch...); err != nil {
					t.Error(explain(err))
				}
			}
		})
	}
	// Whoever reads the end of a log that grows finds no damage there.
	wg.Go(func() {
		for range 100 {
			if _, err := shared.Entries(t.Context(), 0, 1000); err != nil && !errors.Is(err, evidence.ErrAbsent) {
				t.Error(explain(err))
				return
			}
		}
	})
	wg.Wait()
	l := Log(t, shared)
	if point := checkpoint(t, l); point.Size != logs*each*3/2 {
		t.Errorf("%d records", point.Size)
	}
	seen := map[string]bool{}
	for k, err := range l.Scan(t.Context(), 0, 1<<40) {
		must(t, err)
		if seen[k.Record.TransactionID] {
			t.Errorf("%s twice", k.Record.TransactionID)
		}
		seen[k.Record.TransactionID] = true
	}
}

// cancelled: a context that is over adds nothing, and the log goes on.
func cancelled(t *testing.T, h Harness) {
	s := opened(t, h)
	l := Log(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, batch := range [][]*evidence.Record{{Record(t, 1)}, {Record(t, 1), Record(t, 2)}} {
		if _, err := l.AppendRecords(ctx, batch...); err == nil {
			// A store in memory need not look: but then it is kept.
			if n, _ := s.Size(t.Context()); n == 0 {
				t.Error("acknowledged and not kept")
			}
			return
		}
		if n, err := s.Size(t.Context()); n != 0 || err != nil {
			t.Errorf("%d records of an append that was given up, %v", n, err)
		}
	}
	_, err := l.AppendRecords(t.Context(), Record(t, 1))
	must(t, err)
	if point := checkpoint(t, l); point.Size != 1 {
		t.Errorf("%d records", point.Size)
	}
}
