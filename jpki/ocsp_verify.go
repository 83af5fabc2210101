package jpki

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/sha1" //nolint:gosec // KeyHash of OCSP is defined with it; an identifier, not a protection
	"crypto/subtle"
	"crypto/x509"
	"slices"
	"time"
)

// ocspPolicy is what a response is judged by.
type ocspPolicy struct {
	now          time.Time
	skew, maxAge time.Duration
	nonce        []byte // nil: none was sent
	responders   RevocationSource
	recorded     bool // no maximum age for a response with nextUpdate
}

// acceptedResponse is a response that met every requirement, and what it says about the one certificate.
type acceptedResponse struct {
	single     *singleResponse
	producedAt time.Time
	der        []byte // our own copy
}

// verifyResponse is acceptResponse with the answer for q.At.
func verifyResponse(ctx context.Context, der []byte, asked []certID, q RevocationQuery, p ocspPolicy) (RevocationAnswer, error) {
	accepted, err := acceptResponse(ctx, der, asked, q.Issuer, p)
	if err != nil {
		return RevocationAnswer{Reason: reasonAbsent, Method: methodOCSP}, err
	}
	return accepted.answer(q.At, p)
}

// acceptResponse applies the acceptance requirements of RFC 6960, 3.2 in their order, and the times of 4.2.2.1. What is
// accepted is the only statement in the response about exactly the certificate that was asked about; asked holds its
// identifiers, one for each hash that may name the issuer.
func acceptResponse(ctx context.Context, der []byte, asked []certID, issuer *x509.Certificate, p ocspPolicy) (*acceptedResponse, error) {
	r, err := parseResponse(der)
	if err != nil {
		return nil, err
	}
	// "1. The certificate identified in a received response corresponds to the certificate that was identified in the
	// corresponding request."
	single, err := r.only(asked)
	if err != nil {
		return nil, err
	}
	// "2. The signature on the response is valid. 3. The identity of the signer matches the intended recipient of the
	// request. 4. The signer is currently authorized to provide a response for the certificate in question."
	if err := r.verifySigner(ctx, issuer, p); err != nil {
		return nil, err
	}
	if r.unknownCritical || single.unknownCritical {
		return nil, badResponse("critical-extensions", "RFC 6960, 4.4")
	}
	if p.nonce != nil && subtle.ConstantTimeCompare(p.nonce, r.nonce) != 1 {
		return nil, badResponse("nonce", "RFC 9654, 2.1")
	}
	// "5. … thisUpdate is sufficiently recent. 6. … nextUpdate is greater than the current time."
	if err := r.checkTimes(single, p); err != nil {
		return nil, err
	}
	return &acceptedResponse{single: single, producedAt: r.producedAt, der: bytes.Clone(der)}, nil
}

// answer is what the response says for the time at.
func (a *acceptedResponse) answer(at time.Time, p ocspPolicy) (RevocationAnswer, error) {
	answer := RevocationAnswer{
		Method: methodOCSP, Reason: reasonAbsent, ThisUpdate: a.single.thisUpdate, NextUpdate: a.single.nextUpdate,
		Evidence: a.der,
	}
	err := a.single.decide(&answer, at, p)
	return answer, err
}

// only returns the one response for the certificate. Two would contradict each other or hide something.
func (r *ocspResponse) only(asked []certID) (*singleResponse, error) {
	var found *singleResponse
	for i := range r.singles {
		if !slices.ContainsFunc(asked, func(id certID) bool { return r.singles[i].id.equal(&id) }) {
			continue
		}
		if found != nil {
			return nil, badResponse("single-response", "RFC 6960, 3.2")
		}
		found = &r.singles[i]
	}
	if found == nil {
		return nil, badResponse("cert-id", "RFC 6960, 3.2")
	}
	return found, nil
}

// verifySigner finds who signed: the issuer itself, or a responder that the issuer authorised directly (RFC 6960,
// 4.2.2.2). Every certificate of a person comes from the same authority as a responder's would, so without these checks
// any cardholder could answer for anyone.
func (r *ocspResponse) verifySigner(ctx context.Context, issuer *x509.Certificate, p ocspPolicy) error {
	if r.isResponder(issuer) {
		if r.algorithm.verify(issuer.PublicKey, r.tbs, r.signature) == nil {
			return nil
		}
		if r.responderKey != nil {
			return badResponse("signature", "RFC 6960, 3.2")
		}
		// Another key under the same name: authorities share names across generations, so look at the certificates.
	}
	for _, der := range r.certificates {
		f, err := readCertificate(der)
		if err != nil || !r.isResponder(f.x509) {
			continue
		}
		if err := r.checkDelegate(ctx, f, issuer, p); err != nil {
			return err
		}
		if r.algorithm.verify(f.x509.PublicKey, r.tbs, r.signature) != nil {
			return badResponse("signature", "RFC 6960, 3.2")
		}
		return nil
	}
	return badResponse("responder-id", "RFC 6960, 4.2.2.3")
}

// isResponder compares ResponderID with a certificate: "byName … MUST be the Name of the OCSP responder", "KeyHash … SHA-1
// hash of responder's public key". Where SHA-1 is not available the subject key identifier stands in, which is the same hash
// (RFC 5280, 4.2.1.2 (1)); the signature is verified with the certificate's key in any case.
func (r *ocspResponse) isResponder(c *x509.Certificate) bool {
	if r.responderName != nil {
		return bytes.Equal(r.responderName, c.RawSubject)
	}
	if fips140.Enforced() {
		return bytes.Equal(r.responderKey, c.SubjectKeyId)
	}
	key, ok := subjectKeyBits(c)
	sum := sha1.Sum(key) //nolint:gosec // see above
	return ok && bytes.Equal(r.responderKey, sum[:])
}

