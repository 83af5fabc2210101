package certpath

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// Steps of the validation of one revocation list (RFC 5280, 6.3.3).
var (
	ruleListIssuer   = rule{"crl.issuer", "RFC 5280, 6.3.3 (b)(1)", ReasonRevocationUnknown}
	ruleListName     = rule{"crl.distribution-point", "RFC 5280, 6.3.3 (b)(2)(i)", ReasonRevocationUnknown}
	ruleListScope    = rule{"crl.scope", "RFC 5280, 6.3.3 (b)(2)", ReasonRevocationUnknown}
	ruleListReasons  = rule{"crl.reasons", "RFC 5280, 6.3.3 (e)", ReasonRevocationUnknown}
	ruleListFresh    = rule{"crl.freshness", "RFC 5280, 6.3.3 (a)", ReasonRevocationUnknown}
	ruleListSigner   = rule{"crl.signer", "RFC 5280, 6.3.3 (f)", ReasonRevocationUnknown}
	ruleDelta        = rule{"crl.delta", "RFC 5280, 6.3.3 (c) and (h)", ReasonRevocationUnknown}
	ruleListEntry    = rule{"crl.entry", "RFC 5280, 6.3.3 (i) and (j)", ReasonRevoked}
	ruleListComplete = rule{"crl.all-reasons", "RFC 5280, 6.3.3", ReasonRevocationUnknown}
	ruleListOutside  = rule{"crl.query", "RFC 5280, 6.3.2", ReasonRevocationUnknown}
)

// Lists is a set of certificate revocation lists that applies RFC 5280, 6.3 for the validator that asks it: complete and
// delta lists, lists for distribution points, for some reasons or kinds of certificates, and indirect lists of other issuers.
// Nothing about a list is trusted before its signer has a valid path of its own to the same anchor. It is immutable and safe
// for concurrent use.
type Lists struct {
	// complete and delta are ordered by issuer, each with the newest list first.
	complete, delta map[string][]*revocationList
}

// NewLists takes lists that package crl has read. Errors are [*Error] with [ReasonMalformed]: a name in a header is not one.
func NewLists(lists ...*crl.Unverified) (*Lists, error) {
	l := &Lists{complete: map[string][]*revocationList{}, delta: map[string][]*revocationList{}}
	for _, u := range lists {
		if u == nil {
			return nil, misconfigured("lists")
		}
		list, ok := newRevocationList(u)
		if !ok {
			return nil, malformedList()
		}
		if list.header.IsDelta() {
			l.delta[list.issuer.key] = append(l.delta[list.issuer.key], list)
		} else {
			l.complete[list.issuer.key] = append(l.complete[list.issuer.key], list)
		}
	}
	for _, set := range [...]map[string][]*revocationList{l.complete, l.delta} {
		for _, lists := range set {
			slices.SortStableFunc(lists, newestFirst)
		}
	}
	return l, nil
}

func malformedList() *Error {
	return &Error{Reason: ReasonMalformed, Step: "crl.names", Clause: "RFC 5280, 5.2.5", Certificate: -1}
}

// Check implements [RevocationSource] for queries of a [Validator].
func (l *Lists) Check(ctx context.Context, q RevocationQuery) (RevocationAnswer, error) {
	s := &listSearch{lists: l, query: q, ctx: ctx, status: Unknown}
	s.answer = RevocationAnswer{Method: methodCRL, Reason: reasonAbsent}
	if q.run == nil || q.Certificate == nil || q.Issuer == nil {
		return s.answer, unknown(ruleListOutside)
	}
	for i := range q.Certificate.points {
		if s.point(&q.Certificate.points[i]); s.decided() {
			break
		}
	}
	if !s.decided() {
		// "If the revocation status has not been determined, repeat the process above with any available CRLs not specified in a
		// distribution point but issued by the certificate issuer. For the processing of such a CRL, assume a DP with both the
		// reasons and the cRLIssuer fields omitted and a distribution point name of the certificate issuer."
		issuer := q.Certificate.issuer
		s.point(&distributionPoint{hasName: true, full: []generalName{{form: formDirectory, directory: issuer, key: issuer.key}}})
	}
	return s.finish()
}

const methodCRL = "CRL"

func unknown(r rule) *Error {
	return &Error{Reason: ReasonRevocationUnknown, Step: r.name, Clause: r.clause, Certificate: -1}
}

// listSearch is the state of RFC 5280, 6.3.3 for one certificate.
type listSearch struct {
	lists   *Lists
	query   RevocationQuery
	ctx     context.Context //nolint:containedctx // lives as long as the call
	mask    reasonMask      // reasons_mask
	keys    [][]byte        // key identifiers of the lists that filled it
	status  Status          // Revoked or Hold once an entry was found
	answer  RevocationAnswer
	refused []error
}

func (s *listSearch) decided() bool {
	return s.status == Revoked || s.status == Hold || s.mask == allReasons
}

func (s *listSearch) finish() (RevocationAnswer, error) {
	switch {
	case s.status == Revoked || s.status == Hold:
		s.answer.Status = s.status
	case s.mask == allReasons:
		s.answer.Status = Good
	default:
		s.answer.Steps = nil
		if s.mask != 0 || len(s.refused) == 0 {
			s.refused = append(s.refused, unknown(ruleListComplete))
		}
		return s.answer, errors.Join(s.refused...)
	}
	return s.answer, nil
}

