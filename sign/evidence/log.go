package evidence

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/sign"
)

// LogConfig configures a [Log].
type LogConfig struct {
	// Store keeps the entries; required.
	Store Store
	// Keys wrap the key under which each record's held part is encrypted. Without them a record with a held part is
	// refused, unless PlainHeld says otherwise, and an encrypted one is not opened.
	Keys KeyWrapper
	// PlainHeld keeps held parts as they are when there are no Keys: for disks that are encrypted, and copies of which
	// are deleted too.
	PlainHeld bool
	// Now is the clock of Record.RecordedAt; default time.Now.
	Now func() time.Time
}

// Log appends records to a store and makes each a leaf of a Merkle tree (RFC 6962, section 2.1), so that a signed
// [Checkpoint] kept elsewhere proves every later change and every record that is cut off. It is safe for concurrent
// use; several instances may append to one store if the store allows it.
type Log struct {
	store     Store
	keys      KeyWrapper
	plainHeld bool
	now       func() time.Time

	mu   sync.Mutex   // one writer of this process at a time: the store would turn the others away
	tree *compactTree // as it is in the store, if nobody else appended; nil when that is not known
}

// OpenLog makes a log over a store, which may have records already; it reads none of them. Errors are [*Error].
func OpenLog(c LogConfig) (*Log, error) {
	if c.Store == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "log", Detail: "Store is missing"}
	}
	l := &Log{store: c.Store, keys: c.Keys, plainHeld: c.PlainHeld, now: c.Now}
	if l.now == nil {
		l.now = time.Now
	}
	return l, nil
}

// Kept is an entry with its place in the log: a record or a note.
type Kept struct {
	// Index is the place, counted from 0.
	Index  int64
	Record *Record
	// Note is set when Record is nil.
	Note *Note
	// Sealed: the record has a held part that this log cannot open, because it has no Keys.
	Sealed bool
}