// checkDelegate checks a responder's certificate: "MUST be issued directly by the CA that is identified in the request",
// "MUST include a value of id-kp-OCSPSigning in an extended key usage certificate extension" (RFC 6960, 4.2.2.2). The
// general anyExtendedKeyUsage is no authorisation.
func (r *ocspResponse) checkDelegate(ctx context.Context, f *form, issuer *x509.Certificate, p ocspPolicy) error {
	c := f.x509
	for _, check := range [...]struct {
		step, clause string
		ok           bool
	}{
		{"responder-eku", "RFC 6960, 4.2.2.2", f.hasExtKeyUsage(x509.ExtKeyUsageOCSPSigning)},
		{"responder-issuer", "RFC 6960, 4.2.2.2", bytes.Equal(c.RawIssuer, issuer.RawSubject) &&
			len(f.authorityKeyID) > 0 && bytes.Equal(f.authorityKeyID, issuer.SubjectKeyId)},
		{"responder-key-usage", "RFC 5280, 4.2.1.3", find(f.extensions, oidKeyUsage) == nil || c.KeyUsage&x509.KeyUsageDigitalSignature != 0},
		{"responder-basic-constraints", "RFC 5280, 4.2.1.9", !c.IsCA},
		{"responder-critical-extensions", "RFC 5280, 4.2", !f.unprocessed},
		{"responder-signature", "RFC 5280, 6.1.3 (a)(1)", f.algorithm.verify(issuer.PublicKey, c.RawTBSCertificate, c.Signature) == nil},
		{"responder-validity", "RFC 5280, 6.1.3 (a)(2)", !p.now.Before(c.NotBefore) && !p.now.After(c.NotAfter)},
	} {
		if !check.ok {
			return badResponse(check.step, check.clause)
		}
	}
	return r.checkDelegateRevocation(ctx, f, issuer, p)
}

// checkDelegateRevocation decides whether the responder's own certificate could have been revoked. With id-pkix-ocsp-nocheck
// its authority says that it need not be checked (RFC 6960, 4.2.2.2.1); otherwise the configured source must say Good.
func (r *ocspResponse) checkDelegateRevocation(ctx context.Context, f *form, issuer *x509.Certificate, p ocspPolicy) error {
	const step, clause = "ocsp.responder-revocation", "RFC 6960, 4.2.2.2.1"
	if find(f.extensions, oidOCSPNoCheck) != nil {
		return nil
	}
	if p.responders == nil {
		return &Error{Reason: ReasonRevocationUnknown, Step: step, Clause: clause}
	}
	leaf := &Certificate{Raw: f.x509.Raw, X509: f.x509, form: f, DistributionPoints: f.points.all, Policies: f.policies}
	answer, err := p.responders.Check(ctx, RevocationQuery{Leaf: leaf, Issuer: issuer, At: p.now})
	switch {
	case err != nil:
		return &Error{Reason: ReasonRevocationUnknown, Step: step, Clause: clause, Err: err}
	case answer.Status == Revoked || answer.Status == Hold:
		return badResponse("responder-revocation", clause)
	case answer.Status != Good:
		return &Error{Reason: ReasonRevocationUnknown, Step: step, Clause: clause}
	}
	return nil
}

// checkTimes judges freshness (RFC 6960, 4.2.2.1): "Responses whose nextUpdate value is earlier than the local system time
// value SHOULD be considered unreliable. Responses where the thisUpdate time is later than the local system time SHOULD be
// considered unreliable."
func (r *ocspResponse) checkTimes(s *singleResponse, p ocspPolicy) error {
	p = p.ages(s)
	latest, earliest := p.now.Add(p.skew), p.now.Add(-p.skew-p.maxAge)
	for _, check := range [...]struct {
		step string
		ok   bool
	}{
		{"ocsp.this-update", !s.thisUpdate.After(latest) && !s.thisUpdate.Before(earliest)},
		{"ocsp.next-update", s.nextUpdate.IsZero() || p.now.Before(s.nextUpdate.Add(p.skew))},
		{"ocsp.produced-at", !r.producedAt.After(latest) && !r.producedAt.Before(earliest) && !r.producedAt.Before(s.thisUpdate.Add(-p.skew))},
	} {
		if !check.ok {
			return &Error{Reason: ReasonResponseStale, Step: check.step, Clause: "RFC 6960, 4.2.2.1"}
		}
	}
	return nil
}

// decide turns the status, which holds for the time from thisUpdate on, into an answer for the time at. "good" says nothing
// about an earlier time, because a suspension may have been lifted in between; "revoked" says since when.
func (s *singleResponse) decide(answer *RevocationAnswer, at time.Time, p ocspPolicy) error {
	until := s.nextUpdate
	if until.IsZero() {
		until = s.thisUpdate.Add(p.maxAge)
	}
	covers := !at.Before(s.thisUpdate.Add(-p.skew)) && at.Before(until.Add(p.skew))
	status := s.status
	if s.status == Revoked {
		answer.Reason, answer.RevokedAt = s.event.reason, s.event.date
		status = s.event.statusAt(at)
		// The responder's clock may be ahead: what it revoked a moment ago must not look like a revocation to come.
		covers = covers && s.event.statusAt(at.Add(p.skew)) == Good
	}
	switch {
	case status == Revoked || status == Hold || status == Good && covers:
		answer.Status = status
		return nil
	case s.status == Unknown: // the responder does not know the certificate
		return unknownStatus("ocsp.cert-status", "RFC 6960, 2.2", nil)
	default:
		return unknownStatus("ocsp.covering", "RFC 6960, 4.2.2.1", nil)
	}
}
