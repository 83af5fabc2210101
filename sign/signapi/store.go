package signapi

import (
	"context"
	"errors"
)

// State is how far a kept transaction has come.
type State int

// States, in the order in which a transaction goes through them. The zero value is none. Their numbers are stored.
const (
	StateUnknown State = iota
	// StateStarted: the service knows the transaction; the person has not been sent there yet.
	StateStarted
	// StateHandedOver: the person was sent to the service with it. Whether they came back is not known here.
	StateHandedOver
	// StateFetching: an instance is asking for the result. If its time is over and the state stays, the instance ended
	// in the middle, and the result may have been given: see [Kept.Interrupted].
	StateFetching
	// StateFetched: the service's answer is kept. Nothing in it is verified.
	StateFetched
	// StateClosed: the application is done with the answer, and it is deleted.
	StateClosed
	// StateOver: there will be no answer; [Kept.Reason] says why.
	StateOver
)

var stateNames = [...]string{"unknown", "started", "handed over", "fetching", "fetched", "closed", "over"}

// String returns a stable lower-case word for logs and metrics.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		s = StateUnknown
	}
	return stateNames[s]
}

// Entry is a transaction as a [Store] keeps it. Nothing in it is a secret or personal in the clear: Record has a digest
// and times, Answer is encrypted. A store does not look into either.
type Entry struct {
	// ID is the transaction's, at most 255 bytes of visible ASCII; no two entries have the same.
	ID string
	// Key, where it is not empty, is what the application calls the request; no two entries have the same. At most 128
	// characters.
	Key string
	// Version counts the writes of this entry. An entry that is added has version 1.
	Version int64
	State   State
	// Record is all that a Keeper knows of the transaction but the answer; at most 16 KiB.
	Record []byte
	// Answer is the encrypted answer of the service, nil where there is none; at most 520 KiB.
	Answer []byte
}

// List says which entries are asked for.
type List struct {
	States []State // any of these; none means all
	After  string  // only entries whose ID is greater, byte by byte; empty means from the first
	Limit  int     // at most so many
}

// Store keeps transactions and their answers. Implementations: [NewMemory] for one instance and tests, and package
// sign/signapi/sqlstore. Package sign/signapi/storetest has the tests that every implementation passes. What a method
// was given or returned belongs to its caller afterwards. Safe for concurrent use, by several instances where a
// database is.
//
// A write whose error is nil is durable: it is there after the program, the database or the machine was killed. A write
// with an error may have happened or not.
type Store interface {
	// Add keeps a new entry with version 1, whatever its Version says; [ErrExists] when there is one with its ID or its
	// Key, of concurrent calls all but one get it.
	Add(ctx context.Context, e Entry) error
	// Get returns the entry with the ID, [ErrAbsent] when there is none.
	Get(ctx context.Context, id string) (Entry, error)
	// Find returns the entry with the Key, which is not empty, [ErrAbsent] when there is none.
	Find(ctx context.Context, key string) (Entry, error)
	// Replace puts e in the place of the entry with its ID and exactly its Version, which is then one more. [ErrMoved]
	// when there is no such entry, of concurrent calls all but one get it; [ErrExists] when another has its Key.
	Replace(ctx context.Context, e Entry) error
	// Delete removes the entry with e's ID and Version; [ErrMoved] when there is none.
	Delete(ctx context.Context, e Entry) error
	// List returns entries in the order of their IDs, byte by byte, without Answer.
	List(ctx context.Context, l List) ([]Entry, error)
}

// What a [Store] answers. Errors may wrap these; all others mean that the store failed.
var (
	ErrAbsent = errors.New("signapi: no such entry")
	ErrExists = errors.New("signapi: there is such an entry already")
	ErrMoved  = errors.New("signapi: the entry is another by now")
)
