package jpki

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// VerifierConfig is the standing policy.
type VerifierConfig struct {
	// Hierarchy is Production unless a test hierarchy is asked for. Each refuses the anchors of the others, and
	// Production refuses test policies.
	Hierarchy Hierarchy
	// Trust is required.
	Trust Trust
	// Revocation is required: [revocation.Require] or [revocation.InsecureNoRevocation].
	Revocation revocation.Policy
	// Now is the clock; default time.Now.
	Now func() time.Time
	// AssumedPhonePolicies accepts certificates on phones ([SigningPhone], [AuthenticationPhone]) by policies that
	// nobody has confirmed. It has no effect in Production: the policies are those of a simulator.
	AssumedPhonePolicies bool
	// PhonePolicies are the policies of certificates on phones that the caller knows, from J-LIS for example: in
	// Production nothing else makes a certificate [SigningPhone] or [AuthenticationPhone]. Such a certificate has the
	// key and the key usage of one on a card. [Certificate.Kind] is UnknownKind all the same, because it knows no
	// configuration; ask [Result.Kind].
	PhonePolicies []PhonePolicy
}

// PhonePolicy says that a certificate policy means a certificate on a phone.
type PhonePolicy struct {
	Kind   Kind // SigningPhone or AuthenticationPhone
	Policy asn1.ObjectIdentifier
}

// Verifier answers whether certificates are valid. It is immutable and safe for concurrent use, provided that its
// revocation sources are.
type Verifier struct {
	hierarchy  Hierarchy
	anchors    []*anchor
	revocation revocation.Policy
	now        func() time.Time
	phones     bool
	rows       []profile // the table, and the caller's phones
}

// NewVerifier validates and copies the configuration. Errors are [*Error] with [ReasonConfiguration] or [ReasonTrust].
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	if c.Hierarchy.String() == "unknown" {
		return nil, &Error{Reason: ReasonConfiguration, Step: "verifier.hierarchy"}
	}
	if err := c.Trust.validate(c.Hierarchy); err != nil {
		return nil, err
	}
	if err := c.Revocation.Validate(); err != nil || c.Revocation.Mode() == revocation.WhenPresent {
		return nil, &Error{Reason: ReasonConfiguration, Step: "verifier.revocation", Err: err}
	}
	rows, ok := withPhones(c.PhonePolicies, c.Hierarchy.test())
	if !ok {
		return nil, &Error{Reason: ReasonConfiguration, Step: "verifier.phones"}
	}
	v := &Verifier{
		rows:       rows,
		hierarchy:  c.Hierarchy,
		anchors:    slices.Clone(c.Trust.anchors),
		revocation: c.Revocation,
		now:        c.Now,
		phones:     c.AssumedPhonePolicies,
	}
	if v.now == nil {
		v.now = time.Now
	}
	return v, nil
}

// Anchors describes the trusted authorities, e.g. to report their days to expiry.
func (v *Verifier) Anchors() []Anchor { return Trust{anchors: v.anchors}.Anchors() }

// VerifyOption says what is expected this time.
type VerifyOption func(*verifyOptions)

type verifyOptions struct {
	at         time.Time
	kinds      []Kind
	restricted bool
}

// futureTolerance is how far the clock that made a verification time may be ahead of the verifier's.
const futureTolerance = 5 * time.Minute

// At sets the verification time; default, also for the zero time, is the verifier's clock. A time more than five
// minutes ahead of that clock is never Good under a revocation policy that requires an answer: what will be revoked
// until then is Unknown.
func At(t time.Time) VerifyOption { return func(o *verifyOptions) { o.at = t } }

// For requires one of the kinds; with none given, no certificate will do.
func For(kinds ...Kind) VerifyOption {
	return func(o *verifyOptions) { o.kinds, o.restricted = slices.Clone(kinds), true }
}

// Verify validates profile, chain and revocation, in this order, and stops at the first check that does not hold. The
// error is nil exactly when Status is Good; the result is never nil, so that its steps can be shown. Errors are
// [*Error]: of family Account when the certificate is genuine but revoked, on hold, expired or not yet valid,
// Unavailable when its revocation status cannot be had, Untrusted otherwise.
func (v *Verifier) Verify(ctx context.Context, leaf *Certificate, opts ...VerifyOption) (*Result, error) {
	var o verifyOptions
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if o.at.IsZero() {
		o.at = v.now()
	}
	run := &verification{
		verifier: v, options: o,
		result: &Result{At: o.at, Revocation: revocation.Answer{Reason: crl.ReasonCodeAbsent}},
	}
	run.steps = make([]Step, 0, 32)
	err := run.verify(ctx, leaf)
	run.result.Steps = run.steps
	run.result.Status = statusOf(err)
	return run.result, err
}

// statusOf is the one place where an answer becomes Good: no error.
func statusOf(err error) Status {
	if err == nil {
		return Good
	}
	switch reasonOf(err) { //nolint:exhaustive // every other reason leaves the status unknown
	case ReasonRevoked:
		return Revoked
	case ReasonHold:
		return Hold
	case ReasonExpired:
		return Expired
	case ReasonNotYetValid:
		return NotYetValid
	default:
		return Unknown
	}
}

// verification is one call of Verify.
type verification struct {
	record
	verifier *Verifier
	options  verifyOptions
	result   *Result
}

