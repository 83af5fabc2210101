package certpath

import (
	"encoding/asn1"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// VerifierConfig is the standing policy of a [Verifier].
type VerifierConfig struct {
	// Anchors are the trusted authorities. Required. Each must be an authority's certificate of version 3 or
	// self-issued. Besides name and key, its validity period, path length and name constraints are enforced, as RFC
	// 5937, section 3 says.
	Anchors []*Certificate
	// Pool has the certificates from which paths are built: intermediate authorities, cross and bridge certificates,
	// and those of the signers of revocation lists. Nothing in it is trusted.
	Pool []*Certificate

	// Policies is the user-initial-policy-set (RFC 5280, 6.1.1 (c)); empty means any-policy. By itself it does not make
	// a path without policies fail: combine it with RequireExplicitPolicy.
	Policies []asn1.ObjectIdentifier
	// RequireExplicitPolicy is initial-explicit-policy (6.1.1 (f)): one of Policies must hold for the whole path.
	RequireExplicitPolicy bool
	// InhibitPolicyMapping is initial-policy-mapping-inhibit (6.1.1 (e)).
	InhibitPolicyMapping bool
	// InhibitAnyPolicy is initial-any-policy-inhibit (6.1.1 (g)).
	InhibitAnyPolicy bool

	// Revocation is required: [revocation.Require], [revocation.IfPresent] or [revocation.InsecureNoRevocation].
	Revocation revocation.Policy

	// Algorithms are accepted besides the default allow-list (RSA from 2048 bits with PKCS #1 v1.5 and ECDSA on P-256,
	// P-384 and P-521, with SHA-256, SHA-384 or SHA-512).
	Algorithms []Algorithm
	// AcceptOddSerials accepts serial numbers that are zero or negative, which RFC 5280, 4.1.2.2 forbids to authorities
	// and asks others to handle.
	AcceptOddSerials bool
	// MaxIntermediates is how many authorities may stand between an anchor and the certificate; 0: as many as the
	// module's own limit allows; negative: none.
	MaxIntermediates int
	// Strict refuses what RFC 5280 forbids to authorities and does not tell others to refuse: see the package
	// documentation. It cannot be combined with AcceptOddSerials.
	Strict bool
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Verifier validates certificates of any hierarchy. It is immutable and safe for concurrent use, provided that its
// sources are.
type Verifier struct {
	config   VerifierConfig
	policies []string
	index    *index
}

// NewVerifier validates and copies the configuration. Errors are [*Error] with [ReasonConfiguration] or [ReasonAnchor].
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	c.Anchors, c.Pool = slices.Clone(c.Anchors), slices.Clone(c.Pool)
	c.Algorithms = slices.Clone(c.Algorithms)
	if len(c.Anchors) == 0 || slices.ContainsFunc(c.Anchors, (*Certificate).empty) {
		return nil, misconfigured("anchors")
	}
	for _, a := range c.Anchors {
		if !usableAnchor(a) {
			return nil, &Error{
				Reason:      ReasonAnchor,
				Step:        "config.anchors",
				Clause:      "RFC 5280, 6.1.1 (d)",
				Certificate: -1,
			}
		}
	}
	if len(c.Pool) > limits.PathPool || slices.ContainsFunc(c.Pool, (*Certificate).empty) {
		return nil, misconfigured("pool")
	}
	v := &Verifier{config: c}
	for _, id := range c.Policies {
		content, ok := names.OIDContent(id)
		if !ok {
			return nil, misconfigured("policies")
		}
		v.policies = append(v.policies, content)
	}
	if err := c.Revocation.Validate(); err != nil {
		return nil, misconfigured("revocation")
	}
	for _, a := range c.Algorithms {
		if len(a.Identifier) == 0 || a.Verify == nil {
			return nil, misconfigured("algorithms")
		}
	}
	if c.Strict && c.AcceptOddSerials {
		return nil, misconfigured("strict")
	}
	if v.config.Now == nil {
		v.config.Now = time.Now
	}
	v.index = newIndex(v.config.Anchors, v.config.Pool)
	return v, nil
}

// usableAnchor reports what can be said of an anchor at any time: it is an authority that may sign certificates. One
// with a critical extension that is not understood stops its own paths and no others, so it is judged with them.
func usableAnchor(c *Certificate) bool {
	authority := c.basic.ca
	if c.version < 3 {
		authority = c.selfIssued()
	}
	return authority && c.permits(usageCertSign) && !c.subject.Empty() && soundKey(c.key)
}
