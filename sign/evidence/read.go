package evidence

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"iter"

	"golang.org/x/mod/sumdb/tlog"
)

// Get returns the entry at an index, counted from 0, with every check of [Parse] or [ParseNote]. Errors are [*Error].
func (l *Log) Get(ctx context.Context, index int64) (Kept, error) {
	entries, err := l.entries(ctx, index, 1)
	if err != nil {
		return Kept{}, err
	}
	read, err := l.read(ctx, entries[0], true)
	if err != nil {
		return Kept{}, at(err, int(index)+1)
	}
	read.kept.Index = index
	return read.kept, nil
}

// Record returns the record at an index, counted from 0, as [Log.Get] does; a note is refused. Errors are [*Error].
func (l *Log) Record(ctx context.Context, index int64) (*Record, error) {
	kept, err := l.Get(ctx, index)
	if err == nil && kept.Record == nil {
		err = &Error{Reason: ReasonRequest, Step: "record", Detail: "it is a note", Record: int(index) + 1}
	}
	return kept.Record, err
}

// Scan yields the entries from one index to before another, in order. An end beyond the last entry is the end of the
// log. After an error, which is an [*Error], it yields nothing more.
func (l *Log) Scan(ctx context.Context, from, to int64) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		size, err := l.Size(ctx)
		if err != nil {
			yield(Kept{}, err)
			return
		}
		for from, to := from, min(to, size); from < to; {
			entries, err := l.entries(ctx, from, int(min(to-from, readAhead)))
			if err != nil {
				yield(Kept{}, err)
				return
			}
			for _, e := range entries {
				read, err := l.read(ctx, e, true)
				if err != nil {
					yield(Kept{}, at(err, int(from)+1))
					return
				}
				read.kept.Index = from
				if !yield(read.kept, nil) {
					return
				}
				from++
			}
		}
	}
}

// readAhead is how many entries are read at once.
const readAhead = 1024

// entries reads from the store. Not every store looks at the context: what goes through the log ends here when it is
// over.
func (l *Log) entries(ctx context.Context, first int64, n int) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, broken("record", err)
	}
	entries, err := l.store.Entries(ctx, first, n)
	switch {
	case errors.Is(err, ErrAbsent):
		return nil, &Error{Reason: ReasonRequest, Step: "record", Detail: "no such record", Err: err}
	case err != nil:
		return nil, broken("record", err)
	case len(entries) == 0 || len(entries) > n:
		return nil, broken("record", errEntries)
	}
	return entries, nil
}

var errEntries = errors.New("evidence: the store returned another number of entries")

// stored returns a record without its held part.
func (l *Log) stored(ctx context.Context, index int64) (*Record, error) {
	entries, err := l.entries(ctx, index, 1)
	if err != nil {
		return nil, err
	}
	r, err := Parse(entries[0].Record)
	return r, at(err, int(index)+1)
}

// readEntry is an entry that was read and checked.
type readEntry struct {
	kept Kept
	leaf tlog.Hash
	held bool
}

// read parses an entry with every check; the held part is opened if that is asked for and possible.
func (l *Log) read(ctx context.Context, e Entry, open bool) (readEntry, error) {
	if isNote(e.Record) {
		n, canonical, err := parseNote(e.Record)
		if err == nil && (e.Held != nil || e.Signature != "") {
			err = &Error{Reason: ReasonHash, Step: "held"}
		}
		return readEntry{kept: Kept{Note: n}, leaf: tlog.RecordHash(canonical)}, err
	}
	r, canonical, err := parse(e.Record)
	if err != nil {
		return readEntry{}, err
	}
	read := readEntry{kept: Kept{Record: r}, leaf: tlog.RecordHash(canonical), held: e.Held != nil}
	switch {
	case r.Held != nil: // stored in the part that the tree does not cover
		return readEntry{}, &Error{Reason: ReasonFormat, Step: "held"}
	case e.Signature != r.SignatureSHA256:
		return readEntry{}, &Error{Reason: ReasonHash, Step: "signature"}
	case e.Held == nil:
		return read, nil
	case e.Key != nil && (!open || l.keys == nil):
		read.kept.Sealed = true
		return read, nil
	}
	plain := e.Held
	if e.Key != nil {
		if plain, err = l.open(ctx, e, r.Hash); err != nil {
			return readEntry{}, err
		}
	}
	read.kept.Record, err = withHeld(e.Record, plain)
	return read, err
}

// withHeld reads a record together with its held part, with every check of [Parse].
func withHeld(record, held []byte) (*Record, error) {
	record = bytes.TrimRight(record, " \t\r\n")
	if len(record) < 2 || record[len(record)-1] != '}' {
		return nil, &Error{Reason: ReasonFormat, Step: "record"}
	}
	whole := append(bytes.Clone(record[:len(record)-1]), `,"held":`...)
	whole = append(append(whole, held...), '}')
	return Parse(whole)
}

// fromHex reads the hexadecimal form of a SHA-256 value.
func fromHex(s string) (h Hash, err error) {
	if !hexHash(s) {
		return h, &Error{Reason: ReasonRequest, Step: "hash"}
	}
	_, err = hex.Decode(h[:], []byte(s))
	return h, err
}
