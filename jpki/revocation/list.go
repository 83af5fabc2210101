package revocation

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// list is a revocation list with what it is found and compared by.
type list struct {
	header   *crl.Header
	series   series
	reasons  crl.Reasons // that it covers
	indirect bool
	// missing: the newest list of its series, which was in the store and is not there any more.
	missing bool
	// unnumbered: it has no cRLNumber, or a critical one.
	unnumbered bool
}

// series is one authority's lists for one scope, of which each replaces the one before.
type series struct {
	key   string // who signs: a hash of the key, or, as long as it is not known, what the list says of it
	scope string // DER of issuingDistributionPoint
	delta bool
}

func newList(h *crl.Header, key string) list {
	l := list{header: h, series: series{key, scopeOf(h), h.IsDelta()}, reasons: crl.AllReasons}
	if h.Scope != nil {
		l.reasons, l.indirect = h.Scope.OnlySomeReasons&crl.AllReasons, h.Scope.Indirect
	}
	return l
}

func (l *list) base() *list { return l }

func scopeOf(h *crl.Header) string {
	if h.Scope == nil {
		return ""
	}
	return string(h.Scope.Raw)
}

// inForce reports whether the list says something about the time. One without nextUpdate does not (RFC 5280, 5.1.2.5).
func (l *list) inForce(at time.Time) bool {
	return !at.Before(l.header.ThisUpdate) && at.Before(l.header.NextUpdate)
}

// isFor is RFC 5280, 6.3.3 (b)(2)(ii) to (iv).
func (l *list) isFor(c *form.Facts) bool {
	scope := l.header.Scope
	switch {
	case scope == nil:
		return true
	case scope.OnlyAttributeCerts:
		return false
	case c.CA:
		return !scope.OnlyUserCerts
	default:
		return !scope.OnlyCACerts
	}
}

// changes reports whether a delta list is of the same key and scope as a complete one.
func (l *list) changes(complete *list) bool {
	return l.series.key == complete.series.key && l.series.scope == complete.series.scope
}

// signedList is a list whose signature was verified.
type signedList struct {
	*crl.List

	key [32]byte // hash of the key that signed it
	// issuers are the certificate issuers of an indirect list, as it encodes them, by their canonical form.
	issuers  map[string][][]byte
	indirect bool
	evidence []byte // without an entry
	alone    []byte // the same as an array of one, which most answers have
}

func newSignedList(l *crl.List, indirect bool) *signedList {
	s := &signedList{List: l, key: l.KeySHA256(), indirect: indirect}
	s.alone = joinEvidence([][]byte{s.evidenceOf(nil)})
	s.evidence = s.alone[1 : len(s.alone)-1 : len(s.alone)-1]
	if all := l.CertificateIssuers(); len(all) > 1 && indirect {
		s.issuers = map[string][][]byte{}
		for _, raw := range all {
			if n, ok := canonical(raw); ok {
				s.issuers[n.Key] = append(s.issuers[n.Key], bytes.Clone(raw))
			}
		}
	}
	return s
}

func canonical(raw []byte) (*names.Name, bool) {
	s := cryptobyte.String(raw)
	n, ok := names.Read(&s)
	return n, ok && s.Empty()
}

// lookup finds a certificate. Names of issuers are compared by RFC 5280, 7.1; a list compares bytes, so it is asked
// with the encodings that it has.
func (s *signedList) lookup(c *form.Facts) (crl.Entry, bool) {
	own := s.Header().Issuer
	if bytes.Equal(own, c.Issuer) {
		if e, found := s.Lookup(own, c.Serial); found {
			return e, true
		}
	}
	if s.issuers == nil && bytes.Equal(own, c.Issuer) {
		return crl.Entry{}, false
	}
	issuer := c.Canonical().Issuer
	if issuer == nil {
		return crl.Entry{}, false
	}
	spellings := s.issuers[issuer.Key]
	if s.issuers == nil {
		if n, ok := canonical(own); !ok || n.Key != issuer.Key {
			return crl.Entry{}, false
		}
		spellings = [][]byte{own}
	}
	for _, raw := range spellings {
		if e, found := s.Lookup(raw, c.Serial); found {
			return e, true
		}
	}
	return crl.Entry{}, false
}

// latestFirst orders lists. Two lists of one second are told apart by their numbers (RFC 5280, 5.2.3).
func latestFirst(a, b *list) int {
	return cmp.Or(
		b.header.ThisUpdate.Compare(a.header.ThisUpdate),
		crl.CompareNumbers(b.header.Number, a.header.Number),
	)
}

// checkHeader refuses a list that could never decide anything in a [Store].
func checkHeader(h *crl.Header) error {
	switch {
	// 5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs." Without it nobody knows until
	// when the list may be believed.
	case h.NextUpdate.IsZero():
		return badList("next-update", "RFC 5280, 5.1.2.5")
	case len(h.AuthorityKeyID) == 0:
		return badList("authority-key-id", "RFC 5280, 5.2.1")
	// "Conforming CRL issuers are REQUIRED to include this extension in all CRLs and MUST mark this extension as
	// non-critical."
	case h.Number == nil, h.NumberCritical:
		return badList("number", "RFC 5280, 5.2.3")
	// "If a CRL contains a critical extension that the application cannot process, then the application MUST NOT use
	// that CRL to determine the status of certificates."
	case len(h.UnknownCritical) > 0:
		return badList("critical-extensions", "RFC 5280, 5.2")
	case h.Scope == nil:
		return nil
	case h.Scope.OnlyCACerts || h.Scope.OnlyAttributeCerts:
		return badList("issuing-distribution-point", "RFC 5280, 5.2.5")
	case h.Scope.Name != nil:
		// JPKI's points are directory names; a list with other names only would be found by no certificate.
		if own, _ := form.DirectoryNames(
			h.Scope.Name.Names(h.Issuer),
		); len(own) == 0 ||
			len(own) > limits.DistributionPoints {
			return badList("issuing-distribution-point", "RFC 5280, 5.2.5")
		}
	}
	return nil
}

// newerThan compares two lists of one series (RFC 5280, 5.2.3).
func newerThan(h, old *crl.Header) bool {
	return crl.CompareNumbers(h.Number, old.Number) > 0 && !h.ThisUpdate.Before(old.ThisUpdate)
}

// inOrder sorts lists by their numbers, which decide what is newer, and leaves out those that claim a later time than a
// list with a higher number of the same series.
func inOrder(lists []*storedList) []*storedList {
	slices.SortStableFunc(
		lists,
		func(a, b *storedList) int { return crl.CompareNumbers(b.header.Number, a.header.Number) },
	)
	kept := lists[:0]
	for _, l := range lists { // highest number first
		if !slices.ContainsFunc(kept, func(k *storedList) bool {
			return k.series == l.series && k.header.ThisUpdate.Before(l.header.ThisUpdate)
		}) {
			kept = append(kept, l)
		}
	}
	slices.Reverse(kept)
	return kept
}
