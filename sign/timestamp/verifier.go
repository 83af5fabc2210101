package timestamp

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// VerifierConfig is the standing policy of a [Verifier].
type VerifierConfig struct {
	// Anchors are the roots of the timestamp authorities that are believed; required. There are no default ones.
	Anchors []*certpath.Certificate
	// Pool has intermediate authorities that tokens do not bring along; nothing in it is trusted.
	Pool []*certpath.Certificate
	// Revocation says where the status of the authorities' certificates comes from; the zero value is refused.
	Revocation revocation.Policy
	// Policies are those of the authorities that are accepted; empty accepts every one under the anchors.
	Policies []asn1.ObjectIdentifier
	// MaxAccuracy is the largest inaccuracy that is accepted, as far as tokens state it; 0 accepts every one.
	MaxAccuracy time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Verifier verifies tokens. It is immutable and safe for concurrent use, provided that its revocation sources are.
type Verifier struct {
	config VerifierConfig
	path   *certpath.Verifier
}

// NewVerifier validates and copies the configuration. Errors are [*Error] with [ReasonConfiguration].
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Policies = slices.Clone(c.Policies)
	if c.MaxAccuracy < 0 {
		return nil, &Error{Reason: ReasonConfiguration, Step: "verifier", Detail: "MaxAccuracy must not be negative"}
	}
	path, err := certpath.NewVerifier(certpath.VerifierConfig{
		Anchors: c.Anchors, Pool: c.Pool, Revocation: c.Revocation, Now: c.Now,
	})
	if err != nil {
		var wrong *certpath.Error
		_ = errors.As(err, &wrong)
		return nil, &Error{Reason: ReasonConfiguration, Step: "verifier", Detail: wrong.Step, Err: err}
	}
	return &Verifier{c, path}, nil
}

// Expect is what is expected this time.
type Expect struct {
	// Request is what was stamped; its digest is required. With a policy or a nonce the token must have the same.
	Request Request
	// NotBefore is the earliest time that the token may have, such as that of the request; zero accepts every one.
	NotBefore time.Time
	// At is the time at which the path of the authority's certificate must hold; default: now. For a token whose
	// certificate has expired since, it is the time of a later timestamp that covers the token.
	At time.Time
}

// Step is one check that held, with the clause that it enforces.
type Step struct {
	// Name is stable, e.g. "token.imprint".
	Name string `json:"name"`
	// Clause is e.g. "RFC 3161, 2.4.2".
	Clause string `json:"clause"`
}

// Timestamp is a token of which everything held.
type Timestamp struct {
	*Token
	// Certificate is the SHA-256 of the authority's certificate, Anchor that of the anchor of its path.
	Certificate, Anchor [sha256.Size]byte
	// At is the time for which the path was judged.
	At time.Time
	// Steps are all checks in the order they were made, those of the path excluded.
	Steps []Step
	// Path are the steps of the path (package certpath).
	Path []certpath.Step
}

// check is one step with the reason of its failure.
type check struct {
	name, clause string
	reason       Reason
}

// The checks, in order.
var (
	stepForm    = check{"token.form", "RFC 3161, 2.4.2; RFC 5652, 5.1", ReasonMalformed}
	stepInfo    = check{"token.info", "RFC 3161, 2.4.2: TSTInfo of version 1", ReasonMalformed}
	stepImprint = check{"token.imprint", "RFC 3161, 2.4.2: the message imprint is that of the request",
		ReasonImprint}
	stepNonce  = check{"token.nonce", "RFC 3161, 2.4.2: the nonce is that of the request", ReasonNonce}
	stepPolicy = check{"token.policy", "RFC 3161, 2.4.2: the policy is accepted", ReasonPolicy}
	stepTime   = check{"token.time", "RFC 3161, 2.4.2: genTime is neither in the future nor before the request",
		ReasonTime}
	stepAccuracy = check{"token.accuracy", "RFC 3161, 2.4.2: genTime is as accurate as is asked for", ReasonTime}
	stepSigner   = check{"signer.certificate", "RFC 5652, 5.3: the certificate that the signer names",
		ReasonCertificate}
	stepPurpose = check{"signer.purpose", "RFC 3161, 2.3: critical extKeyUsage with timeStamping alone",
		ReasonCertificate}
	stepUsage = check{"signer.key-usage", "RFC 5280, 4.2.1.3 and 4.2.1.12: the key may sign, and nothing else",
		ReasonCertificate}
	stepAttributes = check{"signer.attributes", "RFC 5652, 11.1 and 11.2: content type and message digest",
		ReasonAttributes}
	stepESS = check{"signer.ess", "RFC 5816, 2.2: the signing certificate is one of the signed attributes",
		ReasonAttributes}
	stepValue    = check{"signer.signature", "RFC 5652, 5.6; RFC 5754: RSA or ECDSA with SHA-2", ReasonSignature}
	stepValidity = check{"signer.validity", "RFC 5280, 4.1.2.5: the certificate was valid at genTime", ReasonTime}
	stepPath     = check{"signer.path", "RFC 5280, 6.1 and 6.3: path to an anchor, and revocation", ReasonPath}
)

