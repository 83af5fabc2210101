package certpath

import (
	"bytes"
	"crypto/sha256"
	"iter"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// signers knows who may sign revocation lists about one certificate of a path: the issuer above it when it has the
// list's name, or another certificate of that name with a path of its own to the same anchor (RFC 5280, 6.3.3 (f)).
type signers struct {
	run                         *run
	certificate, issuer, anchor *Certificate
}

// SignersOf implements [revocation.Signers].
func (s signers) SignersOf(list *crl.Header, delegated bool) iter.Seq[*revocation.Certificate] {
	return func(yield func(*revocation.Certificate) bool) {
		r := s.run
		for _, signer := range s.candidates(list) {
			// An authority may name, as the issuer of the list on which the certificate of a signer of lists stands,
			// this signer itself. Nobody else's list can answer then, and the path of this certificate is just being
			// validated.
			self := same(signer, s.certificate) && delegated
			// Trust comes before the signature: anybody can compute a second key for which an ECDSA signature verifies.
			if !self && !s.trusts(signer) {
				if r.exhausted() {
					return
				}
				continue
			}
			if !r.spend(signer.key) || !yield(signer.asked) {
				return
			}
		}
	}
}

// candidates returns the certificates that may sign lists under the name of the list, the most plausible first.
func (s signers) candidates(list *crl.Header) []*Certificate {
	issuer := s.run.listIssuer(list)
	if issuer == nil {
		return nil
	}
	var out []*Certificate
	known := [...]*Certificate{s.issuer, s.anchor, s.certificate}
	add := func(c *Certificate, before []*Certificate) {
		if c.key.Key != nil && c.permits(usageCRLSign) && c.subject.Equal(issuer) &&
			!slices.ContainsFunc(before, func(o *Certificate) bool { return same(o, c) }) {
			out = append(out, c)
		}
	}
	for i, c := range known {
		add(c, known[:i])
	}
	for _, c := range s.run.index.bySubject[issuer.Key] { // none of them twice
		add(c, known[:])
	}
	id := list.AuthorityKeyID
	slices.SortStableFunc(out, func(a, b *Certificate) int {
		return rankOf(mismatch(id, a.subjectKeyID)) - rankOf(mismatch(id, b.subjectKeyID))
	})
	return out
}

// listIssuer reads the name of a list's issuer, once for each call.
func (r *run) listIssuer(list *crl.Header) *names.Name {
	if known, ok := r.listIssuers[list]; ok {
		return known
	}
	s := cryptobyte.String(list.Issuer)
	n, ok := names.Read(&s)
	if !ok {
		n = nil
	}
	if r.listIssuers == nil {
		r.listIssuers = map[*crl.Header]*names.Name{}
	}
	r.listIssuers[list] = n
	return n
}

func rankOf(last bool) int {
	if last {
		return 1
	}
	return 0
}

func same(a, b *Certificate) bool { return a == b || a.fingerprint == b.fingerprint }

func mismatch(a, b []byte) bool { return len(a) > 0 && len(b) > 0 && !bytes.Equal(a, b) }

// trusts decides whether the certificate of a list's signer leads to the anchor of the path (RFC 5280, 6.3.3 (f)). The
// issuer in the path and the anchor are validated already.
func (s signers) trusts(signer *Certificate) bool {
	if same(signer, s.issuer) || same(signer, s.anchor) {
		return true
	}
	r := s.run
	key := [2][sha256.Size]byte{signer.fingerprint, s.anchor.fingerprint}
	if trusted, known := r.signers[key]; known {
		return trusted
	}
	if len(r.pending) >= limits.CRLSigners || slices.Contains(r.pending, signer.fingerprint) {
		return false
	}
	if !r.spend(PublicKey{}) { // a search costs as much, even when it verifies nothing
		return false
	}
	r.pending = append(r.pending, signer.fingerprint)
	anchors := func(a *Certificate) bool { return same(a, s.anchor) }
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
