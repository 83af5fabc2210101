package certpath

import (
	"bytes"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
)

// deltaFor returns the newest delta list that may be combined with the list (RFC 5280, 5.2.4 and 6.3.3 (c)), which the
// same key must have signed (h).
func (s *listSearch) deltaFor(list *revocationList, signer *Certificate) *revocationList {
	for _, d := range s.lists.delta[list.issuer.key] {
		if !sameScope(list.header, d.header) || !bytes.Equal(list.header.AuthorityKeyID, d.header.AuthorityKeyID) ||
			list.header.Number == nil || crl.CompareNumbers(list.header.Number, d.header.BaseNumber) < 0 ||
			crl.CompareNumbers(list.header.Number, d.header.Number) >= 0 || !fresh(d.header, s.query.At) {
			continue
		}
		if s.query.run.signatures++; s.query.run.signatures > limits.PathSignatures {
			return nil
		}
		if d.signedBy(s.ctx, signer) != nil {
			return d
		}
	}
	return nil
}

func sameScope(a, b *crl.Header) bool {
	if a.Scope == nil || b.Scope == nil {
		return a.Scope == b.Scope
	}
	return bytes.Equal(a.Scope.Raw, b.Scope.Raw)
}

func (s *listSearch) deltaEntry(d *revocationList, signer *Certificate) (crl.Entry, bool) {
	verified := d.signedBy(s.ctx, signer)
	if verified == nil {
		return crl.Entry{}, false
	}
	return s.entry(d, verified)
}
