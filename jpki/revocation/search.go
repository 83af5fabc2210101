package revocation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Steps of the validation of one revocation list (RFC 5280, 6.3.3).
var (
	ruleListIssuer = rule{"crl.issuer", "RFC 5280, 6.3.3 (b)(1)", ReasonStatusUnknown}
	ruleListName   = rule{"crl.distribution-point", "RFC 5280, 6.3.3 (b)(2)(i)", ReasonStatusUnknown}
	ruleListNumber = rule{"crl.number", "RFC 5280, 5.2.3", ReasonStatusUnknown}
	ruleListScope  = rule{"crl.scope", "RFC 5280, 6.3.3 (b)(2)", ReasonStatusUnknown}
	ruleListFresh  = rule{"crl.freshness", "RFC 5280, 6.3.3 (a)", ReasonStatusUnknown}
	ruleListSigner = rule{"crl.signer", "RFC 5280, 6.3.3 (f)", ReasonStatusUnknown}
	ruleDelta      = rule{"crl.delta", "RFC 5280, 6.3.3 (c) and (h)", ReasonStatusUnknown}
	ruleListEntry  = rule{"crl.entry", "RFC 5280, 6.3.3 (i) and (j)", ReasonStatusUnknown}
	// ruleListMissing: RFC 5280 knows no store that loses lists.
	ruleListMissing = rule{"crl.missing", "", ReasonListIncomplete}
	ruleCovering    = rule{"crl.covering", "RFC 5280, 6.3.3", ReasonStatusUnknown}
)

// collection is where a search finds lists: a [Store] or [Lists].
type collection interface {
	// points returns the distribution points of the certificate with the lists that may be for them, the newest first,
	// and the point that RFC 5280, 6.3.3 assumes last.
	points(q *Query) []point
	// open returns the list behind its signature if its signer may speak for the issuer in the query.
	open(ctx context.Context, q *Query, l held, delegated bool) *signedList
}

// held is a list in a collection.
type held interface{ base() *list }

// point is a distribution point and the lists that may be for it.
type point struct {
	reasons   crl.Reasons
	delegated bool              // it has cRLIssuer
	covers    func(l held) bool // whether a list has one of its names; nil when all have
	lists     []held
}

// search is RFC 5280, 6.3.3 for one certificate. Every list that is for it and in force is heard, of several of one
// series the newest, brought up to date by the latest delta list for it; if the lists differ, a revocation decides.
// Good takes lists that cover every reason. What was issued after the time that is asked for can only take away.
type search struct {
	ctx    context.Context //nolint:containedctx // lives as long as the call
	lists  collection
	query  *Query
	facts  *form.Facts
	points []point

	covered crl.Reasons
	steps   []Step
	heard   []spoken // in force: the certificate is not revoked at the time
	series  []series // of which the newest list in force was heard
	later   struct { // the latest word on a revocation after the time
		series []series
		known  *spoken
	}
	revoked *spoken
	// missing: a list that has to be heard was lost.
	missing bool
	status  Status
	refused []error
}

// spoken is what a list said.
type spoken struct {
	list   *list
	signed *signedList
	delta  *spoken // brought it up to date
	entry  crl.Entry
	listed bool
}

// check answers a query from a collection.
func check(ctx context.Context, c collection, q *Query) (Answer, error) {
	s := search{ctx: ctx, lists: c, query: q, facts: q.Certificate.known(), points: c.points(q)}
	s.steps = make([]Step, 0, 8)
	for i := range s.points {
		p := &s.points[i]
		for _, l := range p.lists {
			if err := s.hear(p, l); err != nil {
				s.refused = append(s.refused, err)
			}
			if s.revoked != nil {
				return s.answer(), nil
			}
		}
	}
	if s.covered != crl.AllReasons || s.missing {
		return undecided(MethodCRL), ruleCovering.because(errors.Join(s.refused...))
	}
	return s.good(), nil
}

