package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/sign"
)

// LogConfig configures a [Log].
type LogConfig struct {
	// Store keeps the entries; required.
	Store Store
	// Now is the clock of Record.RecordedAt; default time.Now.
	Now func() time.Time
}

// Log appends records to a store and makes each a leaf of a Merkle tree (RFC 6962, section 2.1), so that a signed
// [Checkpoint] kept elsewhere proves every later change and every record that is cut off. It is safe for concurrent
// use; several instances may append to one store if the store allows it.
type Log struct {
	store Store
	now   func() time.Time
	mu    sync.Mutex // one writer of this process at a time: the store would turn the others away
}

// OpenLog makes a log over a store, which may have records already; it reads none of them. Errors are [*Error].
func OpenLog(c LogConfig) (*Log, error) {
	if c.Store == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "log", Detail: "Store is missing"}
	}
	l := &Log{store: c.Store, now: c.Now}
	if l.now == nil {
		l.now = time.Now
	}
	return l, nil
}

// Kept is a record with its place in the log.
type Kept struct {
	// Index is the place, counted from 0.
	Index  int64
	Record *Record
}

// Append makes a record of a verified signature and keeps it. When it returns without an error, the record is as
// durable as the store makes it. A signature value that is recorded under another transaction is refused with
// [ReasonReused]: a signature is over the document alone, so the same value elsewhere is the same words signed twice,
// which prove one transaction only, or an old signature handed in again. Errors are [*Error]; after one nothing was
// kept.
func (l *Log) Append(ctx context.Context, r *sign.Report, opts ...Option) (Kept, error) {
	rec, err := FromReport(r, l.now(), opts...)
	if err != nil {
		return Kept{}, err
	}
	kept, err := l.AppendRecords(ctx, rec)
	if err != nil {
		return Kept{}, err
	}
	return kept[0], nil
}

// AppendRecords keeps records made by [FromReport] or [FromVerdict], all or none of them, in one step of the store. It
// is otherwise [Log.Append].
func (l *Log) AppendRecords(ctx context.Context, records ...*Record) ([]Kept, error) {
	prepared := make([]Entry, 0, len(records))
	for _, r := range records {
		if r == nil {
			return nil, &Error{Reason: ReasonRequest, Step: "record"}
		}
		e, err := r.entry()
		if err != nil {
			return nil, err
		}
		prepared = append(prepared, e)
	}
	if len(records) == 0 {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		size, err := l.store.Size(ctx)
		if err != nil {
			return nil, broken("size", err)
		}
		if err := l.refuseReused(ctx, records); err != nil {
			return nil, err
		}
		if err := l.hash(ctx, size, prepared); err != nil {
			return nil, err
		}
		switch err := l.store.Append(ctx, size, prepared); {
		case errors.Is(err, ErrMoved) && ctx.Err() == nil: // another instance was faster
		case err != nil:
			return nil, broken("append", err)
		default:
			kept := make([]Kept, len(records))
			for i, r := range records {
				kept[i] = Kept{Index: size + int64(i), Record: r}
			}
			return kept, nil
		}
	}
}

// broken is an error of the store. Its text may name files: it is a cause and no text of ours.
func broken(step string, err error) error { return &Error{Reason: ReasonIO, Step: step, Err: err} }

// refuseReused looks each signature value up in the store and among the records themselves.
func (l *Log) refuseReused(ctx context.Context, records []*Record) error {
	mine := map[string]string{}
	for _, r := range records {
		if r.SignatureSHA256 == "" {
			continue
		}
		tx, known := mine[r.SignatureSHA256]
		if !known {
			index, found, err := l.store.Signed(ctx, r.SignatureSHA256)
			if err != nil {
				return broken("signature", err)
			}
			tx = r.TransactionID
			if found {
				first, err := l.Record(ctx, index)
				if err != nil {
					return err
				}
				tx = first.TransactionID
			}
			mine[r.SignatureSHA256] = tx
		}
		if tx != r.TransactionID {
			return &Error{Reason: ReasonReused, Step: "signature"}
		}
	}
	return nil
}

