package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/fips140"
	"crypto/sha1" //nolint:gosec // KeyHash of OCSP is defined with it; an identifier, not a protection
	"crypto/subtle"
	"crypto/x509"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// acceptance is what a response is judged by.
type acceptance struct {
	now          time.Time
	skew, maxAge time.Duration
	nonce        []byte // nil: none was sent
	responders   Source
	recorded     bool // no maximum age for a response with nextUpdate
}

// acceptedResponse is a response that met every requirement, and what it says about the one certificate.
type acceptedResponse struct {
	single     *singleResponse
	producedAt time.Time
	der        []byte // our own copy
}

// verifyResponse is acceptResponse with the answer for q.At.
func verifyResponse(ctx context.Context, raw []byte, asked []certID, q Query, p acceptance) (Answer, error) {
	accepted, err := acceptResponse(ctx, raw, asked, q, p)
	if err != nil {
		return undecided(MethodOCSP), err
	}
	return accepted.answer(q.At, p)
}

// acceptResponse applies the acceptance requirements of RFC 6960, 3.2 in their order, and the times of 4.2.2.1. What is
// accepted is the only statement in the response about exactly the certificate that was asked about; asked holds its
// identifiers, one for each hash that may name the issuer.
func acceptResponse(ctx context.Context, raw []byte, asked []certID, q Query, p acceptance) (*acceptedResponse, error) {
	r, err := parseResponse(raw)
	if err != nil {
		return nil, err
	}
	// "1. The certificate identified in a received response corresponds to the certificate that was identified in the
	// corresponding request."
	single, err := r.only(asked, q)
	if err != nil {
		return nil, err
	}
	// "2. The signature on the response is valid. 3. The identity of the signer matches the intended recipient of the
	// request. 4. The signer is currently authorized to provide a response for the certificate in question."
	if err := r.verifySigner(ctx, q.Issuer.known(), p); err != nil {
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
	return &acceptedResponse{single: single, producedAt: r.producedAt, der: bytes.Clone(raw)}, nil
}

// answer is what the response says for the time at.
func (a *acceptedResponse) answer(at time.Time, p acceptance) (Answer, error) {
	answer := Answer{
		Method:     MethodOCSP,
		Reason:     crl.ReasonCodeAbsent,
		ThisUpdate: a.single.thisUpdate,
		NextUpdate: a.single.nextUpdate,
		Evidence:   a.der,
	}
	err := a.single.decide(&answer, at, p)
	return answer, err
}

// only returns the one response for the certificate, under whichever hash names it. Two would contradict each other or
// hide something. A fresh answer is one under the hash that was asked for.
func (r *response) only(asked []certID, q Query) (*singleResponse, error) {
	var found *singleResponse
	for i := range r.singles {
		one := &r.singles[i]
		if !slices.ContainsFunc(asked, one.id.equal) &&
			(len(r.singles) == 1 || !one.id.names(q.Certificate.known(), q.Issuer.known())) {
			continue
		}
		if found != nil {
			return nil, badResponse("single-response", "RFC 6960, 3.2")
		}
		found = one
	}
	if found == nil || !slices.ContainsFunc(asked, found.id.equal) {
		return nil, badResponse("cert-id", "RFC 6960, 3.2")
	}
	return found, nil
}

// names reports whether the identifier is one of the certificate, under any hash.
func (id *certID) names(c, issuer *form.Facts) bool {
	for _, hash := range [...]crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if other, err := newCertID(hash, c, issuer); err == nil && id.equal(other) {
			return true
		}
	}
	return false
}

// verifySigner finds who signed: the issuer itself, or a responder that the issuer authorised directly (RFC 6960,
// 4.2.2.2). Every certificate of a person comes from the same authority as a responder's would, so without these checks
// any cardholder could answer for anyone.
func (r *response) verifySigner(ctx context.Context, issuer *form.Facts, p acceptance) error {
	// A name with other bytes than the issuer's is nearly always a responder's: its certificate is tried first, and the
	// spellings of the issuer's name need no comparison.
	elsewhere := r.responderName != nil && !bytes.Equal(r.responderName, issuer.Subject)
	var refused error
	if elsewhere {
		if refused = r.verifyDelegate(ctx, issuer, p); refused == nil {
			return nil
		}
	}
	if r.isResponder(issuer.Subject, issuer.KeyBits, issuer.SubjectKeyID) {
		if form.VerifySignature(r.algorithm, issuer.Key, r.tbs, r.signature) == nil {
			return nil
		}
		if r.responderKey != nil {
			return badResponse("signature", "RFC 6960, 3.2")
		}
		// Another key under the same name: authorities share names across generations, so look at the certificates.
	}
	if elsewhere {
		return refused
	}
	return r.verifyDelegate(ctx, issuer, p)
}

// verifyDelegate finds a responder among the certificates of the response.
func (r *response) verifyDelegate(ctx context.Context, issuer *form.Facts, p acceptance) error {
	var refused error
	for _, raw := range r.certificates {
		f, err := form.Read(raw)
		if err != nil || !r.isResponder(f.Subject, f.KeyBits, f.SubjectKeyID) {
			continue
		}
		// Several certificates may have the responder's name or key: one that will do is enough.
		err = r.checkDelegate(ctx, f, issuer, p)
		if err == nil {
			return nil
		}
		if refused == nil {
			refused = err
		}
	}
	if refused != nil {
		return refused
	}
	return badResponse("responder-id", "RFC 6960, 4.2.2.3")
}

