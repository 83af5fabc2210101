package evidence

import (
	"context"
	"errors"
	"io"
)

// Hash is a SHA-256 value: of the Merkle tree, or of an archived file.
type Hash = [32]byte

// Entry is one record or note as a [Store] keeps it.
type Entry struct {
	// Record is the JSON of the record without its held part, or of the note, on one line without a newline.
	Record []byte
	// Held is the part that can be deleted alone; nil when there is none. It is personal data: JSON in clear if Key is
	// nil, otherwise encrypted.
	Held []byte
	// Key is the key of Held, itself encrypted with a key that the store does not have; see [KeyWrapper]. A store keeps
	// it apart from Held, so that copies of the held parts are worth nothing after [Store.DeleteHeld].
	Key []byte
	// Signature is the SHA-256 of the signature value in hexadecimal, by which [Store.Signed] finds the entry; empty
	// when the record has none.
	Signature string
	// Again: whoever appends looked the Signature up, and an entry before may have it too. [Store.Entries] returns it
	// false.
	Again bool
	// Hashes are those that the entry adds to the tree, in the order in which they are stored; [Store.Entries] need not
	// return them. [Log.Verify] compares those that it returns.
	Hashes []Hash
}

// Errors of stores that a [Log] tells apart. Every other error of a store is one of reading or writing.
var (
	// ErrMoved is what [Store.Append] returns when the store has another size than the caller thinks: somebody else
	// appended.
	ErrMoved = errors.New("evidence: another writer appended")
	// ErrSigned is what [Store.Append] returns when an entry of the store has the Signature of one that is appended,
	// and this is not said to be so Again.
	ErrSigned = errors.New("evidence: the signature value is recorded already")
	// ErrAbsent is what a store returns for an entry, a hash or a file that it does not have.
	ErrAbsent = errors.New("evidence: no such entry")
	// ErrDamaged is what a store returns when entries that were acknowledged cannot be read any more. A [Log] reports
	// it as [ReasonFormat], with the first such entry.
	ErrDamaged = errors.New("evidence: acknowledged entries are damaged")
	// ErrLater is what a store returns when it was written by a later version of this module.
	ErrLater = errors.New("evidence: the store was written by a later version")
)

// Store keeps entries in order and files by their hashes; [Log] does everything else. Package sign/evidence/filestore
// keeps them in files, sign/evidence/sqlstore in SQLite and PostgreSQL, [NewMemory] in memory. An implementation of
// another kind is tested with sign/evidence/storetest. Implementations are safe for concurrent use.
type Store interface {
	// Size is the number of entries.
	Size(ctx context.Context) (int64, error)
	// Append adds entries behind the first size ones, all or none of them. When it returns nil they are durable. It
	// returns [ErrMoved] when there are more or fewer entries, and [ErrSigned] when one of them has a Signature of
	// these; then nothing was added. Both are found out in the step that adds, so that nobody appends in between.
	// After any other error they may have been added or not: a connection can be lost before the answer comes.
	Append(ctx context.Context, size int64, entries []Entry) error
	// Entries returns n entries from the one at index first on, counted from 0; fewer only at the end. It returns
	// [ErrAbsent] when there is no entry at first.
	Entries(ctx context.Context, first int64, n int) ([]Entry, error)
	// Hashes returns the hashes at these positions of all hashes that were appended, in their order, or [ErrAbsent].
	Hashes(ctx context.Context, positions []int64) ([]Hash, error)
	// Signed returns the index of the first entry with each Signature; those that no entry has are left out.
	Signed(ctx context.Context, signatures ...string) (map[string]int64, error)
	// HeldFrom returns the indexes, from first on, of the next n entries that have their held part; fewer only at the
	// end.
	HeldFrom(ctx context.Context, first int64, n int) ([]int64, error)
	// DeleteHeld deletes the held parts of entries and their keys, for good; deleting what is not there is no error, an
	// entry that does not exist is [ErrAbsent]. After another error they may be deleted or not, or be gone and still
	// stand somewhere; deleting again, be it nothing, does the rest.
	DeleteHeld(ctx context.Context, indexes ...int64) error
	// PutBlob keeps a file under its SHA-256, once, however often it is put. When it returns nil the file is durable.
	PutBlob(ctx context.Context, r io.Reader) (Hash, error)
	// Blob opens the file with this SHA-256, or returns [ErrAbsent].
	Blob(ctx context.Context, hash Hash) (io.ReadCloser, error)
}

// Checker is a [Store] that can compare what it derives from the entries with them, such as its index of signature
// values. [Log.Verify] asks it.
type Checker interface {
	// Check returns an error that wraps [ErrDamaged] when something does not agree.
	Check(ctx context.Context) error
}
