package revocation

import (
	"context"
	"crypto"
	"math"
	"time"
)

// RecordedOCSP is a recorded OCSP response and what to judge it by: an auditor's file, kept evidence, an answer that
// came with a message. It is a [Source] for certificates of any hierarchy; the client for responders is [OCSP]. It is
// safe for concurrent use.
type RecordedOCSP struct {
	// Response is the DER of the OCSPResponse. Required.
	Response []byte
	// Skew is how far clocks may be off; default 2 min. Negative: 0.
	Skew time.Duration
	// MaxAge is the greatest age of the response at the time that is asked for. Default: none if the response has a
	// nextUpdate, otherwise 20 min.
	MaxAge time.Duration
	// ResponderRevocation is asked about a responder's certificate that lacks id-pkix-ocsp-nocheck; nil refuses such a
	// responder.
	ResponderRevocation Source
}

// Check implements [Source] by the same rules as for a fresh response (RFC 6960, 3.2), except the nonce, which only the
// asker knows, and at the time q.At, which the response must cover. Errors are [*Error] as those of [OCSP.Check];
// [ReasonConfiguration] for a nil ResponderRevocation of a concrete type.
func (r RecordedOCSP) Check(ctx context.Context, q Query) (Answer, error) {
	unknown := undecided(MethodOCSP)
	if r.ResponderRevocation != nil && isNil(r.ResponderRevocation) {
		return unknown, &Error{Reason: ReasonConfiguration, Step: "ocsp.record"}
	}
	if !q.valid() {
		return unknown, unknownStatus(stepQuery, "RFC 6960, 3.2", nil)
	}
	var asked []certID
	for _, hash := range [...]crypto.Hash{crypto.SHA1, crypto.SHA256} {
		if id, err := newCertID(hash, q.Certificate.known(), q.Issuer.known()); err == nil { // SHA-1 may be unavailable
			asked = append(asked, id)
		}
	}
	p := acceptance{now: q.At, skew: r.Skew, maxAge: r.MaxAge, responders: r.ResponderRevocation}
	if p.skew == 0 {
		p.skew = defaultOCSPSkew
	}
	p.skew = max(p.skew, 0)
	p.recorded = p.maxAge <= 0
	if p.recorded {
		p.maxAge = defaultOCSPMaxAge
	}
	return verifyResponse(ctx, r.Response, asked, q, p)
}

// ages returns the policy for one response: a recorded one that says itself how long it holds has no other limit.
func (p acceptance) ages(s *singleResponse) acceptance {
	if p.recorded && !s.nextUpdate.IsZero() {
		p.maxAge = math.MaxInt64 / 2
	}
	return p
}