// Append makes a record of a verified signature and keeps it. When it returns without an error, the record is as
// durable as the store makes it. A signature value that is recorded under another transaction is refused with
// [ReasonReused]: a signature is over the document alone, so the same value elsewhere is the same words signed twice,
// which prove one transaction only, or an old signature handed in again. Errors are [*Error]; after one nothing was
// kept, except that after one with [ReasonIO] from a database the record may have been kept although the answer was
// lost.
func (l *Log) Append(ctx context.Context, r *sign.Report, opts ...Option) (Kept, error) {
	rec, err := FromReport(r, l.now(), opts...)
	if err != nil {
		return Kept{}, err
	}
	o, err := apply(opts)
	if err != nil {
		return Kept{}, err
	}
	for _, t := range o.timestamps {
		if _, err := l.Archive(ctx, bytes.NewReader(t.Raw())); err != nil {
			return Kept{}, err
		}
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
	prepared, err := l.prepareAll(ctx, records)
	if err != nil {
		return nil, err
	}
	if err := reused(records, make(map[string]string, len(records))); err != nil {
		return nil, err
	}
	kept := make([]Kept, len(records))
	for i, r := range records {
		kept[i].Record = r
	}
	return l.add(ctx, prepared, kept, func() error { return l.refuseReused(ctx, records) })
}

// leaf is an entry with its hash in the tree.
type leaf struct {
	entry Entry
	hash  tlog.Hash
}

// add appends prepared entries behind whatever the store has, and says where. Where the store has one of their
// signature values already, allowed decides.
func (l *Log) add(ctx context.Context, prepared []leaf, kept []Kept, allowed func() error) ([]Kept, error) {
	if len(prepared) == 0 {
		return nil, nil
	}
	entries := make([]Entry, len(prepared))
	l.mu.Lock()
	defer l.mu.Unlock()
	for again := false; ; {
		tree, err := l.presentTree(ctx)
		if err != nil {
			return nil, err
		}
		size := tree.size
		for i, p := range prepared {
			entries[i] = p.entry
			entries[i].Hashes = tree.add(p.hash)
			entries[i].Again = again
		}
		err = l.store.Append(ctx, size, entries)
		if err == nil {
			l.tree = tree
			for i := range kept {
				kept[i].Index = size + int64(i)
			}
			return kept, nil
		}
		if errors.Is(err, ErrSigned) && !again && allowed != nil {
			// Should somebody append meanwhile, Append says so.
			if err := allowed(); err != nil {
				return nil, err
			}
			again = true
			continue
		}
		l.tree, again = nil, false
		if !errors.Is(err, ErrMoved) || ctx.Err() != nil {
			return nil, broken("append", err)
		}
	}
}

// presentTree returns a copy of the tree as it was after the last append of this log, or reads it. It may be old when
// several instances append to one store: the store turns what is appended to an old tree away.
func (l *Log) presentTree(ctx context.Context) (*compactTree, error) {
	if l.tree != nil {
		return l.tree.clone(), nil
	}
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	return l.treeAt(ctx, size)
}

// broken is an error of the store. Its text may name files: it is a cause and no text of ours.
func broken(step string, err error) error {
	reason := ReasonIO
	if errors.Is(err, ErrDamaged) {
		reason = ReasonFormat
	}
	return &Error{Reason: reason, Step: step, Err: err}
}

// refuseReused looks the signature values up in the store.
func (l *Log) refuseReused(ctx context.Context, records []*Record) error {
	var signatures []string
	for _, r := range records {
		if r.SignatureSHA256 != "" {
			signatures = append(signatures, r.SignatureSHA256)
		}
	}
	known, err := l.store.Signed(ctx, signatures...)
	if err != nil {
		return broken("signature", err)
	}
	transactions := make(map[string]string, len(signatures))
	for signature, index := range known {
		first, err := l.stored(ctx, index)
		if err != nil {
			return err
		}
		transactions[signature] = first.TransactionID
	}
	return reused(records, transactions)
}

// reused refuses records with the signature value of another transaction, one of those that are known or another
// record's.
func reused(records []*Record, transactions map[string]string) error {
	for _, r := range records {
		if r.SignatureSHA256 == "" {
			continue
		}
		tx, seen := transactions[r.SignatureSHA256]
		if seen && tx != r.TransactionID {
			return &Error{Reason: ReasonReused, Step: "signature"}
		}
		transactions[r.SignatureSHA256] = r.TransactionID
	}
	return nil
}

// prepareAll prepares records on all cores. The error is that of the first record that has one.
func (l *Log) prepareAll(ctx context.Context, records []*Record) ([]leaf, error) {
	prepared := make([]leaf, len(records))
	failed := make([]error, len(records))
	var wg sync.WaitGroup
	const share = 8 // records that are worth a goroutine
	workers := max(1, min(runtime.GOMAXPROCS(0), len(records)/share))
	for w := range workers {
		work := func() {
			for i := w; i < len(records); i += workers {
				if failed[i] = errNoRecord(records[i]); failed[i] == nil {
					prepared[i], failed[i] = l.prepare(ctx, records[i])
				}
			}
		}
		if w == workers-1 {
			work()
			break
		}
		wg.Go(work)
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return prepared, nil
}

func errNoRecord(r *Record) error {
	if r == nil {
		return &Error{Reason: ReasonRequest, Step: "record"}
	}
	return nil
}

// prepare checks and encodes a record, and encrypts its held part.
func (l *Log) prepare(ctx context.Context, r *Record) (leaf, error) {
	line, hash, err := r.written()
	if err != nil {
		return leaf{}, err
	}
	e := Entry{Record: line, Signature: r.SignatureSHA256}
	if r.Held != nil {
		if e.Held, e.Key, err = l.seal(ctx, r.Held, r.Hash); err != nil {
			return leaf{}, err
		}
	}
	return leaf{e, hash}, nil
}

// written checks a record and returns its entry and leaf: those of when it was made, if it is still what it was then.
func (r *Record) written() (line []byte, hash tlog.Hash, err error) {
	if m, ok := r.asMade(); ok {
		if r.Held != m.held { // which nobody can change
			return m.line, m.leaf, r.checkHeld()
		}
		return m.line, m.leaf, nil
	}
	if err := r.check(); err != nil {
		return nil, hash, err
	}
	if line, err = r.Detach().marshalLine(); err != nil {
		return nil, hash, err
	}
	canonical, err := canonicalJSON(line, "hash")
	if err != nil || fingerprint(canonical) != r.Hash {
		return nil, hash, &Error{Reason: ReasonRequest, Step: "hash", Err: err}
	}
	return line[:len(line)-1], tlog.RecordHash(canonical), nil
}

// Size is the number of records and notes. Errors are [*Error].
func (l *Log) Size(ctx context.Context) (int64, error) {
	n, err := l.store.Size(ctx)
	if err != nil {
		return 0, broken("size", err)
	}
	return n, nil
}
