package certpath

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
)

// verify finds who signed the list: the issuer of the certificate when it has the list's name, or another certificate of
// that name with a path of its own (RFC 5280, 6.3.3 (f) and (g)).
func (s *listSearch) verify(p *distributionPoint, list *revocationList) (*crl.List, *Certificate) {
	r := s.query.run
	for _, signer := range s.signers(list) {
		// An authority may name, as the issuer of the list on which the certificate of a signer of lists stands, this signer
		// itself. Nobody else's list can answer then, and the path of this certificate is just being validated.
		self := same(signer, s.query.Certificate) && len(p.issuers) > 0
		// Trust comes before the signature: anybody can compute a second key for which an ECDSA signature verifies, and a list
		// is verified with one key for good.
		if !self && !r.trustsSigner(s.query, signer) {
			if r.signatures > limits.PathSignatures {
				return nil, nil
			}
			continue
		}
		if r.signatures++; r.signatures > limits.PathSignatures {
			return nil, nil
		}
		if verified := list.signedBy(s.ctx, signer); verified != nil {
			return verified, signer
		}
	}
	return nil, nil
}

// signers returns the certificates that may sign lists under the name of the list, the most plausible first.
func (s *listSearch) signers(list *revocationList) []*Certificate {
	q := s.query
	var out []*Certificate
	known := [...]*Certificate{q.Issuer, q.anchor, q.Certificate}
	add := func(c *Certificate, before []*Certificate) {
		if c.key.Key != nil && c.permits(usageCRLSign) && c.subject.equal(list.issuer) &&
			!slices.ContainsFunc(before, func(o *Certificate) bool { return same(o, c) }) {
			out = append(out, c)
		}
	}
	for i, c := range known {
		add(c, known[:i])
	}
	for _, c := range q.run.index.bySubject[list.issuer.key] { // none of them twice
		add(c, known[:])
	}
	id := list.header.AuthorityKeyID
	slices.SortStableFunc(out, func(a, b *Certificate) int {
		return rankOf(mismatch(id, a.subjectKeyID)) - rankOf(mismatch(id, b.subjectKeyID))
	})
	return out
}

func same(a, b *Certificate) bool { return a == b || a.fingerprint == b.fingerprint }

func mismatch(a, b []byte) bool { return len(a) > 0 && len(b) > 0 && !bytes.Equal(a, b) }

// trustsSigner decides whether the certificate of a list's signer leads to the anchor of the path (RFC 5280, 6.3.3 (f)). The
// issuer in the path and the anchor are validated already.
func (r *run) trustsSigner(q RevocationQuery, signer *Certificate) bool {
	if same(signer, q.Issuer) || same(signer, q.anchor) {
		return true
	}
	key := [2][sha256.Size]byte{signer.fingerprint, q.anchor.fingerprint}
	if trusted, known := r.signers[key]; known {
		return trusted
	}
	if len(r.pending) >= limits.CRLSigners || slices.Contains(r.pending, signer.fingerprint) {
		return false
	}
	if r.signatures++; r.signatures > limits.PathSignatures { // a search costs as much, even when it verifies nothing
		return false
	}
	r.pending = append(r.pending, signer.fingerprint)
	anchors := func(a *Certificate) bool { return same(a, q.anchor) }
	err := r.search(signer, anchors, func(path []*Certificate) error {
		p, err := r.process(path, true)
		if err == nil {
			err = r.checkRevocation(p, &Result{})
		}
		return err
	})
	r.pending = r.pending[:len(r.pending)-1]
	if r.signers == nil {
		r.signers = map[[2][sha256.Size]byte]bool{}
	}
	r.signers[key] = err == nil
	return err == nil
}
