package certpath

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// run is one call of Validate with what it has spent.
type run struct {
	verifier *Verifier
	ctx      context.Context //nolint:containedctx // lives as long as the call
	at       time.Time
	index    *index

	signatures  int                     // spent, in those with RSA-2048
	comparisons int                     // left, of names with name constraints
	purposes    []asn1.ObjectIdentifier // of which the target must have one; nil: any
	verified    map[signedEdge]bool
	// signers has who may sign revocation lists under which anchor, as far as it is known; pending has whom the call is
	// just asking about.
	signers map[[2][sha256.Size]byte]bool
	pending [][sha256.Size]byte
	// listIssuers has the names of the issuers of lists that were looked at.
	listIssuers map[*crl.Header]*names.Name
	// target and signer are what the searches have spent: that for the target's path, and those for the signers of
	// lists together, of whom a pool may offer many.
	target, signer effort
	// hidden: a search for the path of a signer met a limit, so that lists may have gone unread.
	hidden bool
}

// effort counts partial and complete paths.
type effort struct{ states, attempts int }

// signedEdge is a certificate and the key that may have signed it. Two certificates of one key are one edge.
type signedEdge struct {
	child, key [32]byte
	parameters string
}

// spend counts one signature with the key; false when it does not fit into what is left.
func (r *run) spend(key PublicKey) bool {
	r.signatures += key.cost()
	return !r.exhausted()
}

// signed reports whether the key signed the certificate. ok is false when the call has verified as many signatures as
// it may. The answer is kept, because a search comes back to the same pair.
func (r *run) signed(child, issuer *Certificate, key PublicKey) (signed, ok bool) {
	edge := signedEdge{child: child.fingerprint, key: issuer.keyID}
	if key.Key == nil {
		edge.parameters = string(key.Parameters)
	}
	if signed, known := r.verified[edge]; known {
		return signed, true
	}
	if !soundKey(key) {
		r.verified[edge] = false
		return false, r.spend(PublicKey{})
	}
	if !r.spend(key) {
		return false, false
	}
	signed = algorithms(r.verifier.config.Algorithms).verify(child.algorithm, key, child.tbs, child.signature)
	r.verified[edge] = signed
	return signed, true
}

// state is a partial path, from the target upwards. Its last edge is not verified yet.
type state struct {
	top    *Certificate
	below  *state // nil for the target
	length int    // certificates
	cost   int
	order  int // equal costs keep the order of the pool
}

func (s *state) contains(c *Certificate) bool {
	for ; s != nil; s = s.below {
		// A name and key that come twice add nothing but length (RFC 4158, 2.4.2).
		if s.top.keyID == c.keyID && s.top.subject.Key == c.subject.Key {
			return true
		}
	}
	return false
}

// path returns the complete path from the anchor to the target.
func (s *state) path(anchor *Certificate) []*Certificate {
	path := []*Certificate{anchor}
	for ; s != nil; s = s.below {
		path = append(path, s.top)
	}
	return path
}

type frontier []*state

func (f frontier) Len() int { return len(f) }
func (f frontier) Less(i, j int) bool {
	return f[i].cost < f[j].cost || f[i].cost == f[j].cost && f[i].order < f[j].order
}
func (f frontier) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push is for package heap.
func (f *frontier) Push(x any) { *f = append(*f, x.(*state)) }

// Pop is for package heap.
func (f *frontier) Pop() any {
	old := *f
	last := old[len(old)-1]
	*f = old[:len(old)-1]
	return last
}

// Costs that put a certificate behind others. They only order the search: what is wrong with a path is decided when it
// is validated.
const (
	costKeyID   = 40  // key identifiers differ
	costExpired = 100 // not valid at the time, or no authority
)

// search looks for a path from an anchor to the target for which accept returns nil, the shortest and most plausible
// first. The error is that of the first path that was refused, or says why there was none.
type search struct {
	run     *run
	index   *index
	anchors func(*Certificate) bool
	accept  func(path []*Certificate) error

	open     frontier
	spent    *effort
	refused  error // of the first complete path
	unsigned bool  // an issuer was found by name whose key did not sign
	// full: the queue takes no more; what is in it and ends at an anchor is still tried.
	full bool
	// exhausted: nothing more is tried.
	exhausted bool
}

