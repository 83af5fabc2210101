package evidence_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// tampered is a store in which somebody changed what it holds.
type tampered struct {
	evidence.Store
	size    int64 // -1: unchanged
	entries map[int64]func(evidence.Entry) evidence.Entry
	hashes  map[int64]evidence.Hash
	err     error
}

func (s tampered) Size(ctx context.Context) (int64, error) {
	if s.size >= 0 {
		return s.size, s.err
	}
	n, err := s.Store.Size(ctx)
	return n, errors.Join(err, s.err)
}

func (s tampered) Entries(ctx context.Context, first int64, n int) ([]evidence.Entry, error) {
	entries, err := s.Store.Entries(ctx, first, n)
	for i := range entries {
		if change := s.entries[first+int64(i)]; change != nil {
			entries[i] = change(entries[i])
		}
	}
	return entries, err
}

func (s tampered) Hashes(ctx context.Context, positions []int64) ([]evidence.Hash, error) {
	hashes, err := s.Store.Hashes(ctx, positions)
	for i, p := range positions {
		if h, ok := s.hashes[p]; ok {
			hashes[i] = h
		}
	}
	return hashes, err
}

func checkpointOf(t *testing.T, l *evidence.Log) evidence.Checkpoint {
	t.Helper()
	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := l.Checkpoint(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := evidence.ParseCheckpoint(signed, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestVerifyNamesEveryChange: whatever is altered, removed, moved or cut off is found, with its place where it has one.
func TestVerifyNamesEveryChange(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	l := newLog(t, store)
	var points []evidence.Checkpoint
	points = append(points, checkpointOf(t, l))
	for i := range 7 {
		if _, err := l.AppendRecords(t.Context(), record(t, evidence.Basis(fmt.Sprintf("record %c", 'a'+i)),
			evidence.WithCertificate())); err != nil {
			t.Fatal(err)
		}
		points = append(points, checkpointOf(t, l))
	}
	var progressed int64
	s, err := l.Verify(t.Context(), evidence.Verification{Checkpoints: points,
		Progress: func(done, all int64) { progressed = done * all }})
	if err != nil || s.Records != 7 || s.Held != 7 || s.Root != points[7].Root || progressed != 49 {
		t.Fatalf("%+v, %v", s, err)
	}
	replaced := func(old, now string) func(evidence.Entry) evidence.Entry {
		return func(e evidence.Entry) evidence.Entry {
			e.Record = []byte(strings.Replace(string(e.Record), old, now, 1))
			return e
		}
	}
	other := func(i int64) func(evidence.Entry) evidence.Entry {
		return func(evidence.Entry) evidence.Entry {
			entries, err := store.Entries(t.Context(), i, 1)
			if err != nil {
				t.Fatal(err)
			}
			return entries[0]
		}
	}
	fork := newLog(t, evidence.NewMemory()) // another history of the same length
	for range 3 {
		if _, err := fork.AppendRecords(t.Context(), record(t, evidence.Basis("another"))); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		store  evidence.Store
		record int
		reason evidence.Reason
	}{
		"text changed": {tampered{Store: store, size: -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{2: replaced("record c", "record x")}}, 3,
			evidence.ReasonHash},
		"mode changed": {tampered{Store: store, size: -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{0: replaced("digest-info", "bare-hash")}}, 1,
			evidence.ReasonHash},
		"step did not hold": {tampered{Store: store, size: -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{6: replaced(`"ok":true`, `"ok":false`)}}, 7,
			evidence.ReasonFormat},
		"member added": {tampered{Store: store, size: -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{1: replaced(`{"version"`, `{"x":1,"version"`)}}, 2,
			evidence.ReasonFormat},
		"another record": {tampered{Store: store, size: -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{4: other(3)}}, 5, evidence.ReasonHash},
		"another certificate": {tampered{Store: store, size: -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{5: func(e evidence.Entry) evidence.Entry {
				e.Held = []byte(`{"certificate":"AQ==","signature":"AQ=="}`)
				return e
			}}}, 6, evidence.ReasonHash},
		"no record": {tampered{Store: store, size: -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{5: func(evidence.Entry) evidence.Entry {
				return evidence.Entry{}
			}}}, 6, evidence.ReasonFormat},
		"a leaf changed": {tampered{Store: store, size: -1,
			hashes: map[int64]evidence.Hash{tlog.StoredHashIndex(0, 3): {1}}}, 4, evidence.ReasonHash},
		"a node changed": {tampered{Store: store, size: -1,
			hashes: map[int64]evidence.Hash{tlog.StoredHashIndex(2, 0): {1}}}, 4, evidence.ReasonHash},
		"cut off":              {tampered{Store: store, size: 5}, 0, evidence.ReasonTruncated},
		"everything cut off":   {evidence.NewMemory(), 0, evidence.ReasonTruncated},
		"the store is failing": {tampered{Store: store, size: 5, err: errors.New("disk gone")}, 0, evidence.ReasonIO},
	} {
		_, err := newLog(t, c.store).Verify(t.Context(), evidence.Verification{Checkpoints: points})
		var e *evidence.Error
		if !errors.As(err, &e) || e.Record != c.record || e.Reason != c.reason ||
			strings.Contains(err.Error(), "disk gone") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A history made anew from the second record on is consistent in itself; only the checkpoint tells.
	if _, err := fork.Verify(t.Context(), evidence.Verification{}); err != nil {
		t.Error(err)
	}
	if _, err := fork.Verify(t.Context(), evidence.Verification{Checkpoints: points[:3]}); reasonOf(
		err) != evidence.ReasonCheckpoint || kakunin.FamilyOf(err) != kakunin.Untrusted {
		t.Errorf("another history: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Verify(ctx, evidence.Verification{}); reasonOf(err) != evidence.ReasonIO {
		t.Errorf("given up: %v", err)
	}
}

// TestRoots compares with the tree of another implementation, for every size to 70.
func TestRoots(t *testing.T) {
	t.Parallel()
	l := newLog(t, evidence.NewMemory())
	var leaves []tlog.Hash
	for i := range int64(70) {
		if _, err := l.AppendRecords(t.Context(), record(t, evidence.Basis(fmt.Sprintf("record %d", i)))); err != nil {
			t.Fatal(err)
		}
		b, err := get(t, l, i).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leafByHand(t, b))
		s, err := l.Verify(t.Context(), evidence.Verification{})
		if want := rootByHand(leaves); err != nil || s.Root != evidence.Hash(want) ||
			checkpointOf(t, l).Root != evidence.Hash(want) {
			t.Fatalf("size %d: %x, %v", i+1, s.Root, err)
		}
	}
	c := checkpointOf(t, l)
	rec, err := get(t, l, 33).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Prove(t.Context(), 33, c)
	if err != nil || len(p.Path) != 7 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := p.Check(rec, c); err != nil {
		t.Error(err)
	}
	wrongPlace, wrongSize, wrongPath, shortPath, wrongText := p, p, p, p, p
	wrongPlace.Index, wrongSize.Size = 34, 69
	wrongPath.Path = slices.Clone(p.Path)
	wrongPath.Path[2] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	shortPath.Path = p.Path[1:]
	wrongText.Path = append([]string{"x"}, p.Path[1:]...)
	otherRoot := c
	otherRoot.Root[0] ^= 1
	for name, c := range map[string]struct {
		proof evidence.Proof
		at    evidence.Checkpoint
	}{
		"another place": {wrongPlace, c}, "another size": {wrongSize, c}, "another path": {wrongPath, c},
		"a short path": {shortPath, c},
		"no path":      {wrongText, c}, "another root": {p, otherRoot},
	} {
		if _, err := c.proof.Check(rec, c.at); kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, index := range []int64{-1, 70} {
		if _, err := l.Prove(t.Context(), index, c); reasonOf(err) != evidence.ReasonRequest {
			t.Errorf("proof of %d: %v", index, err)
		}
	}
	if _, err := l.Prove(t.Context(), 33, otherRoot); reasonOf(err) != evidence.ReasonCheckpoint {
		t.Errorf("a proof for another log's checkpoint: %v", err)
	}
	if _, err := l.Record(t.Context(), 70); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("record 70: %v", err)
	}
}

// TestCheckpointsAreSigned: a checkpoint of another key, of another log, or altered is none.
func TestCheckpointsAreSigned(t *testing.T) {
	t.Parallel()
	l := newLog(t, evidence.NewMemory())
	if _, err := l.Append(t.Context(), verified()); err != nil {
		t.Fatal(err)
	}
	key, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := evidence.NewCheckpointKey("bank.example/evidence", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := l.Checkpoint(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := evidence.ParseCheckpointKey(key.RevealText(), key.Public()); err != nil ||
		again.Public() != key.Public() {
		t.Errorf("the key does not survive: %v", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", key, key, key), key.RevealText()[12:]) {
		t.Error("the key shows itself")
	}
	if c, err := evidence.ParseCheckpoint(signed, key.Public()); err != nil || c.Size != 1 ||
		c.Origin != "bank.example/evidence" ||
		!strings.HasPrefix(string(signed), "bank.example/evidence\n1\n"+base64.StdEncoding.EncodeToString(c.Root[:])+
			"\n\n— bank.example/evidence ") {
		t.Errorf("%s: %+v, %v", signed, c, err)
	}
	for name, s := range map[string]string{
		"size changed": strings.Replace(string(signed), "\n1\n", "\n2\n", 1), "origin changed": "x" + string(signed),
		"empty":         "",
		"signature cut": string(signed[:len(signed)-5]), "unsigned": strings.Split(string(signed), "— ")[0],
	} {
		if _, err := evidence.ParseCheckpoint([]byte(s), key.Public()); reasonOf(err) != evidence.ReasonCheckpoint {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := evidence.ParseCheckpoint(signed, other.Public()); reasonOf(err) != evidence.ReasonCheckpoint {
		t.Errorf("another key: %v", err)
	}
	if _, err := evidence.ParseCheckpoint(signed, "x"); reasonOf(err) != evidence.ReasonCheckpoint {
		t.Errorf("no key: %v", err)
	}
	if _, err := evidence.ParseCheckpointKey(key.RevealText(),
		other.Public()); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("keys of two pairs: %v", err)
	}
	for _, origin := range []string{"", "a+b", "a b", "a\nb"} {
		if _, err := evidence.NewCheckpointKey(origin, rand.Reader); reasonOf(err) != evidence.ReasonRequest {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
	if _, err := l.Checkpoint(t.Context(), evidence.CheckpointKey{}); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("no key: %v", err)
	}
	if _, err := evidence.OpenLog(evidence.LogConfig{}); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("no store: %v", err)
	}
}

// FuzzParseCheckpoint: nothing unsigned is a checkpoint.
func FuzzParseCheckpoint(f *testing.F) {
	key, err := evidence.NewCheckpointKey("a", rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	l := newLog(f, evidence.NewMemory())
	signed, err := l.Checkpoint(context.Background(), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("a\n1\nAAAA\n\n— a AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := evidence.ParseCheckpoint(b, key.Public()); (err == nil) != (string(b) == string(signed)) {
			t.Fatalf("%+v, %v", c, err)
		}
	})
}
