package main

import (
	"context"
	"errors"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// earlier is what became of an application that an earlier start of the program did not finish. Nothing in it is
// personal.
type earlier struct {
	Number  string  `json:"number"`
	Outcome outcome `json:"outcome"`
	Reason  string  `json:"reason"`
	Family  string  `json:"family,omitempty"` // of an error
}

// finishEarlier goes on with the applications of a start that ended in the middle: what the service had given is
// verified, decided and recorded now, and what was being asked for is asked for again. The program has the log for
// itself, so nobody else is at work on them. Its error stops the bank before another customer signs.
func (b *bank) finishEarlier(ctx context.Context) (all []earlier, err error) {
	if _, err := b.desk.keeper.Purge(ctx, b.now().Add(-patience)); err != nil {
		return nil, err
	}
	open := map[string]bool{}
	for k, err := range b.desk.keeper.Unfinished(ctx) {
		if err != nil {
			return all, err
		}
		open[k.Transaction.ID] = true
		if k.State != signapi.StateFetched && k.State != signapi.StateFetching {
			continue // nobody knows whether the customer signed; it expires
		}
		e := b.finish(ctx, k)
		open[k.Transaction.ID] = e.Outcome == waiting
		all = append(all, e)
	}
	return all, b.desk.forgetAllBut(ctx, open)
}

// finish does for one application what its own start had still to do.
func (b *bank) finish(ctx context.Context, k signapi.Kept) earlier {
	id := k.Transaction.ID
	e := earlier{Number: k.Reference, Outcome: waiting, Reason: "later"}
	kept, err := b.log.has(ctx, id)
	switch {
	case err != nil:
	case kept: // the program ended after it had recorded it
		e.Outcome, e.Reason = recorded, "recorded-before"
	case k.State == signapi.StateFetched && b.now().Sub(k.Since) > patience:
		e.Outcome, e.Reason = refused, "given-up"
	default:
		e.Outcome, e.Reason, err = b.takeOver(ctx, id)
	}
	if err != nil {
		e.Family = kakunin.FamilyOf(err).String()
	}
	if e.Outcome != waiting {
		b.desk.done(ctx, id)
	}
	return e
}

func (b *bank) takeOver(ctx context.Context, id string) (outcome, string, error) {
	f, err := b.desk.get(ctx, id)
	if err != nil {
		return waiting, "later", err
	}
	if (f.Business == privateBusiness) != (b.operator != nil) {
		return waiting, "other-business", nil
	}
	who, err := f.customer()
	if err != nil {
		return waiting, "later", err
	}
	result, err := b.desk.keeper.AskAgain(ctx, id)
	switch {
	case errors.Is(err, &signapi.Error{Reason: signapi.ReasonLost}):
		return refused, "lost", err
	case result == nil:
		return waiting, "later", err
	}
	var rep report
	_, err = b.conclude(ctx, signed{application: f.application(), customer: who, result: result, late: true}, &rep)
	switch {
	case err == nil:
		return rep.Outcome, rep.Reason, nil
	case settled(err):
		return refused, "failed", err
	default: // later, or for a human to look at
		return waiting, "later", err
	}
}

// settled reports whether an error is the answer: no later start gets another one.
func settled(err error) bool {
	family := kakunin.FamilyOf(err)
	return family == kakunin.User || family == kakunin.Account
}
