package authn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin"
)

// EventKind says what happened. The zero value is no event.
type EventKind int

// The kinds of events.
const (
	// LoginBegun: a person was sent to the service.
	LoginBegun EventKind = iota + 1
	// LoginFinished: Finish returned an Identity.
	LoginFinished
	// LoginRefused: Begin or Finish returned an error.
	LoginRefused
	// TokensRefreshed: Refresh succeeded.
	TokensRefreshed
	// RefreshRefused: Refresh returned an error.
	RefreshRefused
)

var eventNames = [...]string{
	LoginBegun: "login begun", LoginFinished: "login finished", LoginRefused: "login refused",
	TokensRefreshed: "tokens refreshed", RefreshRefused: "refresh refused",
}

// String returns a stable lower-case name for logs and metrics.
func (k EventKind) String() string {
	if k < 0 || int(k) >= len(eventNames) || eventNames[k] == "" {
		return "unknown"
	}
	return eventNames[k]
}

// Event is one entry of the audit trail (OWASP ASVS 5.0, 16.3.1: all authentications, successful and failed). It holds
// nothing about the person and no secret; Description is the only text that the network supplied. Every call of Begin,
// Finish and Refresh makes exactly one.
type Event struct {
	// Kind says what happened.
	Kind EventKind
	// Time is when, by the clock of the configuration.
	Time time.Time
	// Tenant is the name in the registry; empty without one.
	Tenant string
	// ClientID and Issuer are those of the client.
	ClientID, Issuer string
	// Login is the same for the events of one login, and for no other: a one-way function of the state. Empty if there
	// is no pending login.
	Login string
	// Asked are the scopes that the login asked for.
	Asked []string
	// Sign is true if the login carries a signature transaction.
	Sign bool
	// Took is the time from the beginning of the login; zero if unknown or for LoginBegun.
	Took time.Duration
	// Reason, Step, Detail and Code are those of the [Error], for LoginRefused and RefreshRefused.
	Reason Reason
	Step   string
	Detail string
	Code   string
	// Status is the HTTP status that the service answered, where that is why the login was refused.
	Status int
	// Description is that of the [Error]: the service's own words for the developer, quoted. [AuditLog] leaves it out
	// unless the logger takes records of level Debug.
	Description string
	// Family says what kind of reaction the refusal calls for; an alarm should be bound to Untrusted.
	Family kakunin.Family
}

// AuditLog adapts a logger to Config.Audit: one record for each event, refusals with level Warn, the others with Info.
// The message is the kind's name.
func AuditLog(l *slog.Logger) func(context.Context, Event) {
	return func(ctx context.Context, e Event) {
		level := slog.LevelInfo
		if e.Kind == LoginRefused || e.Kind == RefreshRefused {
			level = slog.LevelWarn
		}
		if l.Enabled(ctx, level) {
			list := e.attributes()
			if e.Description != "" && l.Enabled(ctx, slog.LevelDebug) {
				list = append(list, slog.String("description", e.Description))
			}
			l.LogAttrs(ctx, level, e.Kind.String(), list...)
		}
	}
}

func (e Event) attributes() []slog.Attr {
	list := make([]slog.Attr, 0, 12)
	text := func(name, value string) {
		if value != "" {
			list = append(list, slog.String(name, value))
		}
	}
	if e.Kind == LoginRefused || e.Kind == RefreshRefused {
		text("reason", e.Reason.String())
		text("step", e.Step)
		text("detail", e.Detail)
		text("oauth_error", e.Code)
		if e.Status != 0 {
			list = append(list, slog.Int("status", e.Status))
		}
		text("family", e.Family.String())
	}
	text("tenant", e.Tenant)
	text("client", e.ClientID)
	text("login", e.Login)
	if e.Sign {
		list = append(list, slog.Bool("sign", true))
	}
	if e.Took > 0 {
		list = append(list, slog.Duration("took", e.Took))
	}
	return list
}

// LogValue implements slog.LogValuer.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(append([]slog.Attr{slog.String("event", e.Kind.String())}, e.attributes()...)...)
}

// report calls the hook, if there is one. f may be nil; err makes a refusal of the kind.
func (c *Client) report(ctx context.Context, kind EventKind, f *pendingFields, err error) {
	if c.audit == nil {
		return
	}
	e := Event{Kind: kind, Time: c.now(), Tenant: c.tenant, ClientID: c.clientID, Issuer: c.env.Issuer}
	if f != nil {
		e.Login, e.Asked, e.Sign = loginName(f.State), slices.Clone(f.Scopes), f.TransactionID != ""
		if took := e.Time.Sub(time.UnixMilli(f.Created)); kind != LoginBegun && took > 0 {
			e.Took = took
		}
	}
	e.refused(err)
	c.audit(ctx, e)
}

// refused notes why.
func (e *Event) refused(err error) {
	if err == nil {
		return
	}
	e.Family = kakunin.FamilyOf(err)
	if own, ok := err.(*Error); ok { //nolint:errorlint // this package returns *Error unwrapped
		e.Reason, e.Step, e.Detail, e.Code = own.Reason, own.Step, own.Detail, knownCode(own.Code)
		e.Status, e.Description = own.Status, own.Description()
	}
}

// loginName cannot be turned back into the state, which is a secret until the login is finished.
func loginName(state string) string {
	sum := sha256.Sum256([]byte("login " + state))
	return hex.EncodeToString(sum[:8])
}
