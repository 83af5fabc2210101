package certpath

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/internal/limits"
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

// revocationList is a list with the names of its header in the form in which they are compared.
type revocationList struct {
	unverified *crl.Unverified
	header     *crl.Header
	issuer     *name
	points     []generalName // distributionPoint of issuingDistributionPoint
	hasPoint   bool
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

func newestFirst(a, b *revocationList) int {
	if n := crl.CompareNumbers(b.header.Number, a.header.Number); n != 0 {
		return n
	}
	return b.header.ThisUpdate.Compare(a.header.ThisUpdate)
}

func newRevocationList(u *crl.Unverified) (*revocationList, bool) {
	l := &revocationList{unverified: u, header: u.Header()}
	s := cryptobyte.String(l.header.Issuer)
	var ok bool
	if l.issuer, ok = readName(&s); !ok || !s.Empty() || l.issuer.empty() {
		return nil, false
	}
	if scope := l.header.Scope; scope != nil && scope.Name != nil {
		l.hasPoint = true
		for _, raw := range scope.Name.Names(l.header.Issuer) {
			one := cryptobyte.String(raw)
			g, ok := readGeneralName(&one)
			if !ok || !one.Empty() {
				return nil, false
			}
			l.points = append(l.points, g)
		}
		if len(l.points) == 0 {
			return nil, false
		}
	}
	return l, true
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
		if s.decided() && !(later && s.status == Unknown) {
			continue
		}
		if err := s.list(p, list, later); err != nil {
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

// list applies one list. Its steps are kept when it decided something.
func (s *listSearch) list(p *distributionPoint, list *revocationList, later bool) error {
	var r record
	interim := list.reasons(p) // (d)
	if err := r.all(-1,
		check{ruleListIssuer, len(p.issuers) == 0 || list.indirect()},
		check{ruleListName, list.covers(p, s.query.Certificate.issuer)},
		check{ruleListScope, list.scopeFits(s.query.Certificate)},
		check{ruleListReasons, later || interim&^s.mask != 0},
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
	if later && status == Good {
		return nil
	}
	_ = r.require(ruleListEntry, -1, status == Good)
	s.answer.Steps = append(s.answer.Steps, r.steps...)
	s.answer.ThisUpdate, s.answer.NextUpdate = thisUpdate, nextUpdate
	if found {
		s.answer.Reason, s.answer.RevokedAt = e.Reason, e.RevokedAt
	}
	if status == Good {
		s.mask |= interim // (l)
		return nil
	}
	s.status = status
	return nil
}

func (l *revocationList) indirect() bool { return l.header.Scope != nil && l.header.Scope.Indirect }

// reasons is interim_reasons_mask (RFC 5280, 6.3.3 (d)).
func (l *revocationList) reasons(p *distributionPoint) reasonMask {
	mask := allReasons
	if l.header.Scope != nil {
		mask = reasonMask(l.header.Scope.OnlySomeReasons) & allReasons
	}
	if p.hasReasons {
		mask &= p.reasons
	}
	return mask
}

// covers is RFC 5280, 6.3.3 (b)(2)(i): "If the distribution point name is present in the IDP CRL extension and the
// distribution field is present in the DP, then verify that one of the names in the IDP matches one of the names in the DP. If
// the distribution point name is present in the IDP CRL extension and the distribution field is omitted from the DP, then
// verify that one of the names in the IDP matches one of the names in the cRLIssuer field of the DP."
func (l *revocationList) covers(p *distributionPoint, issuer *name) bool {
	if !l.hasPoint {
		return true
	}
	names := p.full
	switch {
	case !p.hasName:
		names = p.issuers
	case p.relative != "":
		// The name is relative to the issuer of the list, which is the certificate's unless cRLIssuer says otherwise.
		base := issuer
		if len(p.issuers) > 0 {
			if len(p.issuers) != 1 || p.issuers[0].form != formDirectory {
				return false // "nameRelativeToCRLIssuer MUST NOT be used when cRLIssuer contains more than one distinguished name"
			}
			base = p.issuers[0].directory
		}
		full := base.extend(p.relative)
		names = []generalName{{form: formDirectory, directory: full, key: full.key}}
	}
	for i := range names {
		for j := range l.points {
			if names[i].equal(&l.points[j]) {
				return true
			}
		}
	}
	return false
}

// scopeFits is RFC 5280, 6.3.3 (b)(2)(ii) to (iv).
func (l *revocationList) scopeFits(c *Certificate) bool {
	scope := l.header.Scope
	return scope == nil || !(scope.OnlyUserCerts && c.basic.ca) && !(scope.OnlyCACerts && !c.basic.ca) && !scope.OnlyAttributeCerts
}

// fresh reports whether the list says something about the time. A list without nextUpdate does not (RFC 5280, 5.1.2.5).
func fresh(h *crl.Header, at time.Time) bool {
	return !at.Before(h.ThisUpdate) && !h.NextUpdate.IsZero() && at.Before(h.NextUpdate)
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

// deltaFor returns the newest delta list that may be combined with the list (RFC 5280, 5.2.4 and 6.3.3 (c)), which the
// same key must have signed (h).
func (s *listSearch) deltaFor(list *revocationList, signer *Certificate) *revocationList {
	for _, d := range s.lists.delta[list.issuer.key] {
		if !sameScope(list.header, d.header) || !bytes.Equal(list.header.AuthorityKeyID, d.header.AuthorityKeyID) ||
			list.header.Number == nil || crl.CompareNumbers(list.header.Number, d.header.BaseNumber) < 0 ||
			crl.CompareNumbers(list.header.Number, d.header.Number) >= 0 || !fresh(d.header, s.query.At) {
			continue
		}
		if _, err := d.unverified.Verify(s.ctx, signer.key.Key); err == nil {
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
	verified, err := d.unverified.Verify(s.ctx, signer.key.Key)
	if err != nil {
		return crl.Entry{}, false
	}
	return s.entry(d, verified)
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

// verify finds who signed the list: the issuer of the certificate when it has the list's name, or another certificate of
// that name with a path of its own (RFC 5280, 6.3.3 (f) and (g)).
func (s *listSearch) verify(p *distributionPoint, list *revocationList) (*crl.List, *Certificate) {
	r := s.query.run
	for _, signer := range s.signers(list) {
		if signer.key.Key == nil || !signer.permits(usageCRLSign) {
			continue
		}
		if r.signatures++; r.signatures > limits.PathSignatures {
			return nil, nil
		}
		verified, err := list.unverified.Verify(s.ctx, signer.key.Key)
		if err != nil {
			continue
		}
		// An authority may name, as the issuer of the list on which the certificate of a signer of lists stands, this signer
		// itself. Nobody else's list can answer then, and the path of this certificate is just being validated.
		self := same(signer, s.query.Certificate) && len(p.issuers) > 0
		if self || r.trustsSigner(s.query, signer) {
			return verified, signer
		}
	}
	return nil, nil
}

// signers returns the certificates that may have signed the list, the most plausible first.
func (s *listSearch) signers(list *revocationList) []*Certificate {
	q := s.query
	var out []*Certificate
	add := func(c *Certificate) {
		if c.subject.equal(list.issuer) && !slices.ContainsFunc(out, func(o *Certificate) bool { return same(o, c) }) {
			out = append(out, c)
		}
	}
	add(q.Issuer)
	add(q.anchor)
	add(q.Certificate)
	for _, c := range q.run.index.bySubject[list.issuer.key] {
		add(c)
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
	if trusted, known := r.signers[signer.fingerprint]; known {
		return trusted
	}
	if len(r.pending) >= limits.CRLSigners || slices.Contains(r.pending, signer.fingerprint) {
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
		r.signers = map[[sha256.Size]byte]bool{}
	}
	r.signers[signer.fingerprint] = err == nil
	return err == nil
}
