package card

import (
	"crypto/rsa"
	"math/big"
)

// Root is a root key of the card issuers with its name. The keys are not on the card; who checks data must have them from
// a source that is worth the trust.
type Root struct {
	ID  KeyID
	Key *rsa.PublicKey
}

// Roots are the keys to which the issuer's signatures must lead. Immutable and safe for concurrent use. The zero value and
// nil trust nobody.
type Roots struct{ keys []Root }

// NewRoots makes roots of production keys, whose identifiers begin with 5. The error is an *[Error] with reason
// [ReasonInvalidRoot]: no root at all, a key of the test hierarchy, or one that is not RSA of at least 2048 bits with exponent
// 65537.
func NewRoots(roots ...Root) (*Roots, error) { return newRoots('5', roots) }

// InsecureTestRoots makes roots of test keys, whose identifiers begin with 6. Everybody can have cards made under them.
func InsecureTestRoots(roots ...Root) (*Roots, error) { return newRoots('6', roots) }

func newRoots(hierarchy byte, roots []Root) (*Roots, error) {
	bad := &Error{Op: "configure roots", Reason: ReasonInvalidRoot}
	if len(roots) == 0 {
		return nil, bad
	}
	out := &Roots{}
	for _, r := range roots {
		if !r.ID.valid() || r.ID[0] != hierarchy || !soundKey(r.Key) {
			return nil, bad
		}
		key := &rsa.PublicKey{N: new(big.Int).Set(r.Key.N), E: r.Key.E}
		out.keys = append(out.keys, Root{ID: r.ID, Key: key})
	}
	return out, nil
}

// verify follows a chain of certificates, the one below a root first, and returns the key of the last. Identifiers choose
// the key; only the signature counts.
func (r *Roots) verify(op string, chain ...cvCertificate) (*rsa.PublicKey, error) {
	if len(chain) == 0 {
		return nil, &Error{Op: op, Reason: ReasonUnknownIssuer}
	}
	first, known, certified := chain[0], false, false
	for _, root := range r.keys {
		if root.ID.same(first.certifier) {
			known = true
			certified = certified || signedBy(root.Key, first.signature, first.content)
		}
	}
	switch {
	case !known:
		return nil, &Error{Op: op, Reason: ReasonUnknownIssuer}
	case !certified:
		return nil, &Error{Op: op, Reason: ReasonTampered}
	}
	for i, c := range chain[1:] {
		above := chain[i]
		if !c.certifier.same(above.holder) || !signedBy(above.key, c.signature, c.content) {
			return nil, &Error{Op: op, Reason: ReasonTampered}
		}
	}
	return chain[len(chain)-1].key, nil
}
