package evidence

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo/law"
)

// Outcome is what a purge decided about a held part.
type Outcome string

// Outcomes.
const (
	// OutcomeDeleted: the part was deleted, or would have been in a dry run.
	OutcomeDeleted Outcome = "deleted"
	// OutcomeRunning: the period has not ended.
	OutcomeRunning Outcome = "period-running"
	// OutcomeNotBegun: the event from which the period counts has not happened.
	OutcomeNotBegun Outcome = "not-begun"
	// OutcomeNoRule: the record says nothing about how long it is kept, and the purge has no rule for it.
	OutcomeNoRule Outcome = "no-rule"
	// OutcomeOnHold: somebody asked to keep it: a dispute, an investigation.
	OutcomeOnHold Outcome = "on-hold"
)

// Purging configures [Log.Purge].
type Purging struct {
	// Happened says when the event happened from which a record's period counts, such as the end of a contract; known
	// is false when it has not. It is asked for records whose retention starts with another event than law.Transaction;
	// without it such records are kept. The period counts from the verification if that was later.
	Happened func(ctx context.Context, k Kept) (at time.Time, known bool, err error)
	// OnHold says that a part must be kept although its time is over; may be nil.
	OnHold func(ctx context.Context, k Kept) (bool, error)
	// Default is the rule for records that have none: nil keeps them.
	Default *Retention
	// DryRun decides everything and deletes nothing.
	DryRun bool
	// Each is called with every decision, in the order of the log; may be nil. In a run that is not dry it is called
	// before the deletion.
	Each func(Decision) error
}

// Decision is what a purge decided about one held part, and why.
type Decision struct {
	Index   int64   `json:"index"`
	Record  string  `json:"record"` // the record's hash
	Outcome Outcome `json:"outcome"`
	// Retention is the rule; nil when there is none.
	Retention *Retention `json:"retention,omitempty"`
	// Started is when the period began, DeleteAfter when the part must be gone; nil when that is not known.
	Started     *time.Time `json:"started,omitempty"`
	DeleteAfter *time.Time `json:"delete_after,omitempty"`
}

// PurgeReport is what a purge did. It names no person.
type PurgeReport struct {
	At     time.Time `json:"at"`
	DryRun bool      `json:"dry_run"`
	// Held is the number of held parts that were looked at.
	Held int64 `json:"held"`
	// Outcomes counts the decisions, Deleted those that deleted by law.
	Outcomes map[Outcome]int64 `json:"outcomes"`
	Deleted  map[string]int64  `json:"deleted_by_law,omitempty"`
}

// purgeStep is how many parts are deleted in one step, after a note for each.
const purgeStep = 256

// Purge deletes the held parts whose time is over: those for which the period of their [Retention], the days of grace
// and the time of [RetainUntil] have passed. It says so in the log first, part by part, and returns what it decided.
// Purging again does the rest of one that was interrupted. Errors are [*Error], or what a function of p returned; the
// report then counts what was decided before.
func (l *Log) Purge(ctx context.Context, p Purging) (PurgeReport, error) {
	report := PurgeReport{
		At: seconds(l.now()), DryRun: p.DryRun, Outcomes: map[Outcome]int64{}, Deleted: map[string]int64{},
	}
	if p.Default != nil && !p.Default.valid() {
		return report, &Error{Reason: ReasonRequest, Step: "retention"}
	}
	var due []Deletion
	flush := func() error {
		if len(due) == 0 || p.DryRun {
			return nil
		}
		err := l.delete(ctx, due)
		due = due[:0]
		return err
	}
	const names = 1 << 16
	for from := int64(0); ; {
		indexes, err := l.store.HeldFrom(ctx, from, names)
		if err != nil {
			return report, broken("held", err)
		}
		for _, i := range indexes {
			d, err := l.decide(ctx, i, p, report.At)
			if err != nil {
				return report, err
			}
			report.Held++
			report.Outcomes[d.Outcome]++
			if p.Each != nil {
				if err := p.Each(d); err != nil {
					return report, err
				}
			}
			if d.Outcome != OutcomeDeleted {
				continue
			}
			basis := ""
			if d.Retention != nil {
				basis = d.Retention.Law
			}
			report.Deleted[basis]++
			due = append(due, Deletion{
				Index:       i,
				Record:      d.Record,
				Why:         "retention",
				Basis:       basis,
				Started:     d.Started,
				DeleteAfter: d.DeleteAfter,
			})
			if len(due) == purgeStep {
				if err := flush(); err != nil {
					return report, err
				}
			}
		}
		if len(indexes) < names {
			if err := flush(); err != nil || p.DryRun {
				return report, err
			}
			return report, l.deleteRest(ctx)
		}
		from = indexes[len(indexes)-1] + 1
	}
}

// deleteRest has the store finish what an earlier deletion could not.
func (l *Log) deleteRest(ctx context.Context) error {
	if err := l.store.DeleteHeld(ctx); err != nil {
		return broken("held", err)
	}
	return nil
}

// decide looks at one held part, without opening it.
func (l *Log) decide(ctx context.Context, index int64, p Purging, now time.Time) (Decision, error) {
	r, err := l.stored(ctx, index)
	if err != nil {
		return Decision{}, err
	}
	kept := Kept{Index: index, Record: r, Sealed: true}
	d := Decision{Index: index, Record: r.Hash, Retention: r.Retention}
	if d.Retention == nil && r.RetainUntil == nil {
		d.Retention = p.Default
	}
	var after time.Time
	switch started, known, err := p.started(ctx, kept, d.Retention); {
	case err != nil:
		return d, err
	case d.Retention == nil && r.RetainUntil == nil:
		d.Outcome = OutcomeNoRule
		return d, nil
	case !known:
		d.Outcome = OutcomeNotBegun
		return d, nil
	case d.Retention != nil:
		after = d.Retention.DeleteAfter(started)
		d.Started = optionalSeconds(started)
	}
	if r.RetainUntil != nil && r.RetainUntil.After(after) {
		after = *r.RetainUntil
	}
	d.DeleteAfter = optionalSeconds(after)
	if now.Before(after) {
		d.Outcome = OutcomeRunning
		return d, nil
	}
	d.Outcome = OutcomeDeleted
	if p.OnHold != nil {
		hold, err := p.OnHold(ctx, kept)
		if err != nil {
			return d, err
		}
		if hold {
			d.Outcome = OutcomeOnHold
		}
	}
	return d, nil
}

// started says when the period began: with the verification, or with an event of the application that was later.
func (p Purging) started(ctx context.Context, k Kept, r *Retention) (time.Time, bool, error) {
	verified := k.Record.VerifiedAt
	if r == nil || r.Start == law.Transaction {
		return verified, true, nil
	}
	if p.Happened == nil {
		return time.Time{}, false, nil
	}
	at, known, err := p.Happened(ctx, k)
	if err != nil || !known {
		return time.Time{}, false, err
	}
	if at.Before(verified) {
		at = verified
	}
	return at, true, nil
}
