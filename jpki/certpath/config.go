package certpath

import (
	"encoding/asn1"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// RevocationMode says what becomes of a path when the revocation status of a certificate is not known. The zero value is
// refused, so that nobody skips the check without saying so.
type RevocationMode int

// Modes.
const (
	// RevocationRequired: every certificate of the path must be known to be good (RFC 5280, 6.1.3 (a)(3)).
	RevocationRequired RevocationMode = iota + 1
	// RevocationIfPresent: a certificate that is known to be revoked is refused; without data about it the path goes on. An
	// attacker who can keep the data away can make revoked certificates pass.
	RevocationIfPresent
	// InsecureNoRevocation: the sources are not asked.
	InsecureNoRevocation
)

// Config is the standing policy of a [Validator].
type Config struct {
	// Anchors are the trusted authorities. Required. Each must be an authority's certificate of version 3 or self-issued.
	// Besides name and key, its validity period, path length and name constraints are enforced, as RFC 5937, section 3 says.
	Anchors []*Certificate
	// Pool has the certificates from which paths are built: intermediate authorities, cross and bridge certificates, and
	// those of the signers of revocation lists. Nothing in it is trusted.
	Pool []*Certificate

	// Policies is the user-initial-policy-set (RFC 5280, 6.1.1 (c)); empty means any-policy. By itself it does not make a
	// path without policies fail: combine it with RequireExplicitPolicy.
	Policies []asn1.ObjectIdentifier
	// RequireExplicitPolicy is initial-explicit-policy (6.1.1 (f)): one of Policies must hold for the whole path.
	RequireExplicitPolicy bool
	// InhibitPolicyMapping is initial-policy-mapping-inhibit (6.1.1 (e)).
	InhibitPolicyMapping bool
	// InhibitAnyPolicy is initial-any-policy-inhibit (6.1.1 (g)).
	InhibitAnyPolicy bool

	// Revocation is required.
	Revocation RevocationMode
	// Sources are asked in order about each certificate; the first that decides wins.
	Sources []RevocationSource

	// Algorithms are accepted besides the default allow-list (RSA from 2048 bits with PKCS #1 v1.5 and ECDSA on P-256, P-384
	// and P-521, with SHA-256, SHA-384 or SHA-512).
	Algorithms []Algorithm
	// AcceptOddSerials accepts serial numbers that are zero or negative, which RFC 5280, 4.1.2.2 forbids to authorities and
	// asks others to handle.
	AcceptOddSerials bool
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Validator validates certificates of any hierarchy. It is immutable and safe for concurrent use, provided that its sources
// are.
type Validator struct {
	config   Config
	policies []string
	index    *index
}

// New validates and copies the configuration. Errors are [*Error] with [ReasonConfiguration] or [ReasonAnchor].
func New(c Config) (*Validator, error) {
	c.Anchors, c.Pool = slices.Clone(c.Anchors), slices.Clone(c.Pool)
	c.Sources, c.Algorithms = slices.Clone(c.Sources), slices.Clone(c.Algorithms)
	if len(c.Anchors) == 0 || slices.Contains(c.Anchors, nil) {
		return nil, misconfigured("anchors")
	}
	for _, a := range c.Anchors {
		if !usableAnchor(a) {
			return nil, &Error{Reason: ReasonAnchor, Step: "config.anchors", Clause: "RFC 5280, 6.1.1 (d)", Certificate: -1}
		}
	}
	if len(c.Pool) > limits.PathPool || slices.Contains(c.Pool, nil) {
		return nil, misconfigured("pool")
	}
	v := &Validator{config: c}
	for _, id := range c.Policies {
		content, ok := oidContent(id)
		if !ok {
			return nil, misconfigured("policies")
		}
		v.policies = append(v.policies, content)
	}
	switch c.Revocation {
	case RevocationRequired, RevocationIfPresent:
		if len(c.Sources) == 0 && c.Revocation == RevocationRequired {
			return nil, misconfigured("sources")
		}
	case InsecureNoRevocation:
	default:
		return nil, misconfigured("revocation")
	}
	for _, s := range c.Sources {
		if s == nil {
			return nil, misconfigured("sources")
		}
	}
	for _, a := range c.Algorithms {
		if len(a.Identifier) == 0 || a.Verify == nil {
			return nil, misconfigured("algorithms")
		}
	}
	if v.config.Now == nil {
		v.config.Now = time.Now
	}
	v.index = newIndex(v.config.Anchors, v.config.Pool)
	return v, nil
}

// usableAnchor reports what can be said of an anchor at any time: it is an authority that may sign certificates, and nothing
// in its certificate is critical and not understood.
func usableAnchor(c *Certificate) bool {
	authority := c.basic.ca
	if c.version < 3 {
		authority = c.selfIssued()
	}
	return authority && c.permits(usageCertSign) && !c.unknownCritical && !c.subject.empty() && soundKey(c.key)
}
