package revocation

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Check implements [Source] (RFC 5280, 6.3.3). A list counts when it is for the leaf: its issuer is that of the
// certificate, or the cRLIssuer of a distribution point for an indirect list; its distribution point is one of the leaf's,
// compared as encoded; and it was signed by the issuer of the certificate, or by a signer whom that issuer certified. Among
// the lists of one scope that are in force at q.At (thisUpdate ≤ t < nextUpdate) the latest is heard, brought up to date by
// the latest delta list for it that is in force; if the lists heard differ, a revocation decides. The certificate is Good
// only when the lists heard cover every reason for a revocation. Lists of a later time can only take away: one that shows a
// revocation effective at q.At, or because of a compromised key, decides; and if one shows a revocation after q.At, the
// answer says so, with that list in its evidence.
//
// Without such lists the error is an [*Error] with [ReasonStatusUnknown].
func (c *Store) Check(ctx context.Context, q Query) (Answer, error) {
	unknown := undecided(MethodCRL)
	if err := ctx.Err(); err != nil {
		return unknown, unknownStatus("crl.context", "", err)
	}
	if !q.keyed() || q.Certificate.known().CA {
		return unknown, unknownStatus(stepQuery, "", nil)
	}
	points := q.Certificate.known().Points
	c.settle(ctx, q.Issuer.known(), points.Issuers)
	s := listSearch{store: c, query: q, serial: q.Certificate.known().Serial}
	for i := range points.List {
		if answer, decided := s.hear(&points.List[i]); decided {
			return answer, nil
		}
	}
	if s.covered != crl.AllReasons {
		return unknown, unknownStatus("crl.covering", "RFC 5280, 6.3.3", nil)
	}
	return s.good(), nil
}

// listSearch is one look for the lists of a certificate.
type listSearch struct {
	store  *Store
	query  Query
	serial []byte

	covered crl.Reasons
	heard   []*storedList // whose answer was that the certificate is not revoked at the time
	deltas  []*storedList // that brought them up to date
	later   struct {      // the latest word on a revocation after the time
		seen   []seriesKey
		event  event
		listed bool
		source *storedList
	}
	known  event // a revocation after the time, as a list in force at the time states it
	listed bool
	series []seriesKey // whose latest list in force was heard
}

// hear looks at the lists of one distribution point; decided is true when one of them shows a revocation.
func (s *listSearch) hear(point *form.Point) (answer Answer, decided bool) {
	s.store.mu.RLock()
	lists := s.store.candidates(s.query.Certificate.known(), point)
	s.store.mu.RUnlock()
	for _, l := range lists {
		if !s.counts(l, point) {
			continue
		}
		later := l.header.ThisUpdate.After(s.query.At)
		if !later && !s.inForce(l) || l.header.IsDelta() && !later {
			continue // a delta list in force is heard with the list that it changes
		}
		if !later {
			if slices.Contains(s.series, l.series) {
				if slices.Contains(s.heard, l) { // for the reasons of this point, too
					s.covered |= point.Reasons & l.reasons
				}
				continue
			}
			s.series = append(s.series, l.series)
		}
		source := l
		var e event
		var listed bool
		if later {
			e, listed = s.lookup(l)
		} else {
			source, e, listed = s.current(l, lists)
		}
		status := Good
		if listed {
			status = e.statusAt(s.query.At)
		}
		if status == Revoked || status == Hold {
			return s.answer(source, status, e), true
		}
		s.note(l, source, point, e, listed, later)
	}
	return answer, false
}

// note keeps what a list said that does not decide.
func (s *listSearch) note(l, source *storedList, point *form.Point, e event, listed, later bool) {
	if later {
		if !slices.Contains(s.later.seen, l.series) { // the latest of its scope speaks first
			s.later.seen = append(s.later.seen, l.series)
			if listed && e.reason != crl.ReasonCodeRemove {
				s.later.event, s.later.listed, s.later.source = e, true, l
			}
		}
		return
	}
	s.covered |= point.Reasons & l.reasons
	s.heard = append(s.heard, l)
	if source != l {
		s.deltas = append(s.deltas, source)
	}
	if listed {
		s.known, s.listed = e, true
	}
}

// counts reports whether a list is for the leaf and is to be believed.
func (s *listSearch) counts(l *storedList, point *form.Point) bool {
	// 6.3.3 (b)(1): "If the DP includes cRLIssuer, then verify that the issuer field in the complete CRL matches cRLIssuer in
	// the DP and that the complete CRL contains an issuing distribution point extension with the indirectCRL boolean
	// asserted."
	if len(point.Issuers) > 0 && !l.indirect {
		return false
	}
	if !bytes.Equal(l.authority, s.query.Issuer.known().KeyInfo) {
		return false
	}
	if l.signer == nil {
		return s.query.Issuer.known().SignsLists
	}
	at := s.query.At
	return !at.Before(l.signer.NotBefore) && !at.After(l.signer.NotAfter) && !s.signerRevoked(l)
}

// signerRevoked reports whether a list that the authority signed itself has the signer's certificate.
func (s *listSearch) signerRevoked(l *storedList) bool {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	for _, direct := range s.store.direct[string(l.authority)] {
		if e, found := direct.lookup(l.signer.Serial); found && e.Reason != crl.ReasonCodeRemove {
			if eventOf(&e).statusAt(s.query.At) != Good {
				return true
			}
		}
	}
	return false
}

