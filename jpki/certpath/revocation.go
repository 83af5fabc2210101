package certpath

import (
	"context"
	"errors"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Status is what a revocation source says; the zero value is Unknown.
type Status int

// Statuses.
const (
	// Unknown: it cannot be decided.
	Unknown Status = iota
	// Good: not revoked at the time.
	Good
	// Revoked: revoked at the time, for good.
	Revoked
	// Hold: suspended at the time.
	Hold
)

// String returns "unknown", "good", "revoked" or "hold".
func (s Status) String() string {
	switch s {
	case Good:
		return "good"
	case Revoked:
		return "revoked"
	case Hold:
		return "hold"
	default:
		return "unknown"
	}
}

// RevocationQuery asks about one certificate of a path whose part above is already validated.
type RevocationQuery struct {
	// Certificate is asked about.
	Certificate *Certificate
	// Issuer is the certificate above it in the path.
	Issuer *Certificate
	// IssuerKey is its key, with parameters that it inherits.
	IssuerKey PublicKey
	// At is the time for which the status is asked.
	At time.Time

	// run gives the sources of this package the search for paths of those who sign lists; anchor is the trust anchor of the
	// path, which RFC 5280, 6.3.3 (f) demands for them, too.
	run    *run
	anchor *Certificate
}

// RevocationAnswer is a source's answer.
type RevocationAnswer struct {
	// Status is Good, Revoked, Hold, or Unknown when the source cannot decide.
	Status Status
	// Method is "CRL", or what another source calls itself; "" when no source decided.
	Method string
	// Reason is the CRLReason (RFC 5280, 5.3.1), -1 when absent. It is also set with Status Good when the certificate was
	// revoked after the time that was asked for.
	Reason int
	// RevokedAt is the revocation date; the zero time when there is none.
	RevokedAt time.Time
	// ThisUpdate and NextUpdate bound the time that the data covers.
	ThisUpdate, NextUpdate time.Time
	// Steps are the checks of the data that decided, for people who want to follow them.
	Steps []Step
}

// RevocationSource is a set of revocation lists, an OCSP responder or a platform operator.
//
// Check answers Good only if the certificate was not revoked at q.At, and Unknown whenever it cannot tell; an error means
// Unknown, too. It must be safe for concurrent use and must respect ctx.
type RevocationSource interface {
	Check(ctx context.Context, q RevocationQuery) (RevocationAnswer, error)
}

const reasonAbsent = -1

// checkRevocation is RFC 5280, 6.1.3 (a)(3) for every certificate of the path.
func (r *run) checkRevocation(p *processing, result *Result) error {
	mode := r.validator.config.Revocation
	if mode == InsecureNoRevocation {
		return p.require(ruleRevocationSkipped, -1, true)
	}
	p.key = PublicKey{}
	for i := 1; i < len(p.path); i++ {
		p.inheritKey(p.path[i-1].key)
		q := RevocationQuery{Certificate: p.path[i], Issuer: p.path[i-1], IssuerKey: p.key, At: r.at, run: r, anchor: p.path[0]}
		answer, cause := r.ask(q)
		result.Revocation = append(result.Revocation, answer)
		switch {
		case answer.Status == Revoked:
			return p.require(ruleRevocation, i, false)
		case answer.Status == Hold:
			held := ruleRevocation
			held.reason = ReasonHold
			return p.require(held, i, false)
		case r.signatures > limits.PathSignatures || r.ctx.Err() != nil || answer.Status != Good && r.hidden:
			// Data that was there may have been left unread. Whoever fills the pool must not gain by it, not even when data may be
			// absent.
			return p.require(ruleSearch, i, false)
		case answer.Status == Good:
			_ = p.require(ruleRevocation, i, true)
		case mode == RevocationIfPresent:
			_ = p.require(ruleRevocationAbsent, i, true)
		default:
			unknown := ruleRevocation
			unknown.reason = ReasonRevocationUnknown
			err := p.require(unknown, i, false)
			var e *Error
			if errors.As(err, &e) {
				e.Err = cause
			}
			return err
		}
	}
	return nil
}

// ask asks the sources in order.
func (r *run) ask(q RevocationQuery) (RevocationAnswer, error) {
	var causes []error
	for _, source := range r.validator.config.Sources {
		if err := r.ctx.Err(); err != nil {
			causes = append(causes, err)
			break
		}
		answer, err := source.Check(r.ctx, q)
		if err == nil && (answer.Status == Good || answer.Status == Revoked || answer.Status == Hold) {
			return answer, nil
		}
		if err != nil {
			causes = append(causes, err)
		}
	}
	return RevocationAnswer{Reason: reasonAbsent}, errors.Join(causes...)
}
