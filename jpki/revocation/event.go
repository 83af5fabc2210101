package revocation

import (
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// event is a revocation as a list or a response states it.
type event struct {
	reason      crl.ReasonCode
	date        time.Time
	invalidFrom time.Time // invalidityDate; zero when absent
}

func eventOf(e *crl.Entry) event {
	return event{reason: e.Reason, date: e.RevokedAt, invalidFrom: e.InvalidFrom}
}

// statusAt applies the policy for times before a revocation. The certificate counts as revoked from the earlier of the
// revocation date and the invalidity date (RFC 5280, 5.3.2: the date at which the key was, or is suspected to have
// been, compromised or the certificate became invalid). Before that it was good, unless a key was compromised: nobody
// knows since when, so it is revoked at all times. removeFromCRL only makes sense in a delta list (RFC 5280, 5.3.1), so
// it decides nothing.
func (e event) statusAt(at time.Time) Status {
	if e.reason == crl.ReasonCodeRemove {
		return Unknown
	}
	from := e.date
	if !e.invalidFrom.IsZero() && e.invalidFrom.Before(from) {
		from = e.invalidFrom
	}
	switch {
	case from.After(at) && !e.reason.Compromise():
		return Good
	case e.reason == crl.ReasonCodeHold:
		return Hold
	default:
		return Revoked
	}
}