func (s *listSearch) inForce(l *storedList) bool {
	return !s.query.At.Before(l.header.ThisUpdate) && s.query.At.Before(l.header.NextUpdate)
}

func (s *listSearch) lookup(l *storedList) (event, bool) {
	e, found := l.lookup(s.serial)
	return eventOf(&e), found
}

// current looks into the complete list, and before it into the latest delta list that it can be combined with (RFC 5280,
// 5.2.4 and 6.3.3 (c), (h) to (k)): the same key and scope, a base at or below its number, a number above it, and in force.
func (s *listSearch) current(l *storedList, lists []*storedList) (source *storedList, e event, listed bool) {
	for _, d := range lists { // latest first
		if !d.header.IsDelta() || d.series.key != l.series.key || d.series.scope != l.series.scope || !s.inForce(d) ||
			crl.CompareNumbers(d.header.BaseNumber, l.header.Number) > 0 || crl.CompareNumbers(l.header.Number, d.header.Number) >= 0 {
			continue
		}
		if e, listed := s.lookup(d); listed {
			if old, listed := s.lookup(l); listed && e.reason != crl.ReasonCodeRemove && e.statusAt(s.query.At) == Good {
				return l, old, true // a change that is announced for later ends nothing today
			}
			// (k): "If (cert_status is removeFromCRL), then set cert_status to UNREVOKED."
			return d, e, e.reason != crl.ReasonCodeRemove
		}
		e, listed = s.lookup(l)
		if listed {
			return l, e, true
		}
		return d, event{}, false
	}
	e, listed = s.lookup(l)
	return l, e, listed
}

// candidates returns the lists for a distribution point, latest first; the caller holds the lock.
func (c *Store) candidates(leaf *form.Facts, point *form.Point) []*storedList {
	issuer := leaf.Issuer
	issuers := point.Issuers
	if len(issuers) == 0 {
		issuers = [][]byte{issuer}
	}
	var found []*storedList
	one := func(issuer, name []byte) {
		switch lists := c.byPoint[listKey{string(issuer), string(name)}]; {
		case len(lists) == 0:
		case len(found) == 0:
			found = lists
		default:
			found = slices.Concat(found, lists)
			slices.SortStableFunc(found, latestFirst)
		}
	}
	for _, issuer := range issuers {
		one(issuer, nil)
		for _, name := range point.Names {
			one(issuer, name)
		}
		// 6.3.3 (b)(2)(i): "If the distribution point name is present in the IDP CRL extension and the distribution field is
		// omitted from the DP, then verify that one of the names in the IDP matches one of the names in the cRLIssuer field of
		// the DP"; the point assumed for lists of the certificate's issuer has the issuer's name.
		if len(point.Names) == 0 {
			one(issuer, issuer)
		}
	}
	return slices.CompactFunc(found, func(a, b *storedList) bool { return a == b })
}

// answer is a revocation.
func (s *listSearch) answer(l *storedList, status Status, e event) Answer {
	a := Answer{
		Status: status, Method: MethodCRL, Reason: e.reason, RevokedAt: e.date,
		ThisUpdate: l.header.ThisUpdate, NextUpdate: l.header.NextUpdate,
	}
	entry, _ := l.lookup(s.serial)
	a.Evidence = joinEvidence([][]byte{l.evidenceOf(&entry)})
	return a
}

// good is the answer when nothing was found and every reason is covered. ThisUpdate and NextUpdate are those of the list
// that bounds the answer most: the oldest one, and the first to end.
func (s *listSearch) good() Answer {
	a := Answer{Status: Good, Method: MethodCRL, Reason: crl.ReasonCodeAbsent}
	e, listed := s.known, s.listed
	if s.later.listed {
		e, listed = s.later.event, true
	}
	if listed {
		a.Reason, a.RevokedAt = e.reason, e.date
	}
	parts := make([][]byte, 0, 4)
	for _, l := range s.heard {
		a.ThisUpdate, a.NextUpdate = bound(a, l, a.ThisUpdate.IsZero())
		parts = append(parts, s.part(l))
	}
	for _, l := range s.deltas {
		parts = append(parts, s.part(l))
	}
	if s.later.listed { // what the answer says of a later revocation, and a policy may refuse, is shown, too
		parts = append(parts, s.part(s.later.source))
	}
	a.Evidence = joinEvidence(parts)
	return a
}

func bound(a Answer, l *storedList, first bool) (from, to time.Time) {
	from, to = l.header.ThisUpdate, l.header.NextUpdate
	if !first && a.ThisUpdate.Before(from) {
		from = a.ThisUpdate
	}
	if !first && a.NextUpdate.Before(to) {
		to = a.NextUpdate
	}
	return from, to
}

// part is the evidence of one list, with its entry of the certificate if there is one.
func (s *listSearch) part(l *storedList) []byte {
	if s.listed || len(s.deltas) > 0 || l == s.later.source {
		if e, found := l.lookup(s.serial); found {
			return l.evidenceOf(&e)
		}
	}
	return l.evidence
}
