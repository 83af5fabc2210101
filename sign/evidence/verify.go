package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// State is what [Log.Verify] found.
type State struct {
	// Records is the number of entries, records and notes; Held how many have their held part still, Deleted how many
	// held parts are gone with a note that says so, Sealed how many of Held could not be opened because the log has no
	// Keys.
	Records, Held, Deleted, Sealed int64
	// Notes is the number of notes among the entries.
	Notes int64
	// Timestamps is the number of timestamps that records and notes name. Their tokens are verified by package
	// sign/timestamp, as the command of examples/evidence does.
	Timestamps int64
	// Archived is how many of the files that records name, revocation lists, timestamp tokens and the certificates of
	// authorities, are in the archive and are what they are called; Unarchived how many were never put there. Both only
	// with Verification.Archive.
	Archived, Unarchived int64
	// Root is the root of the tree over the entries, computed from the entries alone.
	Root Hash
}

// Verification says what [Log.Verify] compares with.
type Verification struct {
	// Checkpoints are earlier states of the log, kept elsewhere. Without one, nobody can tell that the newest records
	// were cut off, or that all of them were made anew.
	Checkpoints []Checkpoint
	// SkipHeld leaves encrypted held parts closed: with a key service, opening each is a request.
	SkipHeld bool
	// Archive also reads every archived file that records name, each once.
	Archive bool
	// Progress is called now and then with the number of records read and of all; may be nil.
	Progress func(done, all int64)
}

// Consistent compares the stored tree with earlier checkpoints, in the time of a few reads: for the start of a program.
// It finds that entries were cut off, and that an older copy or another history was put back, as far as the tree was
// put back with it; what else was changed is found by [Log.Verify]. Errors are [*Error]: [ReasonTruncated],
// [ReasonCheckpoint].
func (l *Log) Consistent(ctx context.Context, checkpoints ...Checkpoint) error {
	size, err := l.Size(ctx)
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		if c.Size > size {
			return &Error{Reason: ReasonTruncated, Step: "checkpoint"}
		}
		root, err := l.root(ctx, c.Size)
		if err != nil {
			return err
		}
		if root != c.Root {
			return &Error{Reason: ReasonCheckpoint, Step: "checkpoint", Record: int(c.Size)}
		}
	}
	return nil
}

// Verify reads the whole log, on all cores: every record in all its parts, the tree over them computed anew and
// compared with the stored one and with every checkpoint. Errors are [*Error] with the position of the first record
// that is wrong: [ReasonFormat] and [ReasonHash] for a record that was changed, [ReasonCheckpoint] for records that are
// other than at a checkpoint, [ReasonTruncated] for a log that is shorter than it was, [ReasonAbsent] for a held part
// that is gone without a note of its deletion.
func (l *Log) Verify(ctx context.Context, v Verification) (State, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return State{}, err
	}
	w := walk{log: l, v: v, size: size, known: slices.Clone(v.Checkpoints)}
	slices.SortFunc(w.known, func(a, b Checkpoint) int { return int(min(max(a.Size-b.Size, -1), 1)) })
	if n := len(w.known); n > 0 && w.known[n-1].Size > size {
		return State{}, &Error{Reason: ReasonTruncated, Step: "checkpoint"}
	}
	if err := w.compare(); err != nil {
		return w.state, err
	}
	for w.state.Records < size {
		if err := ctx.Err(); err != nil {
			return w.state, broken("verify", err)
		}
		if err := w.step(ctx); err != nil {
			return w.state, err
		}
		if v.Progress != nil {
			v.Progress(w.state.Records, size)
		}
	}
	w.state.Root = w.tree.root()
	stored, err := l.root(ctx, size)
	if err != nil {
		return w.state, err
	}
	if stored != w.state.Root {
		return w.state, &Error{Reason: ReasonHash, Step: "tree"}
	}
	if c, ok := l.store.(Checker); ok {
		if err := c.Check(ctx); err != nil {
			return w.state, broken("store", err)
		}
	}
	if err := w.readArchive(ctx); err != nil {
		return w.state, err
	}
	if index, ok := w.gone.first(); ok {
		return w.state, &Error{Reason: ReasonAbsent, Step: "held", Record: int(index) + 1}
	}
	return w.state, nil
}

// walk is a verification under way.
type walk struct {
	log   *Log
	v     Verification
	size  int64
	known []Checkpoint
	tree  compactTree
	state State
	gone  indexSet         // records without the held part that they were made with
	files map[string]int64 // that records name, with the index of the first that does
}

// compare compares with the checkpoints of the present size.
func (w *walk) compare() error {
	for len(w.known) > 0 && w.known[0].Size == w.state.Records {
		if w.known[0].Root != w.tree.root() {
			return &Error{Reason: ReasonCheckpoint, Step: "checkpoint", Record: int(w.state.Records)}
		}
		w.known = w.known[1:]
	}
	return nil
}

