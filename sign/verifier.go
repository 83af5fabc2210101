package sign

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"io"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/signeddata"
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
	// AssumedPhonePolicies lets certificates on phones count as jpki.SigningPhone by policies that nobody has
	// confirmed: those of the simulator. It has no effect in production.
	AssumedPhonePolicies bool
	// PhonePolicies are the policies of signing certificates on phones that the caller knows: production has no others.
	PhonePolicies []asn1.ObjectIdentifier
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Verifier checks opened results. It is immutable and safe for concurrent use.
type Verifier struct {
	jpki   *jpki.Verifier
	kinds  []jpki.Kind
	phones []asn1.ObjectIdentifier
	now    func() time.Time
}

// NewVerifier validates and copies the policy. Its error is an [*Error] with [ReasonConfiguration] whose Detail lists
// every mistake by the name of its field.
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	v := &Verifier{kinds: slices.Clone(c.Kinds), phones: slices.Clone(c.PhonePolicies), now: c.Now}
	if len(v.kinds) == 0 {
		v.kinds = []jpki.Kind{jpki.SigningCard}
	}
	if v.now == nil {
		v.now = time.Now
	}
	var list fault.Mistakes
	list.Add(
		slices.ContainsFunc(v.kinds, func(k jpki.Kind) bool { return k != jpki.SigningCard && k != jpki.SigningPhone }),
		"Kinds may hold jpki.SigningCard and jpki.SigningPhone",
	)
	phones := slices.Contains(v.kinds, jpki.SigningPhone)
	list.Add(!phones && (c.AssumedPhonePolicies || len(c.PhonePolicies) > 0),
		"Kinds lacks jpki.SigningPhone, which AssumedPhonePolicies and PhonePolicies are for")
	list.Add(phones && len(c.PhonePolicies) == 0 && (c.Hierarchy == jpki.Production || !c.AssumedPhonePolicies),
		"PhonePolicies is missing: Kinds has jpki.SigningPhone, whose policies are not published")
	known := make([]jpki.PhonePolicy, 0, len(v.phones))
	for _, policy := range v.phones {
		known = append(known, jpki.PhonePolicy{Kind: jpki.SigningPhone, Policy: policy})
	}
	var err error
	v.jpki, err = jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: c.Hierarchy, Trust: c.Trust, Revocation: c.Revocation, Now: v.now,
		AssumedPhonePolicies: c.AssumedPhonePolicies, PhonePolicies: known,
	})
	if err != nil {
		list.Add(true, err.Error()) // fixed words of package jpki
	}
	if err := misconfigured("verifier", list, err); err != nil {
		return nil, err
	}
	return v, nil
}

