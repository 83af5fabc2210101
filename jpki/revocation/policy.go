package revocation

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/crl"
)

// Mode says what becomes of a certificate whose status is not known.
type Mode int

// Modes. The zero value is refused, so that nobody skips the check without saying so.
const (
	// Required: the status must be known to be good (RFC 5280, 6.1.3 (a)(3)).
	Required Mode = iota + 1
	// WhenPresent: a certificate that is known to be revoked is refused; without data about it validation goes on.
	WhenPresent
	// Skipped: the sources are not asked.
	Skipped
)

// Policy is the revocation policy of a verifier, from [Require], [IfPresent] or [InsecureNoRevocation]; its fields may
// be set after that. The zero value is refused.
type Policy struct {
	// RefuseRevokedLater refuses a certificate that was revoked after the time of verification, too. By default what
	// was signed before the revocation stays valid, unless a key was compromised (RFC 5280, 5.3.2): a signature with a
	// trusted time before it is as good as on its first day. Set it where that time is only claimed, or where the
	// person has to be the one that the certificate names today.
	RefuseRevokedLater bool
	// MaxAge is the greatest age, at the time that is asked for, of the data by which a certificate is Good: of
	// thisUpdate of lists and OCSP answers. A source that does not say how old its data is cannot be Good then. 0: as
	// old as the data itself allows.
	MaxAge time.Duration

	mode    Mode
	sources []Source
}

// Require asks the sources in order; the first that decides (Good, Revoked or Hold) wins; none deciding is Unknown: it
// fails closed.
func Require(sources ...Source) Policy { return Policy{mode: Required, sources: slices.Clone(sources)} }

// IfPresent asks the sources in order, and lets a certificate pass about which none has data. An attacker who can keep
// the data away can make revoked certificates pass: it is for auditors who look at archives, and package jpki refuses
// it.
func IfPresent(sources ...Source) Policy {
	return Policy{mode: WhenPresent, sources: slices.Clone(sources)}
}

// InsecureNoRevocation skips the check; results say so in a step "revocation.skipped" and by Method "none". For a
// relying party that has the status from a platform operator already.
func InsecureNoRevocation() Policy { return Policy{mode: Skipped} }

// Mode says how the policy was made; 0 for the zero value.
func (p Policy) Mode() Mode { return p.mode }

// Validate reports what a verifier refuses: the zero value, no source where one is required, a nil source. Errors are
// [*Error] with [ReasonConfiguration].
func (p Policy) Validate() error {
	bad := p.mode == 0 || p.mode == Required && len(p.sources) == 0
	for _, s := range p.sources {
		bad = bad || isNil(s)
	}
	if bad {
		return &Error{Reason: ReasonConfiguration, Step: "policy.sources"}
	}
	return nil
}

// isNil finds a nil pointer in an interface, too: it would fail at the first certificate instead of at the start.
func isNil(s any) bool {
	if s == nil {
		return true
	}
	v := reflect.ValueOf(s)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

var (
	ruleStatus = rule{"revocation.status", "RFC 5280, 6.1.3 (a)(3)", ReasonStatusUnknown}
	ruleAge    = rule{"revocation.age", "", ReasonStatusUnknown}
	ruleForged = rule{"revocation.status", "RFC 5280, 6.1.3 (a)(3)", ReasonForged}
)

// Ask asks the sources in order and applies the policy to the answer. Without an answer that decides the error is an
// [*Error] with [ReasonForged] if a source received what cannot be trusted, otherwise with [ReasonStatusUnknown]; its
// causes are what the sources said.
func (p Policy) Ask(ctx context.Context, q Query) (Answer, error) {
	var causes []error
	failed := ruleStatus
	for _, source := range p.sources {
		if err := ctx.Err(); err != nil {
			causes = append(causes, err)
			break
		}
		answer, err := source.Check(ctx, q)
		if err == nil && answer.Status.decided() {
			if !p.tooOld(answer, q.At) {
				return p.judge(answer), nil
			}
			err = ruleAge.because(nil)
		}
		if err != nil {
			causes = append(causes, err)
			if kakunin.FamilyOf(err) == kakunin.Untrusted {
				failed = ruleForged
			}
		}
	}
	return undecided(""), failed.because(errors.Join(causes...))
}

// tooOld reports whether the data is older than the policy wants. A revocation has no age.
func (p Policy) tooOld(a Answer, at time.Time) bool {
	return p.MaxAge > 0 && a.Status == Good && (a.ThisUpdate.IsZero() || at.Sub(a.ThisUpdate) > p.MaxAge)
}

// judge applies the policy to an answer that decides.
func (p Policy) judge(a Answer) Answer {
	if a.Status == Good && p.RefuseRevokedLater && !a.RevokedAt.IsZero() {
		a.Status = Revoked
		if a.Reason == crl.ReasonCodeHold {
			a.Status = Hold
		}
	}
	return a
}