// step reads some entries, checks them on all cores and adds them to the tree one after another.
func (w *walk) step(ctx context.Context) error {
	first := w.state.Records
	entries, err := w.log.entries(ctx, first, int(min(w.size-first, readAhead)))
	if errors.Is(err, ErrDamaged) { // which of them?
		entries, err = w.log.entries(ctx, first, 1)
	}
	if err != nil {
		// That an entry is not there although it was counted is a finding of its own.
		if errors.Is(err, ErrAbsent) {
			err = &Error{Reason: ReasonTruncated, Step: "record", Err: err}
		}
		return at(err, int(first)+1)
	}
	read := make([]readEntry, len(entries))
	failed := make([]error, len(entries))
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(entries))
	for i := range workers {
		wg.Go(func() {
			for j := i; j < len(entries) && ctx.Err() == nil; j += workers {
				read[j], failed[j] = w.log.read(ctx, entries[j], !w.v.SkipHeld)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return broken("verify", err)
	}
	return w.addAll(ctx, entries, read, failed)
}

func (w *walk) addAll(ctx context.Context, entries []Entry, read []readEntry, failed []error) error {
	// The hashes that the entries add stand one behind another.
	start := tlog.StoredHashCount(w.state.Records)
	positions := make([]int64, tlog.StoredHashCount(w.state.Records+int64(len(entries)))-start)
	for i := range positions {
		positions[i] = start + int64(i)
	}
	stored, errStored := w.log.store.Hashes(ctx, positions)
	if errStored == nil && len(stored) != len(positions) {
		errStored = errHashes
	}
	for i, e := range entries {
		position := int(w.state.Records) + 1
		if failed[i] != nil {
			return at(failed[i], position)
		}
		if errStored != nil {
			return at(broken("hashes", errStored), position)
		}
		added := w.tree.add(read[i].leaf)
		if !slices.Equal(added, stored[:len(added)]) || e.Hashes != nil && !slices.Equal(e.Hashes, added) {
			return &Error{Reason: ReasonHash, Step: "leaf", Record: position}
		}
		stored = stored[len(added):]
		w.count(read[i])
		w.state.Records++
		if err := w.compare(); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) count(r readEntry) {
	if w.v.Archive {
		w.nameFiles(r.kept)
	}
	if r.kept.Record != nil {
		w.state.Timestamps += int64(len(r.kept.Record.Timestamps))
	}
	switch {
	case r.held:
		w.state.Held++
		if r.kept.Sealed {
			w.state.Sealed++
		}
	case r.kept.Record != nil && r.kept.Record.KeepsHeld:
		w.gone.add(w.state.Records)
	}
	if r.kept.Note == nil {
		return
	}
	w.state.Notes++
	if r.kept.Note.Kind == KindTimestamp {
		w.state.Timestamps++
	}
	if d, ok := deletionOf(r.kept.Note); ok && w.gone.remove(d.Index) {
		w.state.Deleted++
	}
}

// nameFiles notes the files that an entry names.
func (w *walk) nameFiles(k Kept) {
	names := filesOf(k)
	if w.files == nil {
		w.files = map[string]int64{}
	}
	for _, name := range names {
		if _, known := w.files[name]; !known {
			w.files[name] = w.state.Records
		}
	}
}

// filesOf are the files that an entry names: a record, or the note of a timestamp.
func filesOf(k Kept) (names []string) {
	if k.Note != nil {
		var of LogTimestamp
		if k.Note.Kind == KindTimestamp && json.Unmarshal(k.Note.Body, &of) == nil && hexHash(of.SHA256) {
			names = append(names, of.SHA256)
			for _, name := range []string{of.Timestamp.SHA256, of.Timestamp.AnchorSHA256} {
				if hexHash(name) {
					names = append(names, name)
				}
			}
		}
		return names
	}
	r := k.Record
	if r.Revocation != nil {
		names = append(names, r.Revocation.Lists...)
	}
	if r.Certificate != nil {
		names = append(names, r.Certificate.AnchorSHA256)
	}
	for _, t := range r.Timestamps {
		names = append(names, t.SHA256, t.AnchorSHA256)
	}
	return names
}

// readArchive reads the files that records name, in the order of their names.
func (w *walk) readArchive(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		r, err := w.log.Archived(ctx, name)
		if errors.Is(err, &Error{Reason: ReasonAbsent}) {
			w.state.Unarchived++
			continue
		}
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			err = errors.Join(err, r.Close())
		}
		if err != nil {
			return at(err, int(w.files[name])+1)
		}
		w.state.Archived++
	}
	return nil
}

// indexSet is a set of indexes, a bit each: whole logs may have lost their held parts lawfully.
type indexSet struct{ bits []uint64 }

func (s *indexSet) add(i int64) {
	for int64(len(s.bits)) <= i/64 {
		s.bits = append(s.bits, 0)
	}
	s.bits[i/64] |= 1 << (i % 64)
}

// remove reports whether the index was in the set.
func (s *indexSet) remove(i int64) bool {
	if i < 0 || i/64 >= int64(len(s.bits)) || s.bits[i/64]&(1<<(i%64)) == 0 {
		return false
	}
	s.bits[i/64] &^= 1 << (i % 64)
	return true
}

// first returns the smallest index of the set.
func (s *indexSet) first() (int64, bool) {
	for word, b := range s.bits {
		for bit := range int64(64) {
			if b&(1<<bit) != 0 {
				return int64(word)*64 + bit, true
			}
		}
	}
	return 0, false
}
