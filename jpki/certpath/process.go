package certpath

import (
	"slices"
	"time"
)

// processing is the state of RFC 5280, 6.1 while it goes down one path.
type processing struct {
	record

	run   *run
	path  []*Certificate // path[0] is the anchor
	at    time.Time
	names nameState
	graph *policyGraph
	// maxPathLength is max_path_length.
	maxPathLength int
	key           PublicKey // working_public_key with its parameters
	policies      []string
	signer        bool // the path is that of one who signs revocation lists
}

// process validates a complete path but for revocation.
func (r *run) process(path []*Certificate, anyPolicy bool) (*processing, error) {
	config := &r.verifier.config
	n := len(path) - 1
	p := &processing{run: r, path: path, at: r.at, key: path[0].key, maxPathLength: n, signer: anyPolicy}
	p.names.budget = &r.comparisons
	// The path of a signer of revocation lists is not put to the user's policies: those are about the target.
	p.graph = newPolicyGraph(
		n,
		config.RequireExplicitPolicy && !anyPolicy,
		config.InhibitPolicyMapping,
		config.InhibitAnyPolicy,
	)
	p.steps = make([]Step, 0, 16*len(path))
	anchor := path[0]
	if err := p.require(ruleAnchorValidity, 0, anchor.begun(p.at) && !anchor.over(p.at)); err != nil {
		return p, err
	}
	if err := p.require(ruleCriticalAnchor, 0, !anchor.unknownCritical); err != nil {
		return p, err
	}
	if limit := config.MaxIntermediates; limit != 0 {
		if err := p.require(ruleIntermediates, -1, p.intermediates() <= max(limit, 0)); err != nil {
			return p, err
		}
	}
	if config.Strict {
		if err := p.strictAnchor(); err != nil {
			return p, err
		}
	}
	// RFC 5937, 3.2: the constraints of an anchor's certificate are inputs of the algorithm.
	p.names.add(anchor.constraints)
	if anchor.basic.pathLen >= 0 {
		p.maxPathLength = min(p.maxPathLength, anchor.basic.pathLen)
	}
	for i := 1; i <= n; i++ {
		if err := p.certificate(i, i == n); err != nil {
			return p, err
		}
		if i < n {
			if err := p.prepare(i); err != nil {
				return p, err
			}
		}
	}
	return p, p.finish(n, anyPolicy)
}

// intermediates counts the authorities between anchor and target as path lengths count them: without those that are
// self-issued.
func (p *processing) intermediates() (n int) {
	for _, c := range p.path[1 : len(p.path)-1] {
		if !c.selfIssued() {
			n++
		}
	}
	return n
}

// certificate is RFC 5280, 6.1.3, basic certificate processing.
func (p *processing) certificate(i int, final bool) error {
	c, config := p.path[i], &p.run.verifier.config
	if err := p.all(i,
		check{ruleSerial, config.AcceptOddSerials || c.positiveSerial()},
		check{ruleNames, c.issuer.Equal(p.path[i-1].subject)},
		check{ruleAlgorithm, algorithms(config.Algorithms).allowed(c.algorithm)},
		check{ruleKey, soundKey(c.key)},
	); err != nil {
		return err
	}
	signed, ok := p.run.signed(c, p.path[i-1], p.key)
	if !ok {
		return p.require(ruleSearch, i, false)
	}
	if err := p.all(i,
		check{ruleSignature, signed},
		check{ruleNotBefore, c.begun(p.at)},
		check{ruleNotAfter, !c.over(p.at)},
	); err != nil {
		return err
	}
	if config.Strict {
		if err := p.strict(i, final && !p.signer); err != nil {
			return err
		}
	}
	if final || !c.selfIssued() { // (b) and (c)
		if err := p.require(rulePermitted, i, p.names.allows(c)); err != nil {
			return err
		}
	}
	if err := p.all(i,
		check{ruleQualifiers, !c.policies.critical || c.policies.understood},
		check{rulePolicyLimit, policiesSound(c)},
	); err != nil {
		return err
	}
	p.graph.certificate(c, final) // (d) and (e)
	return p.require(ruleExplicit, i, p.graph.explicit > 0 || !p.graph.null())
}

// prepare is RFC 5280, 6.1.4, preparation for certificate i+1.
func (p *processing) prepare(i int) error {
	c := p.path[i]
	mapsAny := slices.ContainsFunc(
		c.mappings,
		func(m mapping) bool { return m.issuer == anyPolicy || m.subject == anyPolicy },
	)
	if err := p.require(ruleMappingAny, i, !mapsAny); err != nil { // (a)
		return err
	}
	p.graph.mappings(c.mappings) // (b)
	p.inheritKey(c.key)          // (d), (e) and (f)
	p.names.add(c.constraints)   // (g)
	p.graph.next(c)              // (h), (i) and (j)
	// (k) has an exception for versions 1 and 2 that are known to be authorities by other means; here there are none.
	if err := p.require(ruleAuthority, i, c.version == 3 && c.basic.ca); err != nil {
		return err
	}
	if !c.selfIssued() { // (l)
		if err := p.require(rulePathLength, i, p.maxPathLength > 0); err != nil {
			return err
		}
		p.maxPathLength--
	}
	if c.basic.pathLen >= 0 { // (m)
		p.maxPathLength = min(p.maxPathLength, c.basic.pathLen)
	}
	return p.all(i,
		check{ruleCertSign, c.permits(usageCertSign)},
		check{ruleCriticalCA, !c.unknownCritical},
	)
}

// inheritKey: "If the subjectPublicKeyInfo field of the certificate contains an algorithm field with null parameters or
// parameters are omitted, compare the certificate subjectPublicKey algorithm to the working_public_key_algorithm. If …
// the same, retain the working_public_key_parameters" (RFC 5280, 6.1.4 (e)).
func (p *processing) inheritKey(k PublicKey) {
	if k.Parameters == nil && k.Algorithm.Equal(p.key.Algorithm) {
		k.Parameters = p.key.Parameters
	}
	p.key = k
}

// finish is RFC 5280, 6.1.5, the wrap-up.
func (p *processing) finish(n int, anyPolicy bool) error {
	target := p.path[n]
	if err := p.require(ruleCriticalEE, n, !target.unknownCritical); err != nil { // (f)
		return err
	}
	initial := p.run.verifier.policies
	if anyPolicy {
		initial = nil
	}
	var ok bool
	p.policies, ok = p.graph.finish(target, initial) // (a), (b) and (g)
	return p.require(rulePolicySet, n, ok)
}