// isResponder compares ResponderID with a certificate: "byName … MUST be the Name of the OCSP responder", "KeyHash …
// SHA-1 hash of responder's public key". Where SHA-1 is not available the subject key identifier stands in, which is
// the same hash (RFC 5280, 4.2.1.2 (1)); the signature is verified with the certificate's key in any case.
func (r *response) isResponder(subject, keyBits, keyID []byte) bool {
	if r.responderName != nil {
		return sameName(r.responderName, subject)
	}
	if fips140.Enforced() {
		return bytes.Equal(r.responderKey, keyID)
	}
	sum := sha1.Sum(keyBits) //nolint:gosec // see above
	return bytes.Equal(r.responderKey, sum[:])
}

// sameName compares names as RFC 5280, 7.1 says: a responder may spell its name with another string type than its
// authority did.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	one, okOne := canonical(a)
	other, okOther := canonical(b)
	return okOne && okOther && one.Equal(other)
}

// checkDelegate checks a responder's certificate: "MUST be issued directly by the CA that is identified in the
// request", "MUST include a value of id-kp-OCSPSigning in an extended key usage certificate extension" (RFC 6960,
// 4.2.2.2). The general anyExtendedKeyUsage is no authorisation.
func (r *response) checkDelegate(ctx context.Context, f *form.Certificate, issuer *form.Facts, p acceptance) error {
	for _, check := range [...]struct {
		step, clause string
		ok           bool
	}{
		{"responder-eku", "RFC 6960, 4.2.2.2", f.HasExtKeyUsage(x509.ExtKeyUsageOCSPSigning)},
		{"responder-issuer", "RFC 6960, 4.2.2.2", sameName(f.Issuer, issuer.Subject) &&
			(len(f.AuthorityKeyID) == 0 || bytes.Equal(f.AuthorityKeyID, issuer.SubjectKeyID))},
		{"responder-key-usage", "RFC 5280, 4.2.1.3", f.Find(oidKeyUsage) == nil ||
			f.KeyUsage&x509.KeyUsageDigitalSignature != 0},
		{"responder-basic-constraints", "RFC 5280, 4.2.1.9", !f.CA},
		{"responder-critical-extensions", "RFC 5280, 4.2", !f.Unprocessed},
		{"responder-signature", "RFC 5280, 6.1.3 (a)(1)", f.SignedBy(issuer.Key)},
		{"responder-validity", "RFC 5280, 6.1.3 (a)(2)", within(p.now, f.NotBefore, f.NotAfter)},
	} {
		if !check.ok {
			return badResponse(check.step, check.clause)
		}
	}
	if err := r.checkDelegateRevocation(ctx, f, issuer, p); err != nil {
		return err
	}
	if form.VerifySignature(r.algorithm, f.Key, r.tbs, r.signature) != nil {
		return badResponse("signature", "RFC 6960, 3.2")
	}
	return nil
}

// checkDelegateRevocation decides whether the responder's own certificate could have been revoked. With
// id-pkix-ocsp-nocheck its authority says that it need not be checked (RFC 6960, 4.2.2.2.1); otherwise the configured
// source must say Good.
func (r *response) checkDelegateRevocation(
	ctx context.Context,
	f *form.Certificate,
	issuer *form.Facts,
	p acceptance,
) error {
	const step, clause = "ocsp.responder-revocation", "RFC 6960, 4.2.2.2.1"
	if f.Find(oidOCSPNoCheck) != nil {
		return nil
	}
	if p.responders == nil {
		return unknownStatus(step, clause, nil)
	}
	answer, err := p.responders.Check(ctx, Query{Certificate: Of(f.Facts()), Issuer: Of(issuer), At: p.now})
	switch {
	case err != nil:
		return unknownStatus(step, clause, err)
	case answer.Status == Revoked || answer.Status == Hold:
		return badResponse("responder-revocation", clause)
	case answer.Status != Good:
		return unknownStatus(step, clause, nil)
	}
	return nil
}

// checkTimes judges freshness (RFC 6960, 4.2.2.1): "Responses whose nextUpdate value is earlier than the local system
// time value SHOULD be considered unreliable. Responses where the thisUpdate time is later than the local system time
// SHOULD be considered unreliable."
func (r *response) checkTimes(s *singleResponse, p acceptance) error {
	p = p.ages(s)
	latest, earliest := p.now.Add(p.skew), p.now.Add(-p.skew-p.maxAge)
	for _, check := range [...]struct {
		step string
		ok   bool
	}{
		{"ocsp.this-update", !s.thisUpdate.After(latest) && !s.thisUpdate.Before(earliest)},
		{"ocsp.next-update", s.nextUpdate.IsZero() || p.now.Before(s.nextUpdate.Add(p.skew))},
		{"ocsp.produced-at", !r.producedAt.After(latest) && !r.producedAt.Before(earliest) &&
			!r.producedAt.Before(s.thisUpdate.Add(-p.skew))},
	} {
		if !check.ok {
			return &Error{Reason: ReasonResponseStale, Step: check.step, Clause: "RFC 6960, 4.2.2.1"}
		}
	}
	return nil
}

// decide turns the status, which holds for the time from thisUpdate on, into an answer for the time at. "good" says
// nothing about an earlier time, because a suspension may have been lifted in between; "revoked" says since when.
func (s *singleResponse) decide(answer *Answer, at time.Time, p acceptance) error {
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

// within reports whether a time is in a validity period, which consists of whole seconds and includes both ends (RFC
// 5280, 4.1.2.5).
func within(at, notBefore, notAfter time.Time) bool {
	return !at.Before(notBefore) && !at.Truncate(time.Second).After(notAfter)
}