func (r *run) search(target *Certificate, anchors func(*Certificate) bool, accept func([]*Certificate) error) error {
	s := &search{run: r, index: r.index, anchors: anchors, accept: accept, spent: &r.target}
	if len(r.pending) > 0 {
		s.spent = &r.signer
	}
	s.open = frontier{{top: target, length: 1}}
	for len(s.open) > 0 && !s.exhausted {
		if err := r.ctx.Err(); err != nil {
			return &Error{
				Reason:      ReasonLimit,
				Step:        ruleSearch.name,
				Clause:      ruleSearch.clause,
				Certificate: -1,
				Err:         err,
			}
		}
		if s.expand(heap.Pop(&s.open).(*state)) {
			return nil
		}
	}
	r.hidden = r.hidden || len(r.pending) > 0 && (s.full || s.exhausted)
	return s.failure()
}

func (s *search) failure() error {
	failed := ruleIssuer
	switch {
	case s.refused != nil:
		return s.refused
	case s.exhausted, s.full:
		failed = ruleSearch
	case s.unsigned:
		failed = ruleSignature
	}
	return &Error{Reason: failed.reason, Step: failed.name, Clause: failed.clause, Certificate: -1}
}

// linked verifies the edge between two certificates, if it can be: keys whose parameters come from above are left to
// the validation of the whole path.
func (s *search) linked(child, issuer *Certificate) bool {
	if issuer.key.Key == nil && issuer.key.Parameters == nil {
		return true
	}
	if !algorithms(s.run.verifier.config.Algorithms).allowed(child.algorithm) {
		return true // the validation of the path names the reason
	}
	signed, ok := s.run.signed(child, issuer, issuer.key)
	s.exhausted = s.exhausted || !ok
	s.unsigned = s.unsigned || !signed
	return signed
}

// expand tries the anchors above a partial path, then puts the longer paths into the queue. It returns true when a path
// was accepted.
func (s *search) expand(now *state) bool {
	anchors := s.index.anchors[now.top.issuer.Key]
	if s.full && len(anchors) == 0 {
		return false
	}
	if now.below != nil && !s.linked(now.below.top, now.top) {
		return false
	}
	for _, anchor := range s.ordered(now.top, anchors) {
		if s.exhausted || !s.anchors(anchor) || !s.linked(now.top, anchor) {
			continue
		}
		if s.spent.attempts++; s.spent.attempts > limits.PathCandidates {
			s.exhausted = true
			return false
		}
		err := s.accept(now.path(anchor))
		if err == nil {
			return true
		}
		if s.refused == nil {
			s.refused = err
		}
	}
	if s.full || now.length+1 >= limits.PathDepth {
		return false
	}
	for _, issuer := range s.index.bySubject[now.top.issuer.Key] {
		distance, reachable := s.index.distance[issuer.issuer.Key]
		if !reachable || now.contains(issuer) {
			continue
		}
		if s.spent.states++; s.spent.states > limits.PathStates {
			s.full = true
			return false
		}
		heap.Push(&s.open, &state{
			top: issuer, below: now, length: now.length + 1, order: s.spent.states,
			cost: now.length + 1 + distance + s.penalty(now, issuer),
		})
	}
	return false
}

// penalty is what the new certificate and those below it lack.
func (s *search) penalty(below *state, issuer *Certificate) int {
	cost := 0
	if below.below != nil {
		cost = below.cost - below.length - s.index.distance[below.top.issuer.Key]
	}
	if !keyIDMatches(below.top, issuer) {
		cost += costKeyID
	}
	if !issuer.begun(s.run.at) || issuer.over(s.run.at) || !issuer.basic.ca || !issuer.permits(usageCertSign) {
		cost += costExpired
	}
	return cost
}

// ordered puts anchors whose key identifier matches and that are valid first.
func (s *search) ordered(child *Certificate, anchors []*Certificate) []*Certificate {
	if len(anchors) < 2 {
		return anchors
	}
	rank := func(a *Certificate) int {
		cost := 0
		if !keyIDMatches(child, a) {
			cost += costKeyID
		}
		if !a.begun(s.run.at) || a.over(s.run.at) {
			cost += costExpired
		}
		return cost
	}
	out := slices.Clone(anchors)
	slices.SortStableFunc(out, func(a, b *Certificate) int { return rank(a) - rank(b) })
	return out
}

// reasonOf returns the reason of the outermost [*Error] in err's tree.
func reasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}
