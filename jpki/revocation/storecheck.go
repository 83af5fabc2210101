package revocation

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Check implements [Source] (RFC 5280, 6.3.3). A list counts when it is for the certificate: its issuer is that of the
// certificate, or the cRLIssuer of a distribution point for an indirect list; its distribution point is one of the
// certificate's; names are compared as encoded; and it was signed by the issuer of the certificate, or by a signer whom
// that issuer certified.
//
// Without such lists the error is an [*Error] with [ReasonStatusUnknown].
func (c *Store) Check(ctx context.Context, q Query) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return undecided(MethodCRL), unknownStatus("crl.context", "", err)
	}
	if !q.keyed() || q.Certificate.known().CA {
		return undecided(MethodCRL), unknownStatus(stepQuery, "", nil)
	}
	c.settle(ctx, q.Issuer.known(), q.Certificate.known().Points().Issuers)
	return check(ctx, c, &q)
}

// points implements collection.
func (c *Store) points(q *Query) []point {
	leaf := q.Certificate.known()
	own := leaf.Points().List
	out := make([]point, len(own))
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range own {
		out[i] = point{reasons: own[i].Reasons, delegated: len(own[i].Issuers) > 0}
		found := c.candidates(leaf, &own[i])
		out[i].lists = make([]held, len(found))
		for j, l := range found {
			out[i].lists[j] = l
		}
	}
	return out
}

// candidates returns the lists for a distribution point, latest first; the caller holds the lock.
func (c *Store) candidates(leaf *form.Facts, point *form.Point) []*storedList {
	issuers := point.Issuers
	if len(issuers) == 0 {
		issuers = [][]byte{leaf.Issuer}
	}
	var found []*storedList
	one := func(issuer, name []byte) {
		switch lists := c.byPoint[listKey{string(issuer), string(name)}]; {
		case len(lists) == 0:
		case len(found) == 0:
			found = lists
		default:
			found = slices.Concat(found, lists)
			slices.SortStableFunc(found, func(a, b *storedList) int { return latestFirst(&a.list, &b.list) })
		}
	}
	for _, issuer := range issuers {
		one(issuer, nil)
		for _, name := range point.Names {
			one(issuer, name)
		}
		// 6.3.3 (b)(2)(i): "If the distribution point name is present in the IDP CRL extension and the distribution
		// field is omitted from the DP, then verify that one of the names in the IDP matches one of the names in the
		// cRLIssuer field of the DP"; the point assumed for lists of the certificate's issuer has the issuer's name.
		if len(point.Names) == 0 {
			one(issuer, issuer)
		}
	}
	return slices.CompactFunc(found, func(a, b *storedList) bool { return a == b })
}

// open implements collection: the signature was verified when the list came in, and here it is whose key it was.
func (c *Store) open(_ context.Context, q *Query, h held, _ bool) *signedList {
	l := h.(*storedList) //nolint:forcetypeassert // the store has no others
	issuer := q.Issuer.known()
	switch {
	case l.missing || !bytes.Equal(l.authority, issuer.KeyInfo):
		return nil
	case l.signer == nil && issuer.SignsLists,
		l.signer != nil && within(q.At, l.signer.NotBefore, l.signer.NotAfter) &&
			!c.signerRevoked(l, q.At):
		return l.signedList
	}
	return nil
}

// signerRevoked reports whether a list that the authority signed itself has the signer's certificate.
func (c *Store) signerRevoked(l *storedList, at time.Time) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, direct := range c.direct[string(l.authority)] {
		if e, found := direct.lookup(
			l.signer,
		); found && e.Reason != crl.ReasonCodeRemove &&
			eventOf(&e).statusAt(at) != Good {
			return true
		}
	}
	return false
}