// hear applies one list to the certificate.
func (s *search) hear(p *point, h held) error {
	l := h.base()
	later := l.header.ThisUpdate.After(s.query.At)
	if l.header.IsDelta() && !later {
		return nil // a delta list in force is heard with the list that it changes
	}
	known := !later && slices.Contains(s.series, l.series)
	switch {
	// (b)(1): "If the DP includes cRLIssuer, then verify that the issuer field in the complete CRL matches cRLIssuer in
	// the DP and that the complete CRL contains an issuing distribution point extension with the indirectCRL boolean
	// asserted."
	case p.delegated && !l.indirect:
		return ruleListIssuer.because(nil)
	case p.covers != nil && !p.covers(h):
		return ruleListName.because(nil)
	case l.unnumbered:
		return ruleListNumber.because(nil)
	case !l.isFor(s.facts):
		return ruleListScope.because(nil)
	case !later && !l.missing && !l.inForce(s.query.At):
		return ruleListFresh.because(nil)
	case l.missing:
		s.missing = true
		return ruleListMissing.because(nil)
	case known:
		// Heard already, or older than the one of its series that was heard; the same list may count for another point,
		// too.
		if slices.ContainsFunc(s.heard, func(h spoken) bool { return h.list == l }) {
			s.covered |= p.reasons & l.reasons
		}
		return nil
	}
	signed := s.lists.open(s.ctx, s.query, h, p.delegated)
	if signed == nil {
		return ruleListSigner.because(nil)
	}
	word := spoken{list: l, signed: signed}
	word.entry, word.listed = signed.lookup(s.facts)
	if !later {
		s.series = append(s.series, l.series)
		s.update(p, &word)
	}
	status := Good
	if word.current().listed {
		status = eventOf(&word.current().entry).statusAt(s.query.At)
	}
	switch {
	case status == Revoked || status == Hold:
		s.revoked, s.status = &word, status
		s.note(&word, false)
	case status == Unknown && !later: // removeFromCRL in a complete list
		return ruleListEntry.because(nil)
	case later:
		s.announce(&word)
	default:
		s.note(&word, true)
		s.covered |= p.reasons & l.reasons // (l)
		s.heard = append(s.heard, word)
	}
	return nil
}

// update looks for the latest delta list that the list can be combined with (RFC 5280, 5.2.4 and 6.3.3 (c), (h) to
// (k)): the same key and scope, a base at or below its number, a number above it, and in force.
func (s *search) update(p *point, word *spoken) {
	number := word.list.header.Number
	if number == nil {
		return
	}
	for _, h := range p.lists { // latest first
		d := h.base()
		if d.missing && d.header.IsDelta() && d.changes(word.list) && crl.CompareNumbers(number, d.header.Number) < 0 {
			s.missing = true
			s.refused = append(s.refused, ruleListMissing.because(nil))
			continue
		}
		if !d.header.IsDelta() || !d.changes(word.list) || !d.inForce(s.query.At) ||
			crl.CompareNumbers(d.header.BaseNumber, number) > 0 || crl.CompareNumbers(number, d.header.Number) >= 0 {
			continue
		}
		signed := s.lists.open(s.ctx, s.query, h, p.delegated)
		if signed == nil || signed.key != word.signed.key {
			continue
		}
		change := spoken{list: d, signed: signed}
		if change.entry, change.listed = signed.lookup(s.facts); change.listed {
			gone := change.entry.Reason == crl.ReasonCodeRemove
			if word.listed && !gone && eventOf(&change.entry).statusAt(s.query.At) == Good {
				return // a change that is announced for later ends nothing today
			}
			change.listed = !gone // (k): "If (cert_status is removeFromCRL), then set cert_status to UNREVOKED."
		} else {
			change.entry, change.listed = word.entry, word.listed
			if word.listed {
				return // the delta list has nothing new
			}
		}
		word.delta = &change
		return
	}
}