// hash gives every entry the hashes that it adds to a tree of the given size.
func (l *Log) hash(ctx context.Context, size int64, entries []Entry) error {
	added := map[int64]tlog.Hash{}
	reader := tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(positions))
		var missing, at []int64
		for i, p := range positions {
			if h, ok := added[p]; ok {
				hashes[i] = h
				continue
			}
			missing, at = append(missing, p), append(at, int64(i))
		}
		stored, err := l.store.Hashes(ctx, missing)
		if err != nil || len(stored) != len(missing) {
			return nil, errors.Join(errHashes, err)
		}
		for i, h := range stored {
			hashes[at[i]] = h
		}
		return hashes, nil
	})
	for i := range entries {
		n := size + int64(i)
		leaf, err := leafOf(entries[i].Record)
		if err != nil {
			return err
		}
		hashes, err := tlog.StoredHashesForRecordHash(n, leaf, reader)
		if err != nil {
			return broken("hashes", err)
		}
		entries[i].Hashes = entries[i].Hashes[:0]
		for j, h := range hashes {
			added[tlog.StoredHashCount(n)+int64(j)] = h
			entries[i].Hashes = append(entries[i].Hashes, h)
		}
	}
	return nil
}

var errHashes = errors.New("evidence: the store lacks hashes")

// leafOf is the hash of a record as a leaf: over the same canonical JSON as Record.Hash, so that the held part can go.
func leafOf(record []byte) (tlog.Hash, error) {
	canonical, err := canonicalJSON(record, "hash")
	if err != nil {
		return tlog.Hash{}, &Error{Reason: ReasonFormat, Step: "record", Err: err}
	}
	return tlog.RecordHash(canonical), nil
}

// entry checks and encodes a record.
func (r *Record) entry() (Entry, error) {
	if err := r.check(); err != nil {
		return Entry{}, err
	}
	hash, err := r.computeHash()
	if err != nil || hash != r.Hash {
		return Entry{}, &Error{Reason: ReasonRequest, Step: "hash", Err: err}
	}
	line, err := r.Detach().marshalLine()
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Record: line[:len(line)-1], Signature: r.SignatureSHA256}
	if r.Held != nil {
		if e.Held, err = json.Marshal(r.Held.Reveal()); err != nil {
			return Entry{}, &Error{Reason: ReasonRequest, Step: "held", Err: err}
		}
	}
	return e, nil
}

// parseEntry reads what entry wrote, with every check of [Parse].
func parseEntry(e Entry) (*Record, error) {
	whole := e.Record
	if e.Held != nil {
		if len(whole) < 2 || whole[len(whole)-1] != '}' {
			return nil, &Error{Reason: ReasonFormat, Step: "record"}
		}
		whole = append(append(append([]byte(nil), whole[:len(whole)-1]...), `,"held":`...), e.Held...)
		whole = append(whole, '}')
	}
	return Parse(whole)
}

// Size is the number of records. Errors are [*Error].
func (l *Log) Size(ctx context.Context) (int64, error) {
	n, err := l.store.Size(ctx)
	if err != nil {
		return 0, broken("size", err)
	}
	return n, nil
}

// Record returns the record at an index, counted from 0, with every check of [Parse]. Errors are [*Error].
func (l *Log) Record(ctx context.Context, index int64) (*Record, error) {
	e, err := l.store.Entry(ctx, index)
	if err != nil {
		if errors.Is(err, ErrAbsent) {
			return nil, &Error{Reason: ReasonRequest, Step: "record", Detail: "no such record", Err: err}
		}
		return nil, broken("record", err)
	}
	r, err := parseEntry(e)
	if err != nil {
		return nil, at(err, int(index)+1)
	}
	return r, nil
}

// DeleteHeld deletes the held part of a record for good: certificate, signature value and revocation evidence. The log
// stays provable, because its tree covers only their hashes. Errors are [*Error].
func (l *Log) DeleteHeld(ctx context.Context, index int64) error {
	if err := l.store.DeleteHeld(ctx, index); err != nil {
		return broken("held", err)
	}
	return nil
}

// ImportChain takes over a log of the form before there were stores: JSON lines chained by hashes. It checks the whole
// chain first, and adds nothing if anything is wrong with it; the log must be empty. Errors are [*Error] with the
// position of the first bad record.
func (l *Log) ImportChain(ctx context.Context, r io.ReadSeeker) (Chain, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return Chain{}, err
	}
	if size != 0 {
		return Chain{}, &Error{Reason: ReasonRequest, Step: "import", Detail: "the log is not empty"}
	}
	chain, err := readChain(r, func(*Record) error { return nil })
	if err != nil {
		return Chain{}, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Chain{}, broken("import", err)
	}
	const batch = 256
	var records []*Record
	flush := func() error {
		_, err := l.AppendRecords(ctx, records...)
		records = records[:0]
		return err
	}
	again, err := readChain(r, func(rec *Record) error {
		if records = append(records, rec); len(records) < batch {
			return nil
		}
		return flush()
	})
	if err == nil && again != chain {
		err = &Error{Reason: ReasonChain, Step: "import", Detail: "the file changed meanwhile"}
	}
	if err == nil {
		err = flush()
	}
	return chain, err
}
