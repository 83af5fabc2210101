package middleware

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// waitMost leaves finishTimeout room for redeeming the code.
const waitMost = 30 * time.Second

// signing is a signature that is begun.
type signing struct {
	signapi.Request
	name, terms string
}

// keptNote is what the Keeper notes beside the application's reference.
type keptNote struct {
	Name  string `json:"n"`           // of the SignConfig
	Terms string `json:"c,omitempty"` // see flow
}

// register makes the transaction known to the service, and keeps it if there is a Keeper.
func (l *Login) register(ctx context.Context, s signing) (*sign.Transaction, error) {
	if l.keeper == nil {
		return l.signer.Start(ctx, s.Document, s.Mode)
	}
	note, err := json.Marshal(keptNote{s.name, s.terms})
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Err: err}
	}
	s.Note = string(note)
	kept, err := l.keeper.Start(ctx, s.Request)
	if err != nil {
		return nil, err
	}
	return l.keeper.HandOver(ctx, kept.Transaction.ID)
}

// signed is a signature whose person came back.
type signed struct {
	tx   *sign.Transaction
	by   *authn.Identity
	wait time.Duration
}

// fetch asks for the result. With a Keeper a result may come with an error: it could not be kept.
func (l *Login) fetch(ctx context.Context, s signed) (*signapi.Unverified, error) {
	type fetcher interface {
		Fetch(ctx context.Context, tx *sign.Transaction, id *authn.Identity) (*signapi.Unverified, error)
		Wait(ctx context.Context, tx *sign.Transaction, id *authn.Identity) (*signapi.Unverified, error)
	}
	from := fetcher(l.signer)
	if l.keeper != nil {
		from = l.keeper
	}
	if s.wait == 0 {
		return from.Fetch(ctx, s.tx, s.by)
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	return from.Wait(ctx, s.tx, s.by)
}

// keptResult returns the result that an instance kept which is gone, or asked for with a token that is kept; nil for
// none. because is why there is none from the service. That the person who signed is the one who began was checked
// before it was asked for; that the session is that person's, checkSigner has said.
func (l *Login) keptResult(ctx context.Context, v *visit, c callback, because error) *finished {
	p := c.pending.Sign
	own, refused := errors.AsType[*Error](because)
	if l.keeper == nil || p == nil || v.Identity == nil || refused && own.Reason != ReasonReplayed ||
		errors.Is(because, &authn.Error{Reason: authn.ReasonStateMismatch}) { // another client's
		return nil
	}
	res, err := l.keeper.AskAgain(ctx, p.Transaction.ID)
	if res == nil || res.Transaction.Digest != p.Transaction.Digest || res.Transaction.Mode != p.Transaction.Mode {
		return nil
	}
	l.log.LogAttrs(ctx, slog.LevelInfo, "the result was kept by another instance", slog.String("flow", p.Name))
	signer := *v.Identity
	signer.TransactionID = p.Transaction.ID
	return &finished{signed: &Signed{
		Reference: p.Reference, Unverified: res, Identity: &signer, Terms: p.Terms, Kept: err == nil,
	}}
}

// unhandedResult is keptResult where nobody has handed it to the application, and the instance that fetched it does
// nothing more.
func (l *Login) unhandedResult(ctx context.Context, v *visit, c callback) *finished {
	if l.keeper == nil || c.pending.Sign == nil {
		return nil
	}
	if handed, err := l.shared.Used(ctx, l.sharedKey("handed", c.state)); handed || err != nil {
		return nil
	}
	return l.keptResult(ctx, v, c, nil)
}

// handedOnce reports whether this is the first time that the result is handed to the application. Without a Keeper
// there is only one who has it.
func (l *Login) handedOnce(ctx context.Context, c callback) bool {
	if l.keeper == nil {
		return true
	}
	first, err := l.shared.Use(context.WithoutCancel(ctx), l.sharedKey("handed", c.state), l.ttl)
	if err != nil {
		// Twice is better than never: the application knows the transaction.
		l.log.LogAttrs(ctx, slog.LevelError, "shared store failed")
		return true
	}
	return first
}

// Waiting goes through the signatures of a [SignConfig] or [ConsentConfig] whose answers are kept and whose application
// has not said by signapi.Keeper.Close that it is done: those that OnSigned never got, because the instance ended, and
// those that could not be verified yet. What an instance asked for that ended is asked for again. Call it after a start
// and from time to time; what OnSigned is at work on in another instance comes too, so leave out what is younger than
// that may take. The errors are the Keeper's.
func (l *Login) Waiting(ctx context.Context, name string) iter.Seq2[Signed, error] {
	return func(yield func(Signed, error) bool) {
		if l.keeper == nil {
			yield(Signed{}, &Error{Reason: ReasonConfiguration, Detail: "Waiting needs Config.Keeper"})
			return
		}
		for kept, err := range l.keeper.Unfinished(ctx) {
			var s Signed
			if err == nil {
				var waits bool
				if s, waits, err = l.waiting(ctx, name, kept); !waits {
					continue
				}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// noteOf reads the note of a transaction; ok is false for one that another program began.
func noteOf(kept signapi.Kept) (note keptNote, ok bool) {
	ok = json.Unmarshal([]byte(kept.Note), &note) == nil
	return note, ok
}

// waiting reports whether a kept signature of this name waits for the application, or cannot be had for a reason that
// the application is told.
func (l *Login) waiting(ctx context.Context, name string, kept signapi.Kept) (s Signed, waits bool, err error) {
	note, ok := noteOf(kept)
	if !ok || note.Name != name || kept.State != signapi.StateFetched && !kept.Interrupted {
		return Signed{}, false, nil
	}
	res, err := l.keeper.AskAgain(ctx, kept.Transaction.ID)
	switch {
	case res != nil:
		return Signed{
			Reference: kept.Reference, Terms: note.Terms, Kept: err == nil, Since: kept.Since, Unverified: res,
		}, true, nil
	case kept.Interrupted:
		l.log.LogAttrs(ctx, slog.LevelWarn, "the result of an instance that ended was asked for again",
			slog.String("flow", name), slog.String("error", err.Error()))
		return Signed{}, false, nil //nolint:nilerr // no signature waits
	case errors.Is(err, &signapi.Error{Reason: signapi.ReasonConsumed}): // closed meanwhile
		return Signed{}, false, nil
	default:
		return Signed{}, true, err
	}
}
