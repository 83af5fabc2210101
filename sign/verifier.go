package sign

import (
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// VerifierConfig is the standing policy of a [Verifier].
type VerifierConfig struct {
	// Hierarchy must be that of a test JPKI for test cards; the zero value is production.
	Hierarchy jpki.Hierarchy
	// Trust are the anchors; required.
	Trust jpki.Trust
	// Revocation says where certificate status comes from; the zero value is refused.
	Revocation revocation.Policy
	// Kinds are the accepted kinds of certificate; default jpki.SigningCard. Only signing kinds are allowed: a
	// signature by an authentication certificate is no electronic signature of the person.
	Kinds []jpki.Kind
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Verifier checks opened results. It is immutable and safe for concurrent use.
type Verifier struct {
	jpki  *jpki.Verifier
	kinds []jpki.Kind
	now   func() time.Time
}

// NewVerifier validates and copies the policy. Errors are [*Error] with [ReasonConfiguration].
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	kinds := slices.Clone(c.Kinds)
	if len(kinds) == 0 {
		kinds = []jpki.Kind{jpki.SigningCard}
	}
	for _, k := range kinds {
		if k != jpki.SigningCard && k != jpki.SigningPhone {
			return nil, &Error{Reason: ReasonConfiguration, Step: "verifier: kinds"}
		}
	}
	now := c.Now
	if now == nil {
		now = time.Now
	}
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: c.Hierarchy, Trust: c.Trust, Revocation: c.Revocation, Now: now,
	})
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "verifier: policy", Err: err}
	}
	return &Verifier{jpki: v, kinds: kinds, now: now}, nil
}

// Expect is what is expected this time.
type Expect struct {
	// Document is what the person was shown; required. It is read to its end and hashed here.
	Document io.Reader
	// Mode is what the card was asked to pad; required.
	Mode Mode
	// Transaction, when given, must have the same mode and the document's digest.
	Transaction *Transaction
	// Person, when given, is compared with the certificate's: every attribute present here must be present there and
	// agree as far as Accept asks. Where the certificate flags a substitute character the comparison is never exact.
	Person *fourinfo.Person
	// Accept says how far the persons must agree; the zero value is [ExactPerson].
	Accept PersonPolicy
	// At is the time at which chain and revocation must hold; default: now.
	At time.Time
}

// Verify checks an opened result in this order, cheap and structural checks before expensive ones:
//
//  1. the expected mode is explicit and the transaction's;
//  2. the certificate parses and is a signing certificate of an accepted kind;
//  3. its key is RSA-2048 with exponent 65537; the signature has the modulus's size and is smaller than it;
//  4. the SHA-256 of the document, computed here, is the transaction's;
//  5. the signature verifies over exactly that digest in exactly that mode;
//  6. chain, profile, validity and revocation, by package jpki;
//  7. the person, when one is expected.
//
// The report is nil unless every step held. Errors are [*Error]; Step names the first check that failed.
func (v *Verifier) Verify(ctx context.Context, o *Opened, e Expect) (*Report, error) {
	if o == nil || e.Document == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "verify"}
	}
	run := &verification{at: e.At}
	if run.at.IsZero() {
		run.at = v.now()
	}
	if err := run.checkMode(e); err != nil {
		return nil, err
	}
	if err := run.checkStructure(o, v.kinds); err != nil {
		return nil, err
	}
	if err := run.checkDocument(ctx, e); err != nil {
		return nil, err
	}
	if err := run.checkSignature(o.Signature, e.Mode); err != nil {
		return nil, err
	}
	if err := run.checkCertificate(ctx, v.jpki, v.kinds); err != nil {
		return nil, err
	}
	if err := run.checkPerson(e.Person, e.Accept); err != nil {
		return nil, err
	}
	return run.report(o, e, v.now()), nil
}

// verification is the state of one Verify call.
type verification struct {
	at     time.Time
	leaf   *jpki.Certificate
	digest [sha256.Size]byte
	chain  *jpki.Result
	person []fourinfo.FieldMatch
	steps  []jpki.Step
}

// held records a check that held.
func (r *verification) held(c check) {
	r.steps = append(r.steps, jpki.Step{Name: c.name, Clause: c.clause, OK: true})
}