// point goes through the lists for one distribution point.
func (s *listSearch) point(p *distributionPoint) {
	for _, list := range s.candidates(p) {
		// A list that was issued after the time that is asked for can only take away: it may show that the certificate was
		// revoked by then, never that it was not.
		later := list.header.ThisUpdate.After(s.query.At)
		// So may a list of another key: authorities of one name may be one authority with a new key or two with a list each.
		against := later || s.mask == allReasons && !slices.ContainsFunc(s.keys, func(id []byte) bool {
			return bytes.Equal(id, list.header.AuthorityKeyID)
		})
		if s.decided() && (!against || s.status != Unknown) {
			continue
		}
		if err := s.list(p, list, later, against); err != nil {
			s.refused = append(s.refused, err)
		}
	}
}

// candidates returns the complete lists of the issuers that the point names (RFC 5280, 6.3.3 (b)(1)), those that cover the
// time first.
func (s *listSearch) candidates(p *distributionPoint) []*revocationList {
	var out []*revocationList
	if len(p.issuers) == 0 {
		out = append(out, s.lists.complete[s.query.Certificate.issuer.key]...)
	}
	for i := range p.issuers {
		if g := &p.issuers[i]; g.form == formDirectory {
			out = append(out, s.lists.complete[g.key]...)
		}
	}
	slices.SortStableFunc(out, func(a, b *revocationList) int {
		return rankOf(a.header.ThisUpdate.After(s.query.At)) - rankOf(b.header.ThisUpdate.After(s.query.At))
	})
	return out
}

func rankOf(last bool) int {
	if last {
		return 1
	}
	return 0
}

// list applies one list, which was issued later than the time or is heard only for what it says against the certificate.
// Its steps are kept when it decided something.
func (s *listSearch) list(p *distributionPoint, list *revocationList, later, against bool) error {
	var r record
	interim := list.reasons(p) // (d)
	if err := r.all(-1,
		check{ruleListIssuer, len(p.issuers) == 0 || list.indirect()},
		check{ruleListName, list.covers(p, s.query.Certificate.issuer)},
		check{ruleListScope, list.scopeFits(s.query.Certificate)},
		check{ruleListReasons, against || interim&^s.mask != 0},
		check{ruleListFresh, later || fresh(list.header, s.query.At)},
	); err != nil {
		return err
	}
	verified, signer := s.verify(p, list)
	if err := r.require(ruleListSigner, -1, verified != nil); err != nil {
		return err
	}
	e, found := s.entry(list, verified)
	thisUpdate, nextUpdate := list.header.ThisUpdate, list.header.NextUpdate
	if delta := s.deltaFor(list, signer); delta != nil && !later {
		_ = r.require(ruleDelta, -1, true)
		thisUpdate, nextUpdate = delta.header.ThisUpdate, delta.header.NextUpdate
		if changed, in := s.deltaEntry(delta, signer); in {
			e, found = changed, changed.Reason != crl.ReasonCodeRemove // (i) and (k)
		}
	}
	status := Good
	if found {
		status = statusAt(&e, s.query.At)
	}
	if status == Unknown { // removeFromCRL in a complete list
		return unknown(ruleListEntry)
	}
	if against && status == Good {
		return nil
	}
	_ = r.require(ruleListEntry, -1, status == Good)
	s.answer.Steps = append(s.answer.Steps, r.steps...)
	s.answer.ThisUpdate, s.answer.NextUpdate = thisUpdate, nextUpdate
	if found {
		s.answer.Reason, s.answer.RevokedAt = int(e.Reason), e.RevokedAt
	}
	if status == Good {
		s.mask |= interim // (l)
		s.keys = append(s.keys, list.header.AuthorityKeyID)
		return nil
	}
	s.status = status
	return nil
}

// entry finds the certificate in a verified list. Names of issuers are compared by RFC 5280, 7.1; a list compares bytes, so
// it is asked with the encoding that it has.
func (s *listSearch) entry(list *revocationList, verified *crl.List) (crl.Entry, bool) {
	want := s.query.Certificate.issuer
	for i, raw := range verified.CertificateIssuers() {
		if i > 0 && !list.indirect() {
			break
		}
		if !bytes.Equal(raw, want.raw) {
			in := cryptobyte.String(raw)
			n, ok := readName(&in)
			if !ok || !n.equal(want) {
				continue
			}
		}
		if e, found := verified.Lookup(raw, s.query.Certificate.serial); found {
			return e, true
		}
	}
	return crl.Entry{}, false
}

// statusAt applies the policy for times before a revocation. The certificate counts as revoked from the earlier of the
// revocation date and the invalidity date (RFC 5280, 5.3.2). Before that it was good, unless a key was compromised: nobody
// knows since when. removeFromCRL makes sense in a delta list only (5.3.1).
func statusAt(e *crl.Entry, at time.Time) Status {
	if e.Reason == crl.ReasonCodeRemove {
		return Unknown
	}
	from := e.RevokedAt
	if !e.InvalidFrom.IsZero() && e.InvalidFrom.Before(from) {
		from = e.InvalidFrom
	}
	compromised := e.Reason == crl.ReasonCodeKeyCompromise || e.Reason == crl.ReasonCodeCACompromise ||
		e.Reason == crl.ReasonCodeAACompromise
	switch {
	case from.After(at) && !compromised:
		return Good
	case e.Reason == crl.ReasonCodeHold:
		return Hold
	default:
		return Revoked
	}
}
