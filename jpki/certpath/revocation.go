package certpath

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// facts returns what revocation data is matched against.
func (c *Certificate) facts() *form.Facts {
	canonical := &form.Canonical{Issuer: c.issuer, Subject: c.subject, Points: c.points}
	return &form.Facts{
		DER: c.raw, Issuer: c.issuer.Raw, Subject: c.subject.Raw, Serial: c.serial,
		KeyInfo: c.keyInfo, KeyBits: c.key.Bits, Key: c.key.Key,
		SubjectKeyID: c.subjectKeyID, AuthorityKeyID: c.authorityKeyID,
		CA: c.basic.ca, SignsLists: c.permits(usageCRLSign), NotBefore: c.notBefore, NotAfter: c.notAfter,
		Points:    c.pointsByEncoding,
		Canonical: func() *form.Canonical { return canonical },
		KeyHash:   func() [32]byte { return c.keyID },
	}
}

// pointsByEncoding returns the distribution points as a [revocation.Store] finds lists by them.
func (c *Certificate) pointsByEncoding() *form.Points {
	var p form.Points
	if e := c.extension(oidCRLDistribution); e != nil {
		p, _ = form.ReadPoints(e.Value, c.issuer.Raw) // it was read before
	}
	p.Complete(c.issuer.Raw)
	return &p
}

// queried is the certificate with the key that verifies what it signed, whose parameters it may have inherited.
func (c *Certificate) queried(key PublicKey) *revocation.Certificate {
	switch key.Key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return c.asked
	}
	facts := *c.asked.Facts()
	facts.Key = key // of an algorithm of the configuration's own
	return revocation.Of(&facts)
}

// checkRevocation is RFC 5280, 6.1.3 (a)(3) for every certificate of the path.
func (r *run) checkRevocation(p *processing, result *Result) error {
	policy := &r.verifier.config.Revocation
	if policy.Mode() == revocation.Skipped {
		return p.require(ruleRevocationSkipped, -1, true)
	}
	p.key = PublicKey{}
	for i := 1; i < len(p.path); i++ {
		p.inheritKey(p.path[i-1].key)
		answer, cause := policy.Ask(r.ctx, revocation.Query{
			Certificate: p.path[i].asked, Issuer: p.path[i-1].queried(p.key), At: r.at,
			Signers: signers{run: r, certificate: p.path[i], issuer: p.path[i-1], anchor: p.path[0]},
		})
		result.Revocation = append(result.Revocation, answer)
		switch {
		case answer.Status == revocation.Revoked:
			return p.require(ruleRevocation, i, false)
		case answer.Status == revocation.Hold:
			held := ruleRevocation
			held.reason = ReasonHold
			return p.require(held, i, false)
		case r.exhausted() || r.ctx.Err() != nil || answer.Status != revocation.Good && r.hidden:
			// Data that was there may have been left unread. Whoever fills the pool must not gain by it, not even when
			// data may be absent.
			return p.require(ruleSearch, i, false)
		case answer.Status == revocation.Good:
			_ = p.require(ruleRevocation, i, true)
		case policy.Mode() == revocation.WhenPresent:
			_ = p.require(ruleRevocationAbsent, i, true)
		default:
			unknown := ruleRevocation
			unknown.reason = ReasonRevocationUnknown
			err := p.require(unknown, i, false)
			var e *Error
			if errors.As(err, &e) {
				e.Err = cause
			}
			return err
		}
	}
	return nil
}

// exhausted reports whether the call has verified as many signatures as it may.
func (r *run) exhausted() bool { return r.signatures > limits.PathSignatures }
