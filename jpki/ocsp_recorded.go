package jpki

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"math"
	"time"
)

// OCSPRecord is a recorded OCSP response and what to judge it by: an auditor's file, kept evidence, an answer that came
// with a message. It serves certificates of any hierarchy; the client for JPKI's responders is [OCSP].
type OCSPRecord struct {
	// Response is the DER of the OCSPResponse. Required.
	Response []byte
	// Certificate is the certificate in question, Issuer the authority that signed it: the caller has verified that.
	// Required.
	Certificate, Issuer *x509.Certificate
	// At is the time for which the status is wanted; the response must cover it. Required.
	At time.Time
	// Skew is how far clocks may be off; default 2 min. Negative: 0.
	Skew time.Duration
	// MaxAge is the greatest age of the response at the time At. Default: none if the response has a nextUpdate, otherwise
	// 20 min.
	MaxAge time.Duration
	// ResponderRevocation is asked about a responder's certificate that lacks id-pkix-ocsp-nocheck; nil refuses such a
	// responder.
	ResponderRevocation RevocationSource
}

// Verify judges the recorded response by the same rules as a fresh one (RFC 6960, 3.2), except the nonce, which only the
// asker knows. The status is Good, Revoked or Hold exactly if the error is nil. Errors are [*Error] as those of
// [OCSP.Check]; [ReasonConfiguration] when a required field is missing, [ReasonMalformed] for a certificate that cannot be
// read.
func (r OCSPRecord) Verify(ctx context.Context) (RevocationAnswer, error) {
	unknown := RevocationAnswer{Reason: reasonAbsent, Method: methodOCSP}
	if r.Certificate == nil || r.Issuer == nil || r.Issuer.PublicKey == nil || r.At.IsZero() || r.ResponderRevocation != nil && isNil(r.ResponderRevocation) {
		return unknown, &Error{Reason: ReasonConfiguration, Step: "ocsp.record"}
	}
	f, err := readCertificate(r.Certificate.Raw)
	if err != nil {
		return unknown, err
	}
	if !bytes.Equal(f.x509.RawIssuer, r.Issuer.RawSubject) {
		return unknown, unknownStatus(stepRevocationQuery, "RFC 6960, 3.2", nil)
	}
	var asked []certID
	for _, hash := range [...]crypto.Hash{crypto.SHA1, crypto.SHA256} {
		if id, err := newCertID(hash, f, r.Issuer); err == nil { // SHA-1 may be unavailable
			asked = append(asked, id)
		}
	}
	p := ocspPolicy{now: r.At, skew: r.Skew, maxAge: r.MaxAge, responders: r.ResponderRevocation}
	if p.skew == 0 {
		p.skew = defaultOCSPSkew
	}
	p.skew = max(p.skew, 0)
	p.recorded = p.maxAge <= 0
	if p.recorded {
		p.maxAge = defaultOCSPMaxAge
	}
	return verifyResponse(ctx, r.Response, asked, RevocationQuery{Issuer: r.Issuer, At: r.At}, p)
}

// ages returns the policy for one response: a recorded one that says itself how long it holds has no other limit.
func (p ocspPolicy) ages(s *singleResponse) ocspPolicy {
	if p.recorded && !s.nextUpdate.IsZero() {
		p.maxAge = math.MaxInt64 / 2
	}
	return p
}