func (run *verification) verify(ctx context.Context, leaf *Certificate) error {
	if err := run.require(ruleForm, leaf != nil && !leaf.parsed.Empty()); err != nil {
		return err
	}
	parsed := leaf.read()
	f := parsed.form
	if err := run.profile(f); err != nil {
		return err
	}
	issuer, err := run.chain(f)
	if err != nil {
		return err
	}
	return run.checkRevocation(ctx, revocation.Query{
		Certificate: parsed.asked, Issuer: issuer.asked, At: run.options.at,
	})
}

// checkRevocation asks the sources and notes the answer.
func (run *verification) checkRevocation(ctx context.Context, q revocation.Query) error {
	policy := run.verifier.revocation
	if policy.Mode() == revocation.Skipped {
		run.result.Revocation.Method = revocation.MethodNone
		return run.require(ruleRevocationSkipped, true)
	}
	// No list and no response speaks of revocations that have not happened yet, whatever its nextUpdate is.
	if q.At.After(run.verifier.now().Add(futureTolerance)) {
		return run.require(ruleRevocationTime, false)
	}
	answer, failure := policy.Ask(withKind(ctx, q.Certificate, run.result.Kind), q)
	run.result.Revocation = answer
	decided := ruleRevocation
	switch {
	case errors.Is(failure, &revocation.Error{Reason: revocation.ReasonForged}):
		decided.reason = ReasonRevocationForged
	case failure != nil:
		decided.reason = ReasonRevocationUnknown
	case answer.Status == revocation.Hold:
		decided.reason = ReasonHold
	}
	err := run.require(decided, failure == nil && answer.Status == revocation.Good)
	var refused *Error
	if errors.As(err, &refused) {
		refused.Err = failure
	}
	return err
}

// candidates returns the anchors with the subject name, and those of them with the key identifier.
func (v *Verifier) candidates(f *form.Certificate) (named, keyed []*anchor) {
	for _, a := range v.anchors {
		if !bytes.Equal(a.form.Subject, f.Issuer) {
			continue
		}
		named = append(named, a)
		if len(f.AuthorityKeyID) > 0 && bytes.Equal(a.form.SubjectKeyID, f.AuthorityKeyID) {
			keyed = append(keyed, a)
		}
	}
	return named, keyed
}

// profile checks what the certificate says of itself against the table of profiles. Nothing is trusted yet; these
// checks come first because they cost no cryptography.
func (run *verification) profile(f *form.Certificate) error {
	// Policies are compared here and not by crypto/x509: without an explicit-policy requirement in the chain, which
	// JPKI does not have, RFC 5280, 6.1.5 lets a path with the wrong policy succeed.
	row := profileAmong(run.verifier.rows, f.Policies, f.Key)
	if err := run.require(rulePolicy, row != nil && (!row.optional || run.verifier.phones)); err != nil {
		return err
	}
	expected := !run.options.restricted || row.kind != UnknownKind && slices.Contains(run.options.kinds, row.kind)
	for _, check := range [...]struct {
		rule rule
		ok   bool
	}{
		{ruleHierarchy, row.test == run.verifier.hierarchy.test()},
		{ruleKind, expected},
		{ruleKeyUsage, f.KeyUsage == row.keyUsage},
		{ruleExtKeyUsage, len(f.ExtKeyUsages) == 0 || row.extKeyUsage == x509.ExtKeyUsageAny ||
			f.HasExtKeyUsage(row.extKeyUsage)},
		{ruleNotCA, !f.CA},
		{ruleKey, row.key.accepts(f.Key)},
		{ruleAlgorithm, f.Algorithm == row.key.signature},
		{ruleCritical, !f.Unprocessed},
	} {
		if err := run.require(check.rule, check.ok); err != nil {
			return err
		}
	}
	run.result.Kind = row.kind
	return nil
}

// chain finds the issuer among the anchors and checks signature and validity. Name and key identifier only select; the
// signature decides. When several anchors claim the same key identifier each is tried.
func (run *verification) chain(f *form.Certificate) (*anchor, error) {
	named, keyed := run.verifier.candidates(f)
	if err := run.require(ruleIssuerName, len(named) > 0); err != nil {
		return nil, err
	}
	if err := run.require(ruleIssuerKeyID, len(keyed) > 0); err != nil {
		return nil, err
	}
	var issuer *anchor
	for _, a := range keyed {
		if f.SignedBy(a.form.Key) {
			issuer = a
			break
		}
	}
	if err := run.require(ruleSignature, issuer != nil); err != nil {
		return nil, err
	}
	run.result.AnchorFingerprint = issuer.fingerprint
	run.result.AnchorKeyID = bytes.Clone(issuer.form.SubjectKeyID)
	// The anchor passed these when it was loaded; they are noted so that the result shows the whole path.
	for _, passed := range [...]rule{
		ruleAnchorSelfIssued, ruleAnchorConstraints, ruleAnchorKeyUsage, ruleAnchorKeyID, ruleAnchorCritical,
		ruleAnchorKey,
		ruleAnchorSignature,
	} {
		_ = run.require(passed, true)
	}
	at, authority := run.options.at, issuer.form
	for _, check := range [...]struct {
		rule rule
		ok   bool
	}{
		{ruleNotBefore, !at.Before(f.NotBefore)},
		// The second of notAfter belongs to the validity period (RFC 5280, 4.1.2.5).
		{ruleNotAfter, !at.Truncate(time.Second).After(f.NotAfter)},
		{ruleAnchorValidity, !at.Before(authority.NotBefore) && !at.Truncate(time.Second).After(authority.NotAfter)},
	} {
		if err := run.require(check.rule, check.ok); err != nil {
			return nil, err
		}
	}
	return issuer, nil
}