// check is one step with the clause it enforces.
type check struct {
	name, clause string
	reason       Reason
}

func (c check) failed(err error) error { return &Error{Reason: c.reason, Step: c.name, Err: err} }

// The checks of this package, in order. Those of package jpki follow with their own names.
var (
	stepMode       = check{"mode.explicit", "RFC 8017, 8.2.2: the encoding is an input of verification, never an output", ReasonMode}
	stepForm       = check{"certificate.form", "RFC 5280, 4.1: one DER certificate", ReasonCertificateForm}
	stepKind       = check{"certificate.kind", "RFC 5280, 4.2.1.3 and 4.2.1.4: key usage and policy of a signing certificate", ReasonCertificateForm}
	stepKey        = check{"key.rsa2048", "RFC 8017, 3.1: public key (n, e), n of 2048 bits, e = 65537", ReasonKey}
	stepLength     = check{"signature.length", "RFC 8017, 8.2.2, step 1: the signature has k octets", ReasonSignature}
	stepRange      = check{"signature.range", "RFC 8017, 5.2.2, step 1: the representative is smaller than n", ReasonSignature}
	stepDocument   = check{"document.hash", "FIPS 180-4, 6.2: SHA-256 of the document, computed by the verifier", ReasonDocument}
	stepBareHash   = check{"signature.value", "RFC 8017, 9.2 with T = the 32-byte hash: EM compared in full", ReasonSignature}
	stepDigestInfo = check{"signature.value", "RFC 8017, 8.2.2: RSASSA-PKCS1-v1_5 with SHA-256", ReasonSignature}
	stepChain      = check{"certificate.status", "RFC 5280, 6.1 and 6.3: path, validity and revocation", ReasonCertificate}
	stepPerson     = check{"person", "attributes of the certificate compared with those expected, by the outcomes that the caller accepts", ReasonPersonMismatch}
)

func (r *verification) checkMode(e Expect) error {
	if !e.Mode.Valid() {
		return &Error{Reason: ReasonRequest, Step: stepMode.name}
	}
	if e.Transaction != nil && e.Transaction.Mode != e.Mode {
		return stepMode.failed(nil)
	}
	r.held(stepMode)
	return nil
}

func (r *verification) checkStructure(o *Opened, kinds []jpki.Kind) error {
	leaf, err := jpki.ParseCertificate(o.Certificate)
	if err != nil {
		return stepForm.failed(err)
	}
	r.leaf = leaf // package jpki records the form as its first step
	if !slices.Contains(kinds, leaf.Kind()) {
		return stepKind.failed(nil)
	}
	r.held(stepKind)
	key, ok := cardKey(leaf.PublicKey())
	if !ok {
		return stepKey.failed(nil)
	}
	r.held(stepKey)
	if len(o.Signature) != key.Size() {
		return stepLength.failed(nil)
	}
	r.held(stepLength)
	if !representativeInRange(key, o.Signature) {
		return stepRange.failed(nil)
	}
	r.held(stepRange)
	return nil
}

func (r *verification) checkDocument(ctx context.Context, e Expect) error {
	digest, err := hashDocument(ctx, e.Document, stepDocument.name)
	if err != nil {
		return err
	}
	if e.Transaction != nil && e.Transaction.Digest != digest {
		return stepDocument.failed(nil)
	}
	r.digest = digest
	r.held(stepDocument)
	return nil
}

func (r *verification) checkSignature(signature []byte, mode Mode) error {
	step := stepBareHash
	if mode == ModeDigestInfo {
		step = stepDigestInfo
	}
	key, ok := cardKey(r.leaf.PublicKey())
	if !ok || !verifySignature(key, mode, r.digest, signature) {
		return step.failed(nil)
	}
	r.held(step)
	return nil
}

func (r *verification) checkCertificate(ctx context.Context, v *jpki.Verifier, kinds []jpki.Kind) error {
	res, err := v.Verify(ctx, r.leaf, jpki.At(r.at), jpki.For(kinds...))
	if err != nil {
		return stepChain.failed(err)
	}
	// The error and the status say the same; both are asked, so that neither alone can turn a bad one into a good one.
	if res == nil || res.Status != jpki.Good {
		return stepChain.failed(nil)
	}
	r.chain = res
	r.steps = append(r.steps, res.Steps...)
	return nil
}
