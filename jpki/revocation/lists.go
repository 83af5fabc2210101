package revocation

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// Signers knows who may sign revocation lists on behalf of an issuer (RFC 5280, 6.3.3 (f)): the issuer itself, and
// whoever has a certificate with the name of the list's issuer and a path of its own to the anchor of the path. Package
// certpath brings one with its queries.
type Signers interface {
	// SignersOf yields each certificate that has the list's issuer as its subject, may sign lists and is to be trusted
	// for it, the most plausible first. delegated is true when the distribution point names the list's issuer. Each
	// certificate may cost a signature to check, so that who has found the signer stops.
	SignersOf(list *crl.Header, delegated bool) iter.Seq[*Certificate]
}

// Lists is a fixed set of certificate revocation lists of any hierarchy: complete and delta lists, lists for
// distribution points, for some reasons or kinds of certificates, and indirect lists of other issuers. Names are
// compared by RFC 5280, 7.1. Nothing about a list is trusted before the query says who may sign it, [Query.Signers]. It
// is immutable and safe for concurrent use. The zero value has no list.
type Lists struct {
	// byIssuer has the lists by the canonical name of their issuer, latest first.
	byIssuer map[string][]*openList
}

// openList is a list of which nobody has said yet whose it is.
type openList struct {
	list

	unverified *crl.Unverified
	issuer     *names.Name
	points     []names.General // of issuingDistributionPoint; nil when absent
	memo       atomic.Pointer[signedList]
}

// NewLists takes lists that package crl has read. One without cRLNumber, or with a critical one, decides nothing:
// "Conforming CRL issuers are REQUIRED to include this extension in all CRLs and MUST mark this extension as
// non-critical" (RFC 5280, 5.2.3). Errors are [*Error] with [ReasonList]: a name in a header is not one; or
// [ReasonConfiguration] for a nil list.
func NewLists(lists ...*crl.Unverified) (*Lists, error) { return newLists(lists, false) }

// NewArchivedLists is [NewLists] for lists from before RFC 5280, which may have no cRLNumber. Of several lists of one
// issuer without numbers the one with the latest thisUpdate counts.
func NewArchivedLists(lists ...*crl.Unverified) (*Lists, error) { return newLists(lists, true) }

func newLists(lists []*crl.Unverified, archived bool) (*Lists, error) {
	out := &Lists{byIssuer: map[string][]*openList{}}
	for _, u := range lists {
		if u == nil {
			return nil, &Error{Reason: ReasonConfiguration, Step: "crl.lists"}
		}
		l, ok := newOpenList(u)
		if !ok {
			return nil, badList("names", "RFC 5280, 5.2.5")
		}
		l.unnumbered = !archived && (l.header.Number == nil || l.header.NumberCritical)
		out.byIssuer[l.issuer.Key] = append(out.byIssuer[l.issuer.Key], l)
	}
	for _, set := range out.byIssuer {
		slices.SortStableFunc(set, newestNumberFirst)
	}
	return out, nil
}

func newestNumberFirst(a, b *openList) int {
	if n := crl.CompareNumbers(b.header.Number, a.header.Number); n != 0 {
		return n
	}
	return b.header.ThisUpdate.Compare(a.header.ThisUpdate)
}

func newOpenList(u *crl.Unverified) (*openList, bool) {
	h := u.Header()
	issuer, ok := canonical(h.Issuer)
	if !ok || issuer.Empty() {
		return nil, false
	}
	l := &openList{unverified: u, issuer: issuer}
	// Authorities of one name may be one authority with a new key or two with a list each: what the list says of its
	// key tells them apart, and the signature decides whether it is true.
	l.list = newList(h, issuer.Key+"\x00"+string(h.AuthorityKeyID))
	l.points, ok = names.ListNames(h)
	return l, ok
}

// Check implements [Source].
func (l *Lists) Check(ctx context.Context, q Query) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return undecided(MethodCRL), unknownStatus("crl.context", "", err)
	}
	if !q.valid() || q.Certificate.known().Canonical().Issuer == nil {
		return undecided(MethodCRL), unknownStatus(stepQuery, "", nil)
	}
	return check(ctx, l, &q)
}

// points implements collection.
func (l *Lists) points(q *Query) []point {
	known := q.Certificate.known().Canonical()
	out := make([]point, 0, len(known.Points)+1)
	for _, p := range append(known.Points[:len(known.Points):len(known.Points)], names.Assumed(known.Issuer)) {
		one := point{reasons: p.Reasons, delegated: len(p.Issuers) > 0}
		one.covers = func(h held) bool {
			list := h.(*openList) //nolint:forcetypeassert // the set has no others
			return list.points == nil || p.Names(list.points, known.Issuer)
		}
		issuers := []string{known.Issuer.Key}
		if one.delegated {
			issuers = nil
			for i := range p.Issuers {
				if g := &p.Issuers[i]; g.Form == names.FormDirectory && !slices.Contains(issuers, g.Key) {
					issuers = append(issuers, g.Key)
				}
			}
		}
		for _, issuer := range issuers {
			for _, o := range l.byIssuer[issuer] {
				one.lists = append(one.lists, o)
			}
		}
		// What covers the time is heard first.
		slices.SortStableFunc(one.lists, func(a, b held) int {
			return rank(a.base().header.ThisUpdate.After(q.At)) - rank(b.base().header.ThisUpdate.After(q.At))
		})
		out = append(out, one)
	}
	return out
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}

// open implements collection. Trust comes before the signature: anybody can compute a second key for which an ECDSA
// signature verifies.
func (l *Lists) open(ctx context.Context, q *Query, h held, delegated bool) (found *signedList) {
	own := h.(*openList) //nolint:forcetypeassert // as above
	if q.Signers != nil {
		for signer := range q.Signers.SignersOf(own.header, delegated) {
			if found = own.signedBy(ctx, signer.known()); found != nil {
				break
			}
		}
		return found
	}
	if issuer := q.Issuer.known(); issuer.SignsLists && issuer.Canonical().Subject != nil &&
		issuer.Canonical().Subject.Equal(own.issuer) {
		found = own.signedBy(ctx, q.Issuer.known())
	}
	return found
}

// signedBy verifies the signature of the list with the key of the signer. A signature that verified once always does,
// so that it is verified once and not for every certificate.
func (l *openList) signedBy(ctx context.Context, signer *form.Facts) *signedList {
	if signer == nil || signer.Key == nil {
		return nil
	}
	if known := l.memo.Load(); known != nil && known.key == signer.KeyHash() {
		return known
	}
	verified, err := l.unverified.Verify(ctx, signer.Key)
	if err != nil {
		return nil
	}
	signed := newSignedList(verified, l.indirect)
	l.memo.Store(signed)
	return signed
}