// current is the word that counts: the delta list's, if there is one.
func (w *spoken) current() *spoken {
	if w.delta != nil {
		return w.delta
	}
	return w
}

// announce keeps what a later list says of a revocation; the latest of its series speaks.
func (s *search) announce(word *spoken) {
	if slices.Contains(s.later.series, word.list.series) {
		return
	}
	s.later.series = append(s.later.series, word.list.series)
	if word.listed && word.entry.Reason != crl.ReasonCodeRemove {
		s.later.known = word
	}
}

// note records the steps of a list that decides something.
func (s *search) note(word *spoken, good bool) {
	for _, r := range [...]rule{ruleListIssuer, ruleListName, ruleListScope, ruleListFresh, ruleListSigner} {
		s.steps = append(s.steps, Step{Name: r.name, Clause: r.clause, OK: true})
	}
	if word.delta != nil {
		s.steps = append(s.steps, Step{Name: ruleDelta.name, Clause: ruleDelta.clause, OK: true})
	}
	s.steps = append(s.steps, Step{Name: ruleListEntry.name, Clause: ruleListEntry.clause, OK: good})
}

// answer is a revocation.
func (s *search) answer() Answer {
	word := s.revoked.current()
	e := &word.entry
	source := word
	if _, own := word.signed.lookup(s.facts); !own {
		source = s.revoked
	}
	a := Answer{
		Status: s.status, Method: MethodCRL, Reason: e.Reason, RevokedAt: e.RevokedAt, Steps: s.steps,
		ThisUpdate: source.list.header.ThisUpdate, NextUpdate: source.list.header.NextUpdate,
	}
	a.Evidence = joinEvidence([][]byte{source.signed.evidenceOf(e)})
	return a
}

// good is the answer when nothing was found and every reason is covered. ThisUpdate and NextUpdate are those of the
// list that bounds the answer most: the oldest one, and the first to end.
func (s *search) good() Answer {
	a := Answer{Status: Good, Method: MethodCRL, Reason: crl.ReasonCodeAbsent, Steps: s.steps}
	if len(s.heard) == 1 && !s.heard[0].listed && s.heard[0].delta == nil && s.later.known == nil { // nearly always
		l := s.heard[0].list
		a.ThisUpdate, a.NextUpdate, a.Evidence = l.header.ThisUpdate, l.header.NextUpdate, s.heard[0].signed.alone
		return a
	}
	parts := make([][]byte, 0, 4)
	for i := range s.heard {
		h := &s.heard[i]
		if e := &h.current().entry; h.current().listed {
			a.Reason, a.RevokedAt = e.Reason, e.RevokedAt
		}
		from, to := h.list.header.ThisUpdate, h.list.header.NextUpdate
		if h.delta != nil {
			from, to = h.delta.list.header.ThisUpdate, earlier(to, h.delta.list.header.NextUpdate)
		}
		if i == 0 {
			a.ThisUpdate, a.NextUpdate = from, to
		}
		a.ThisUpdate, a.NextUpdate = earlier(a.ThisUpdate, from), earlier(a.NextUpdate, to)
		parts = append(parts, s.part(h))
	}
	for i := range s.heard {
		if d := s.heard[i].delta; d != nil {
			parts = append(parts, s.part(d))
		}
	}
	// what the answer says of a later revocation, and a policy may refuse, is shown, too
	if l := s.later.known; l != nil {
		a.Reason, a.RevokedAt = l.entry.Reason, l.entry.RevokedAt
		parts = append(parts, s.part(l))
	}
	a.Evidence = joinEvidence(parts)
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// part is the evidence of one list, with its entry of the certificate if there is one.
func (s *search) part(w *spoken) []byte {
	if e, found := w.signed.lookup(s.facts); found {
		return w.signed.evidenceOf(&e)
	}
	return w.signed.evidence
}
