package jpki

import (
	"context"
	"crypto/x509"
	"errors"
	"reflect"
	"time"
)

// CRLReason values (RFC 5280, 5.3.1).
const (
	reasonKeyCompromise = 1
	reasonCACompromise  = 2
	reasonHold          = 6
	reasonUnused        = 7
	reasonRemoveFromCRL = 8
	reasonAACompromise  = 10
	reasonAbsent        = -1
)

const (
	methodCRL  = "CRL"
	methodOCSP = "OCSP"
	methodNone = "none"

	stepRevocationQuery = "revocation.query"
	clauseReasonCode    = "RFC 5280, 5.3.1"
)

// RevocationQuery asks about one certificate whose issuer is already verified.
type RevocationQuery struct {
	// Leaf is the certificate, from ParseCertificate.
	Leaf *Certificate
	// Issuer is the authority that signed it.
	Issuer *x509.Certificate
	// At is the time for which the status is asked.
	At time.Time
}

// valid reports whether the query can be answered at all: the leaf was parsed and names this issuer and its key. It
// guards sources that are asked without a Verifier.
func (q RevocationQuery) valid() bool {
	return q.Leaf != nil && q.Leaf.form != nil && q.Issuer != nil && q.Issuer.PublicKey != nil && !q.At.IsZero() &&
		len(q.Issuer.SubjectKeyId) > 0 &&
		string(q.Leaf.form.x509.RawIssuer) == string(q.Issuer.RawSubject) &&
		string(q.Leaf.form.authorityKeyID) == string(q.Issuer.SubjectKeyId)
}

// RevocationAnswer is a source's answer; Status Unknown when it cannot decide. Its text and JSON forms leave the evidence
// out.
type RevocationAnswer struct {
	// Status is Good, Revoked, Hold or Unknown.
	Status Status
	// Method is "CRL", "OCSP", "none" when the check was switched off, or what a source of the application calls itself.
	Method string
	// Reason is the CRLReason (RFC 5280, 5.3.1), -1 when absent. It is also set with Status Good when the certificate was
	// revoked after the time that was asked for.
	Reason int
	// RevokedAt is the revocation date; the zero time when not revoked.
	RevokedAt time.Time
	// ThisUpdate and NextUpdate bound the time that the evidence covers.
	ThisUpdate, NextUpdate time.Time
	// Evidence is the DER of the OCSP response, or what is kept of the CRLs: a JSON array of [CRLEvidence]. It is shared, not
	// copied: do not change it.
	Evidence []byte
}

// RevocationSource is a CRL store, an OCSP client or a platform operator.
//
// Check answers Good only if the certificate was not revoked at q.At, and Unknown whenever it cannot tell. An error means
// Unknown too, whatever the answer says; it should be classified like the errors of this package, because an Untrusted
// one raises an alarm when no other source decides. Check must be safe for concurrent use and must respect ctx.
type RevocationSource interface {
	Check(ctx context.Context, q RevocationQuery) (RevocationAnswer, error)
}

// Revocation is the revocation policy. The zero value is refused by NewVerifier, so that nobody skips the check without
// saying so.
type Revocation struct {
	sources     []RevocationSource
	skip        bool
	refuseLater bool
}

// Require asks the sources in order; the first that decides (Good, Revoked or Hold) wins; none deciding is Unknown: it
// fails closed.
func Require(sources ...RevocationSource) Revocation {
	return Revocation{sources: append([]RevocationSource(nil), sources...)}
}

// InsecureNoRevocation skips the check; results say so in a step "revocation.skipped" and by Method "none". For a relying
// party that has the status from a platform operator already.
func InsecureNoRevocation() Revocation { return Revocation{skip: true} }

// validate reports what NewVerifier refuses.
func (r Revocation) validate() error {
	bad := !r.skip && len(r.sources) == 0
	for _, s := range r.sources {
		bad = bad || isNil(s)
	}
	if bad {
		return &Error{Reason: ReasonConfiguration, Step: "verifier.revocation"}
	}
	return nil
}

// isNil finds a nil pointer in an interface, too: it would fail at the first certificate instead of at the start.
func isNil(s RevocationSource) bool {
	if s == nil {
		return true
	}
	v := reflect.ValueOf(s)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// ask asks the sources in order.
func (r Revocation) ask(ctx context.Context, q RevocationQuery) (RevocationAnswer, error) {
	var causes []error
	forged := false
	for _, source := range r.sources {
		if err := ctx.Err(); err != nil {
			causes = append(causes, err)
			break
		}
		answer, err := source.Check(ctx, q)
		if err == nil && (answer.Status == Good || answer.Status == Revoked || answer.Status == Hold) {
			return r.judge(answer), nil
		}
		if err != nil {
			causes = append(causes, err)
			forged = forged || isUntrusted(err)
		}
	}
	failure := &Error{
		Reason: ReasonRevocationUnknown, Step: ruleRevocation.name, Clause: ruleRevocation.clause, Err: errors.Join(causes...),
	}
	if forged {
		failure.Reason = ReasonRevocationForged
	}
	return RevocationAnswer{Reason: reasonAbsent}, failure
}

// event is a revocation as a list or a response states it.
type event struct {
	reason      int
	date        time.Time
	invalidFrom time.Time // invalidityDate; zero when absent
}

// statusAt applies the policy for times before a revocation. The certificate counts as revoked from the earlier of the
// revocation date and the invalidity date (RFC 5280, 5.3.2: the date at which the key was, or is suspected to have been,
// compromised or the certificate became invalid). Before that it was good, unless a key was compromised: nobody knows since
// when, so it is revoked at all times. removeFromCRL only makes sense in a delta list (RFC 5280, 5.3.1), so it decides
// nothing.
func (e event) statusAt(at time.Time) Status {
	if e.reason == reasonRemoveFromCRL {
		return Unknown
	}
	from := e.date
	if !e.invalidFrom.IsZero() && e.invalidFrom.Before(from) {
		from = e.invalidFrom
	}
	compromised := e.reason == reasonKeyCompromise || e.reason == reasonCACompromise || e.reason == reasonAACompromise
	switch {
	case from.After(at) && !compromised:
		return Good
	case e.reason == reasonHold:
		return Hold
	default:
		return Revoked
	}
}

// knownReason reports whether the code is one of RFC 5280, 5.3.1; 7 is not used.
func knownReason(code int) bool {
	return code >= 0 && code <= reasonAACompromise && code != reasonUnused
}
