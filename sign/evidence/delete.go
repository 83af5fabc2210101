package evidence

import (
	"context"
	"time"
)

// KindDeletion is the kind of the note that is written before a held part is deleted; its body is a [Deletion].
const KindDeletion = "deletion"

// Deletion says that a held part was deleted, and why.
type Deletion struct {
	// Index is the record's place, Record its hash.
	Index  int64  `json:"index"`
	Record string `json:"record"`
	// Why is a short text: "retention", "request of the person".
	Why string `json:"why"`
	// Basis, Started and DeleteAfter are those that [Log.Purge] acted on.
	Basis       string     `json:"basis,omitempty"`
	Started     *time.Time `json:"started,omitempty"`
	DeleteAfter *time.Time `json:"delete_after,omitempty"`
}

// DeleteHeld deletes the held part of a record for good: certificate, signature value and revocation evidence. The log
// stays provable, because its tree covers only their hashes. A note that says so is appended first, so that
// [Log.Verify] tells a deletion from a loss; why is one of the texts that [Basis] accepts. Deleting what is not there
// does nothing. Errors are [*Error].
func (l *Log) DeleteHeld(ctx context.Context, index int64, why string) error {
	entries, err := l.entries(ctx, index, 1)
	if err != nil || entries[0].Held == nil {
		return err
	}
	r, err := l.stored(ctx, index)
	if err != nil {
		return err
	}
	return l.delete(ctx, []Deletion{{Index: index, Record: r.Hash, Why: why}})
}

// delete says first and deletes then: what is said and not done after a crash is done by the next purge; what was done
// and not said would look like a loss.
func (l *Log) delete(ctx context.Context, deletions []Deletion) error {
	bodies := make([]any, len(deletions))
	indexes := make([]int64, len(deletions))
	for i, d := range deletions {
		if !plainText(d.Why) || d.Why == "" {
			return &Error{Reason: ReasonText, Step: "why"}
		}
		bodies[i], indexes[i] = d, d.Index
	}
	if _, err := l.AppendNotes(ctx, KindDeletion, bodies...); err != nil {
		return err
	}
	if err := l.store.DeleteHeld(ctx, indexes...); err != nil {
		return broken("held", err)
	}
	return nil
}