// skew is how far the authority's clock may be ahead of ours.
const skew = 5 * time.Minute

// Verify checks a token in the order of the steps, cheap checks before cryptography, and those before revocation. The
// result is nil unless every check held. Errors are [*Error]; Step names the first check that failed.
func (v *Verifier) Verify(ctx context.Context, t *Token, e Expect) (*Timestamp, error) {
	if t == nil || t.signer == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "verify", Detail: "no token"}
	}
	if err := e.Request.check(); err != nil {
		return nil, err
	}
	run := &verification{result: &Timestamp{Token: t, At: e.At}, token: t}
	if run.result.At.IsZero() {
		run.result.At = v.config.Now()
	}
	run.held(stepForm)
	run.held(stepInfo)
	for _, step := range []func() error{
		func() error { return run.checkInfo(v, e) },
		run.checkCertificate,
		run.checkSignature,
		func() error { return run.checkPath(ctx, v) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return run.result, nil
}

type verification struct {
	token  *Token
	result *Timestamp
	raw    []byte
	signer *x509.Certificate
}

func (r *verification) held(c check) { r.result.Steps = append(r.result.Steps, Step{c.name, c.clause}) }

// require notes a check that held, or returns its failure.
func (r *verification) require(c check, ok bool, err error) error {
	if !ok || err != nil {
		failed := &Error{Reason: c.reason, Step: c.name, Clause: c.clause, Err: err}
		if problem, is := err.(signeddata.Problem); is { //nolint:errorlint // that package returns nothing else
			failed.Detail = string(problem)
		}
		return failed
	}
	r.held(c)
	return nil
}

func (r *verification) checkInfo(v *Verifier, e Expect) error {
	t := r.token
	policy := len(v.config.Policies) == 0 || slices.ContainsFunc(v.config.Policies, t.Policy.Equal)
	if e.Request.Policy != nil {
		policy = policy && t.Policy.Equal(e.Request.Policy)
	}
	for _, one := range [...]struct {
		check check
		ok    bool
	}{
		{stepImprint, e.Request.sameImprint(t)},
		{stepNonce, e.Request.sameNonce(t)},
		{stepPolicy, policy},
		{stepTime, !t.Time.After(v.config.Now().Add(skew)) && !t.Time.Before(e.NotBefore)},
		{stepAccuracy, v.config.MaxAccuracy == 0 || t.Accuracy <= v.config.MaxAccuracy},
	} {
		if err := r.require(one.check, one.ok, nil); err != nil {
			return err
		}
	}
	return nil
}

func (r *verification) checkCertificate() error {
	raw, err := r.token.data.Certificate(r.token.signer)
	if err == nil {
		r.raw = raw
		r.signer, err = x509.ParseCertificate(raw)
	}
	if err := r.require(stepSigner, err == nil, err); err != nil {
		return err
	}
	if err := r.require(stepPurpose, stamping(r.signer), nil); err != nil {
		return err
	}
	// "The TSA MUST sign each time-stamp message with a key reserved specifically for that purpose" (RFC 3161, 2.3)
	others := r.signer.KeyUsage &^ (x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment)
	if err := r.require(stepUsage, others == 0 && !r.signer.IsCA, nil); err != nil {
		return err
	}
	t := r.token.Time.Truncate(time.Second)
	return r.require(stepValidity, !t.Before(r.signer.NotBefore) && !t.After(r.signer.NotAfter), nil)
}

func (r *verification) checkSignature() error {
	s := r.token.signer
	hash, err := s.Hash()
	if err == nil && s.Attributes == nil { // content other than id-data (RFC 5652, 5.3)
		err = signeddata.Attributes
	}
	if err == nil {
		err = s.CheckContentType(oidTSTInfo)
	}
	if err == nil {
		err = s.CheckAlgorithms()
	}
	if err == nil {
		err = s.CheckDigest(signeddata.Sum(hash, r.token.data.Content))
	}
	if err := r.require(stepAttributes, err == nil, err); err != nil {
		return err
	}
	err = s.CheckCertificate(r.raw, true)
	if err := r.require(stepESS, err == nil, err); err != nil {
		return err
	}
	err = s.CheckValue(r.signer, r.token.data.Content)
	return r.require(stepValue, err == nil, err)
}

func (r *verification) checkPath(ctx context.Context, v *Verifier) error {
	leaf, err := certpath.ParseCertificate(r.raw)
	if err != nil {
		return r.require(stepPath, false, err)
	}
	var pool []*certpath.Certificate
	for _, raw := range r.token.data.Certificates {
		// One that cannot be read leads nowhere.
		if c, err := certpath.ParseCertificate(raw); err == nil {
			pool = append(pool, c)
		}
	}
	res, err := v.path.Verify(ctx, leaf, certpath.At(r.result.At), certpath.For(oidTimeStamping),
		certpath.With(pool...))
	if err := r.require(stepPath, err == nil && res.Valid, err); err != nil {
		return err
	}
	r.result.Certificate, r.result.Anchor = leaf.Fingerprint(), res.Path[0].Fingerprint()
	r.result.Path = res.Steps
	return nil
}