// Expect is what is expected this time.
type Expect struct {
	// Document is what the person was shown; required unless Undisclosed. It is read to its end and hashed here.
	Document io.Reader
	// Undisclosed is for platform operators: the document stays with the relying party, and the transaction's digest
	// stands for it. What the report then proves is a signature over that digest; which document it is, the relying
	// party proves.
	Undisclosed bool
	// Mode is what the card was asked to pad. The zero value means the transaction's; without a transaction it is
	// required.
	Mode Mode
	// Transaction, when given, must have the same mode and the document's digest, and must not be of another time.
	Transaction *Transaction
	// Archived accepts a transaction that is long over: a signature that is verified again years later. The zero value
	// refuses one that ended more than a day ago, because whoever verifies then has been handed an old one.
	Archived bool
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
//  1. the expected mode is explicit and the transaction's, and the transaction is of the present (see
//     [Expect.Archived]);
//  2. the certificate parses and is a signing certificate of an accepted kind;
//  3. its key is RSA-2048 with exponent 65537; the signature has the modulus's size and is smaller than it;
//  4. the SHA-256 of the document, computed here, is the transaction's, unless the document is [Expect.Undisclosed];
//     the signed attributes of a CMS signature, which no transaction has, name it;
//  5. the signature verifies over exactly that digest in exactly that mode;
//  6. chain, profile, validity and revocation, by package jpki;
//  7. the person, when one is expected.
//
// The report is nil unless every step held. Errors are [*Error]; Step names the first check that failed.
func (v *Verifier) Verify(ctx context.Context, o *Opened, e Expect) (*Report, error) {
	if o == nil || e.Undisclosed == (e.Document != nil) || e.Undisclosed && e.Transaction == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "verify", Detail: "nothing opened, or no document"}
	}
	run := &verification{opened: o, at: e.At, steps: make([]jpki.Step, 0, 40)} // as many as there are
	if run.at.IsZero() {
		run.at = v.now()
	}
	steps := []func() error{
		func() error { return run.checkMode(e) },
		func() error { return run.checkTime(e, v.now()) },
		func() error { return run.checkStructure(v) },
		func() error { return run.checkDocument(ctx, e) },
		run.checkSignature,
		func() error { return run.checkCertificate(ctx, v.jpki, v.kinds) },
		func() error { return run.checkPerson(e.Person, e.Accept) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return run.report(e, v.now()), nil
}

// verification is the state of one Verify call.
type verification struct {
	opened *Opened
	at     time.Time
	mode   Mode
	leaf   *jpki.Certificate
	key    *rsa.PublicKey
	digest [sha256.Size]byte // of the document
	signed [sha256.Size]byte // of what the signature is over: the document or the signed attributes
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

func (c check) failed(err error) error {
	return &Error{Reason: c.reason, Step: c.name, Clause: c.clause, Err: err}
}

// The checks of this package, in order. Those of package jpki follow with their own names.
var (
	stepMode = check{
		"mode.explicit",
		"RFC 8017, 8.2.2: the encoding is an input of verification, never an output",
		ReasonMode,
	}
	stepTime = check{
		"transaction.time",
		"the transaction has begun and is not long over, by the verifier's clock",
		ReasonTransactionTime,
	}
	stepForm = check{"certificate.form", "RFC 5280, 4.1: one DER certificate", ReasonCertificateForm}
	stepKind = check{
		"certificate.kind",
		"RFC 5280, 4.2.1.3 and 4.2.1.4: key usage and policy of a signing certificate",
		ReasonCertificateForm,
	}
	stepKey    = check{"key.rsa2048", "RFC 8017, 3.1: public key (n, e), n of 2048 bits, e = 65537", ReasonKey}
	stepLength = check{"signature.length", "RFC 8017, 8.2.2, step 1: the signature has k octets", ReasonSignature}
	stepRange  = check{
		"signature.range",
		"RFC 8017, 5.2.2, step 1: the representative is smaller than n",
		ReasonSignature,
	}
	stepDocument = check{
		"document.hash",
		"FIPS 180-4, 6.2: SHA-256 of the document, computed by the verifier",
		ReasonDocument,
	}
	stepAttributes = check{
		"cms.attributes",
		"RFC 5652, 11.1 and 11.2: content type and message digest of the signed attributes",
		ReasonDocument,
	}
	stepDigest = check{
		"document.undisclosed",
		"the 32-byte SHA-256 of the transaction, computed by the relying party",
		ReasonDocument,
	}
	stepBareHash = check{
		"signature.value",
		"RFC 8017, 9.2 with T = the 32-byte hash: EM compared in full",
		ReasonSignature,
	}
	stepDigestInfo = check{"signature.value", "RFC 8017, 8.2.2: RSASSA-PKCS1-v1_5 with SHA-256", ReasonSignature}
	stepChain      = check{
		"certificate.status",
		"RFC 5280, 6.1 and 6.3: path, validity and revocation",
		ReasonCertificate,
	}
	stepPerson = check{
		"person",
		"attributes of the certificate compared with those expected, by the outcomes that the caller accepts",
		ReasonPersonMismatch,
	}
)

func (r *verification) checkMode(e Expect) error {
	r.mode = e.Mode
	if r.mode == ModeUnknown && e.Transaction != nil {
		r.mode = e.Transaction.Mode
	}
	if !r.mode.Valid() {
		return &Error{Reason: ReasonRequest, Step: stepMode.name, Detail: "no mode"}
	}
	if e.Transaction != nil && e.Transaction.Mode != r.mode {
		return stepMode.failed(nil)
	}
	if r.opened.reveal().attributes != nil {
		switch {
		case r.mode != ModeDigestInfo: // what CMS has: RSASSA-PKCS1-v1_5
			return stepMode.failed(nil)
		case e.Transaction != nil: // the card padded the digest of the document and nothing else
			return &Error{Reason: ReasonCMS, Step: stepMode.name,
				Detail: "signed attributes, where a transaction has none"}
		}
	}
	r.held(stepMode)
	return nil
}

// How far the clocks of the one who started a transaction and of the verifier may differ, and how long after its end a
// result may still be on its way.
const (
	transactionSkew  = 5 * time.Minute
	transactionGrace = 24 * time.Hour
)

func (r *verification) checkTime(e Expect, now time.Time) error {
	if e.Transaction == nil || e.Transaction.Started.IsZero() && e.Transaction.Expires.IsZero() {
		return nil
	}
	tx := e.Transaction
	switch {
	case tx.Started.After(now.Add(transactionSkew)):
		return stepTime.failed(nil)
	case !tx.Expires.IsZero() && tx.Expires.Before(tx.Started):
		return stepTime.failed(nil)
	case !e.Archived && !tx.Expires.IsZero() && now.After(tx.Expires.Add(transactionGrace)):
		return stepTime.failed(nil)
	}
	r.held(stepTime)
	return nil
}

func (r *verification) checkStructure(v *Verifier) error {
	parts := r.opened.reveal()
	leaf, err := jpki.ParseCertificate(parts.certificate)
	if err != nil {
		return stepForm.failed(err)
	}
	r.leaf = leaf // package jpki records the form as its first step
	if !slices.Contains(v.kinds, leaf.Kind()) && !v.knownPhone(leaf) {
		return stepKind.failed(nil)
	}
	r.held(stepKind)
	key, ok := cardKey(leaf.PublicKey())
	if !ok {
		return stepKey.failed(nil)
	}
	r.key = key
	r.held(stepKey)
	if len(parts.signature) != key.Size() {
		return stepLength.failed(nil)
	}
	r.held(stepLength)
	if !representativeInRange(key, parts.signature) {
		return stepRange.failed(nil)
	}
	r.held(stepRange)
	return nil
}

// knownPhone reports whether the caller's policies make it a signing certificate on a phone. Package jpki decides in
// the end, with every other rule of such certificates.
func (v *Verifier) knownPhone(leaf *jpki.Certificate) bool {
	return leaf.Kind() == jpki.UnknownKind && slices.ContainsFunc(leaf.Policies(), func(p asn1.ObjectIdentifier) bool {
		return slices.ContainsFunc(v.phones, p.Equal)
	})
}

func (r *verification) checkDocument(ctx context.Context, e Expect) error {
	if e.Undisclosed {
		r.digest, r.signed = e.Transaction.Digest, e.Transaction.Digest
		r.held(stepDigest)
		return nil
	}
	digest, err := hashDocument(ctx, e.Document, stepDocument.name)
	if err != nil {
		return err
	}
	if e.Transaction != nil && e.Transaction.Digest != digest {
		return stepDocument.failed(nil)
	}
	r.digest = digest
	r.held(stepDocument)
	return r.checkAttributes()
}

// checkAttributes takes the step from the document to what is signed, when signed attributes stand between them.
func (r *verification) checkAttributes() error {
	r.signed = r.digest
	parts := r.opened.reveal()
	if parts.attributes == nil {
		return nil
	}
	for _, err := range []error{
		parts.attributes.CheckContentType(signeddata.OIDData),
		parts.attributes.CheckCertificate(parts.certificate, false),
		parts.attributes.CheckDigest(r.digest[:]),
	} {
		if err != nil {
			return stepAttributes.failed(err)
		}
	}
	r.signed = sha256.Sum256(parts.attributes.Attributes)
	r.held(stepAttributes)
	return nil
}

func (r *verification) checkSignature() error {
	step := stepBareHash
	if r.mode == ModeDigestInfo {
		step = stepDigestInfo
	}
	signature := r.opened.reveal().signature
	if verifySignature(r.key, r.mode, r.signed, signature) {
		r.held(step)
		return nil
	}
	if verifySignature(r.key, r.mode.other(), r.signed, signature) {
		step.reason = ReasonOtherMode // only to name the cause
	}
	return step.failed(nil)
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
