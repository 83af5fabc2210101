package jpki

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin"
)

// VerifierConfig is the standing policy.
type VerifierConfig struct {
	// Environment is Production unless Test is asked for. Production refuses test anchors and test policies, Test refuses
	// production anchors.
	Environment Environment
	// Trust is required.
	Trust Trust
	// Revocation is required: Require or InsecureNoRevocation.
	Revocation Revocation
	// Now is the clock; default time.Now.
	Now func() time.Time
	// AssumedPhonePolicies accepts certificates on phones ([SigningPhone], [AuthenticationPhone]) by policies that nobody has
	// confirmed. It has no effect in Production: the policies are those of a simulator.
	AssumedPhonePolicies bool
}

// Verifier answers whether certificates are valid. It is immutable and safe for concurrent use, provided that its
// revocation sources are.
type Verifier struct {
	environment Environment
	anchors     []*anchor
	revocation  Revocation
	now         func() time.Time
	phones      bool
}

// NewVerifier validates and copies the configuration. Errors are [*Error] with [ReasonConfiguration] or [ReasonTrust].
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	if c.Environment != Production && c.Environment != Test {
		return nil, &Error{Reason: ReasonConfiguration, Step: "verifier.environment"}
	}
	if err := c.Trust.validate(c.Environment); err != nil {
		return nil, err
	}
	if err := c.Revocation.validate(); err != nil {
		return nil, err
	}
	v := &Verifier{
		environment: c.Environment, anchors: slices.Clone(c.Trust.anchors), revocation: c.Revocation, now: c.Now,
		phones: c.AssumedPhonePolicies,
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

// At sets the verification time; default, also for the zero time, is the verifier's clock. A time more than five minutes
// ahead of that clock is never Good under a revocation policy that requires an answer: what will be revoked until then is
// Unknown.
func At(t time.Time) VerifyOption { return func(o *verifyOptions) { o.at = t } }

// For requires one of the kinds; with none given, no certificate will do.
func For(kinds ...Kind) VerifyOption {
	return func(o *verifyOptions) { o.kinds, o.restricted = slices.Clone(kinds), true }
}

// Verify validates profile, chain and revocation, in this order, and stops at the first check that does not hold. The
// error is nil exactly when Status is Good; the result is never nil, so that its steps can be shown. Errors are [*Error]:
// of family Account when the certificate is genuine but revoked, on hold, expired or not yet valid, Unavailable when its
// revocation status cannot be had, Untrusted otherwise.
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
	run := &verification{verifier: v, options: o, result: &Result{At: o.at, Revocation: RevocationAnswer{Reason: reasonAbsent}}}
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
	if err := run.require(ruleForm, leaf != nil && leaf.form != nil); err != nil {
		return err
	}
	if err := run.profile(leaf.form); err != nil {
		return err
	}
	issuer, err := run.chain(leaf.form)
	if err != nil {
		return err
	}
	return run.checkRevocation(ctx, RevocationQuery{Leaf: leaf, Issuer: issuer.form.x509, At: run.options.at})
}

// checkRevocation asks the sources and notes the answer.
func (run *verification) checkRevocation(ctx context.Context, q RevocationQuery) error {
	if run.verifier.revocation.skip {
		run.result.Revocation.Method = methodNone
		return run.require(ruleRevocationSkipped, true)
	}
	// No list and no response speaks of revocations that have not happened yet, whatever its nextUpdate is.
	if q.At.After(run.verifier.now().Add(futureTolerance)) {
		return run.require(ruleRevocationTime, false)
	}
	answer, failure := run.verifier.revocation.ask(ctx, q)
	run.result.Revocation = answer
	err := run.require(ruleRevocation, failure == nil && answer.Status == Good)
	switch {
	case failure != nil:
		return failure
	case answer.Status == Hold:
		return &Error{Reason: ReasonHold, Step: ruleRevocation.name, Clause: ruleRevocation.clause}
	default:
		return err
	}
}

func isUntrusted(err error) bool { return kakunin.FamilyOf(err) == kakunin.Untrusted }

// candidates returns the anchors with the subject name, and those of them with the key identifier.
func (v *Verifier) candidates(f *form) (named, keyed []*anchor) {
	for _, a := range v.anchors {
		if !bytes.Equal(a.form.x509.RawSubject, f.x509.RawIssuer) {
			continue
		}
		named = append(named, a)
		if len(f.authorityKeyID) > 0 && bytes.Equal(a.form.subjectKeyID, f.authorityKeyID) {
			keyed = append(keyed, a)
		}
	}
	return named, keyed
}
