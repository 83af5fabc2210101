package certpath

import (
	"context"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

var (
	oidIDP           = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidDelta         = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidCertIssuer    = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidCRLNumberTest = asn1.ObjectIdentifier{2, 5, 29, 20}
)

func idp(parts ...[]byte) []byte { return extDER(oidIDP, true, seq(parts...)) }

func fullName(names ...[]byte) []byte { return wrap(der.Tag0C, wrap(der.Tag0C, names...)) }

func relativeName(value string) []byte {
	return wrap(der.Tag0C, wrap(der.Tag1C, seq(oidDER(2, 5, 4, 3), wrap(cbasn1.UTF8String, []byte(value)))))
}

func directory(commonName string) []byte { return general(names.FormDirectory, string(dn(commonName))) }

func pointsExt(points ...[]byte) []byte { return extDER(oidCRLDistribution, false, seq(points...)) }

func flag(tag cbasn1.Tag) []byte { return wrap(tag, []byte{0xff}) }

// revocationCase is the leaf ← A, with lists.
type revocationCase struct {
	anchor *spec
	leaf   *spec
	pool   []*spec
	lists  []*listSpec
	at     time.Time
	mode   revocation.Mode
}

func (c *revocationCase) run(t testing.TB) (*Result, error) {
	t.Helper()
	if c.anchor == nil {
		c.anchor = caSpec("A", "A", "A", "A")
	}
	if c.leaf == nil {
		c.leaf = leafSpec("EE", "A", "A")
	}
	if c.mode == 0 {
		c.mode = revocation.Required
	}
	var lists []*crl.Unverified
	for _, l := range c.lists {
		lists = append(lists, l.list(t))
	}
	all, err := revocation.NewLists(lists...)
	if err != nil {
		t.Fatal(err)
	}
	var pool []*Certificate
	for _, s := range c.pool {
		pool = append(pool, s.cert(t))
	}
	config := testConfig([]*Certificate{c.anchor.cert(t)}, pool...)
	config.Revocation = policyOf(c.mode, all)
	if c.at.IsZero() {
		c.at = noon()
	}
	return validate(t, config, c.leaf.cert(t), At(c.at))
}

const leafSerial = 0x11

func TestRevocationStatus(t *testing.T) {
	before, after := noon().Add(-10*day), noon().Add(time.Hour)
	for name, c := range map[string]struct {
		c    revocationCase
		want Reason
	}{
		"good": {revocationCase{lists: []*listSpec{newList("A", "A")}}, ReasonUnknown},
		"another is revoked": {revocationCase{lists: []*listSpec{newList("A", "A", entry(0x12, before, 1))}},
			ReasonUnknown},
		"revoked": {revocationCase{lists: []*listSpec{newList("A", "A", entry(leafSerial, before, 4))}},
			ReasonRevoked},
		"no reason": {revocationCase{lists: []*listSpec{newList("A", "A", entry(leafSerial, before, -1))}},
			ReasonRevoked},
		"hold": {revocationCase{lists: []*listSpec{newList("A", "A", entry(leafSerial, before, 6))}},
			ReasonHold},
		"revoked later": {revocationCase{lists: []*listSpec{newList("A", "A", entry(leafSerial, after, 4))}},
			ReasonUnknown},
		"compromised later": {revocationCase{lists: []*listSpec{newList("A", "A", entry(leafSerial, after, 1))}},
			ReasonRevoked},
		"no list":             {revocationCase{}, ReasonRevocationUnknown},
		"no list, if present": {revocationCase{mode: revocation.WhenPresent}, ReasonUnknown},
		"revoked, if present": {revocationCase{mode: revocation.WhenPresent,
			lists: []*listSpec{newList("A", "A", entry(leafSerial, before, 4))}}, ReasonRevoked},
		"list of another": {revocationCase{lists: []*listSpec{newList("B", "A")}}, ReasonRevocationUnknown},
		"forged": {revocationCase{lists: []*listSpec{newList("A", "stranger")}},
			ReasonRevocationUnknown},
		"forged says revoked": {revocationCase{lists: []*listSpec{
			newList("A", "stranger", entry(leafSerial, before, 4)), newList("A", "A")}}, ReasonUnknown},
		"issued after the time": {revocationCase{lists: []*listSpec{newList("A", "A")}, at: noon().Add(-2 * day)},
			ReasonRevocationUnknown},
		"nextUpdate is over": {revocationCase{lists: []*listSpec{newList("A", "A")}, at: noon().Add(day)},
			ReasonRevocationUnknown},
		"no nextUpdate": {revocationCase{lists: []*listSpec{func() *listSpec {
			l := newList("A", "A")
			l.nextUpdate = time.Time{}
			return l
		}()}}, ReasonRevocationUnknown},
		"a later list takes away": {revocationCase{at: noon().Add(-2 * day), lists: []*listSpec{
			newList("A", "A", entry(leafSerial, before, 4)),
			func() *listSpec {
				l := newList("A", "A")
				l.thisUpdate, l.nextUpdate = noon().Add(-3*day), noon().Add(-day)
				l.extensions[1] = extDER(oidCRLNumberTest, false, integer(6))
				return l
			}(),
		}}, ReasonRevoked},
		"the newest of two lists decides": {revocationCase{lists: []*listSpec{
			func() *listSpec {
				l := newList("A", "A")
				l.extensions[1] = extDER(oidCRLNumberTest, false, integer(6))
				return l
			}(), newList("A", "A", entry(leafSerial, before, 4)),
		}}, ReasonRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := c.c.run(t)
			wantReason(t, err, c.want)
			if err == nil && c.c.mode != revocation.WhenPresent &&
				(len(result.Revocation) != 1 || result.Revocation[0].Status != revocation.Good ||
					len(result.Revocation[0].Steps) == 0) {
				t.Errorf("revocation %+v", result.Revocation)
			}
		})
	}
}

// Scope: RFC 5280, 6.3.3 (b), beyond the cases of PKITS.
func TestListScope(t *testing.T) {
	before := noon().Add(-10 * day)
	point := func(parts ...[]byte) []byte { return pointsExt(seq(parts...)) }
	leaf := func(ext ...[]byte) *spec { return leafSpec("EE", "A", "A").with(ext...) }
	for name, c := range map[string]struct {
		c    revocationCase
		want Reason
	}{
		"point by directoryName": {revocationCase{leaf: leaf(point(fullName(directory("Kiyose CRLDP")))),
			lists: []*listSpec{newList("A", "A").with(idp(fullName(directory("Kiyose CRLDP")), flag(der.Tag1)))}},
			ReasonUnknown},
		"the list of another city": {revocationCase{leaf: leaf(point(fullName(directory("Kiyose CRLDP")))),
			lists: []*listSpec{newList("A", "A").with(idp(fullName(directory("Nagoya CRLDP"))))}},
			ReasonRevocationUnknown},
		"a partitioned list for a certificate without points": {revocationCase{
			lists: []*listSpec{newList("A", "A").with(idp(fullName(directory("Kiyose CRLDP"))))}},
			ReasonRevocationUnknown},
		"point by URI": {revocationCase{leaf: leaf(point(fullName(general(names.FormURI, "http://a.test/1")))),
			lists: []*listSpec{newList("A", "A").with(idp(fullName(general(names.FormURI, "http://a.test/1"))))}},
			ReasonUnknown},
		"one of several names": {revocationCase{leaf: leaf(point(
			fullName(general(names.FormURI, "http://a.test/1"), directory("P")))),
			lists: []*listSpec{newList("A", "A").with(idp(fullName(directory("Q"), directory("P"))))}}, ReasonUnknown},
		"relative names": {revocationCase{leaf: leaf(point(relativeName("CRL1"))),
			lists: []*listSpec{newList("A", "A").with(idp(relativeName("crl1")))}}, ReasonUnknown},
		"relative against full": {revocationCase{leaf: leaf(point(relativeName("CRL1"))),
			lists: []*listSpec{newList("A", "A").with(idp(fullName(general(names.FormDirectory, string(seq(
				attr(cbasn1.PrintableString, "JP", 2, 5, 4, 6), attr(cbasn1.UTF8String, "Test", 2, 5, 4, 10), cn("A"),
				cn("CRL1")))))))}}, ReasonUnknown},
		"another relative name": {revocationCase{leaf: leaf(point(relativeName("CRL1"))),
			lists: []*listSpec{newList("A", "A").with(idp(relativeName("CRL2")))}}, ReasonRevocationUnknown},
		"for authorities only": {revocationCase{lists: []*listSpec{
			newList("A", "A").with(idp(flag(der.Tag2)))}}, ReasonRevocationUnknown},
		"for attribute certificates": {revocationCase{lists: []*listSpec{
			newList("A", "A").with(idp(flag(der.Tag5)))}}, ReasonRevocationUnknown},
		"for users": {revocationCase{lists: []*listSpec{
			newList("A", "A").with(idp(flag(der.Tag1)))}}, ReasonUnknown},
		"some reasons": {revocationCase{lists: []*listSpec{
			newList("A", "A").with(idp(wrap(der.Tag3, []byte{5, 0x60})))}}, ReasonRevocationUnknown},
		"some reasons say revoked": {revocationCase{lists: []*listSpec{
			newList("A", "A", entry(leafSerial, before, 1)).with(idp(wrap(der.Tag3, []byte{5, 0x60})))}},
			ReasonRevoked},
		"reasons of two lists": {revocationCase{lists: []*listSpec{
			newList("A", "A").with(idp(wrap(der.Tag3, []byte{5, 0x60}))),
			newList("A", "A").with(idp(wrap(der.Tag3, []byte{0, 0x1f, 0x80}[:2]))),
			newList("A", "A").with(idp(wrap(der.Tag3, []byte{7, 0, 0x80})))}}, ReasonUnknown},
		"reasons of the point": {revocationCase{leaf: leaf(
			point(fullName(directory("P")), wrap(der.Tag1, []byte{5, 0x60}))),
			lists: []*listSpec{newList("A", "A").with(idp(fullName(directory("P"))))}}, ReasonRevocationUnknown},
		"a critical extension": {revocationCase{lists: []*listSpec{
			newList("A", "A").with(extDER(asn1.ObjectIdentifier{1, 2, 3, 4}, true, []byte{5, 0}))}},
			ReasonRevocationUnknown},
		"a critical entry extension": {revocationCase{lists: []*listSpec{
			newList("A", "A", entry(0x77, before, 4, extDER(asn1.ObjectIdentifier{1, 2, 3, 4}, true, []byte{5, 0})))}},
			ReasonRevocationUnknown},
		"cRLIssuer, list not indirect": {revocationCase{leaf: leaf(
			point(fullName(directory("P")), wrap(der.Tag2C, directory("A")))),
			lists: []*listSpec{newList("A", "A").with(idp(fullName(directory("P"))))}}, ReasonRevocationUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.c.run(t)
			wantReason(t, err, c.want)
		})
	}
}

// Indirect lists and signers of their own: RFC 5280, 6.3.3 (f).
func TestListSigners(t *testing.T) {
	before := noon().Add(-10 * day)
	issuerOf := func(cn string) []byte { return extDER(oidCertIssuer, true, seq(directory(cn))) }
	leaf := leafSpec("EE", "A", "A").with(pointsExt(seq(wrap(der.Tag2C, directory("Lists")))))
	signer := func(label string) *spec {
		s := caSpec("Lists", label, "A", "A").without(oidBasicConstraints).without(oidKeyUsage)
		s.serial = []byte{0x22}
		return s.with(extDER(oidKeyUsage, true, []byte{3, 2, 1, 2}))
	}
	own := newList("A", "A")
	indirect := func(entries ...[]byte) *listSpec {
		return newList("Lists", "lists", entries...).with(idp(fullName(directory("Lists")), flag(der.Tag4)))
	}
	for name, c := range map[string]struct {
		c    revocationCase
		want Reason
	}{
		"indirect": {revocationCase{leaf: leaf, pool: []*spec{signer("lists")},
			lists: []*listSpec{own, indirect()}}, ReasonUnknown},
		"indirect says revoked": {revocationCase{leaf: leaf, pool: []*spec{signer("lists")},
			lists: []*listSpec{own, indirect(entry(leafSerial, before, 4, issuerOf("A")))}}, ReasonRevoked},
		"the same number of another": {revocationCase{leaf: leaf, pool: []*spec{signer("lists")},
			lists: []*listSpec{own, indirect(entry(leafSerial, before, 4, issuerOf("B")))}}, ReasonUnknown},
		"the issuer carries over": {revocationCase{leaf: leaf, pool: []*spec{signer("lists")},
			lists: []*listSpec{own, indirect(entry(0x19, before, 4, issuerOf("A")), entry(leafSerial, before, 4))}},
			ReasonRevoked},
		"an entry of the list itself": {revocationCase{leaf: leaf, pool: []*spec{signer("lists")},
			lists: []*listSpec{own, indirect(entry(leafSerial, before, 4))}}, ReasonUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.c.run(t)
			wantReason(t, err, c.want)
		})
	}
	alone := func(s *spec, lists ...*listSpec) error {
		// The list of A covers the signer but, being for a distribution point that the leaf does not name, not the
		// leaf.
		forSigner := newList("A", "A").with(idp(fullName(directory("Signers"))))
		if s != nil {
			s.with(pointsExt(seq(fullName(directory("Signers")))))
		}
		c := revocationCase{leaf: leaf, lists: append([]*listSpec{forSigner}, lists...)}
		if s != nil {
			c.pool = []*spec{s}
		}
		_, err := c.run(t)
		return err
	}
	wantReason(t, alone(signer("lists"), indirect()), ReasonUnknown)
	wantReason(t, alone(nil, indirect()), ReasonRevocationUnknown)
	noUsage := signer("lists").without(oidKeyUsage).with(extDER(oidKeyUsage, true, []byte{3, 2, 7, 0x80}))
	wantReason(t, alone(noUsage, indirect()), ReasonRevocationUnknown)
	foreign := signer("lists")
	foreign.signer = "stranger"
	wantReason(t, alone(foreign, indirect()), ReasonRevocationUnknown)
	expired := signer("lists")
	expired.notAfter = utcTime(noon().Add(-time.Hour))
	wantReason(t, alone(expired, indirect()), ReasonRevocationUnknown)
	revokedSigner := revocationCase{leaf: leaf, pool: []*spec{
		signer("lists").with(pointsExt(seq(fullName(directory("Signers")))))},
		lists: []*listSpec{newList("A", "A", entry(0x22, before, 4)).with(idp(fullName(directory("Signers")))),
			indirect()}}
	_, err := revokedSigner.run(t)
	wantReason(t, err, ReasonRevocationUnknown)
	// A signer that stands on its own list, because its authority says so, is accepted; without the authority's word
	// not.
	vouched := signer("lists").with(pointsExt(seq(wrap(der.Tag2C, directory("Lists")))))
	c := revocationCase{leaf: leaf, pool: []*spec{vouched}, lists: []*listSpec{indirect()}}
	_, err = c.run(t)
	wantReason(t, err, ReasonUnknown)
	c = revocationCase{leaf: leaf, pool: []*spec{signer("lists")}, lists: []*listSpec{indirect()}}
	_, err = c.run(t)
	wantReason(t, err, ReasonRevocationUnknown)
}

// The signer of a list must lead to the anchor of the certificate's own path, not just to any anchor.
func TestListSignerOfAnotherAnchor(t *testing.T) {
	leaf := leafSpec("EE", "A", "A").with(pointsExt(seq(wrap(der.Tag2C, directory("Lists")))))
	signer := caSpec("Lists", "lists", "B", "B").cert(t)
	list := newList("Lists", "lists").with(idp(fullName(directory("Lists")), flag(der.Tag4)))
	lists, err := revocation.NewLists(newList("B", "B").list(t), list.list(t))
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig([]*Certificate{rootOf(t, "A"), rootOf(t, "B")}, signer)
	c.Revocation = revocation.Require(lists)
	_, err = validate(t, c, leaf.cert(t))
	wantReason(t, err, ReasonRevocationUnknown)
}

// An authority without cRLSign cannot sign lists, even when somebody presents another certificate for its key.
func TestKeyUsageOfListSigner(t *testing.T) {
	sub := caSpec("Sub", "sub", "A", "A").without(oidKeyUsage).with(extDER(oidKeyUsage, true, []byte{3, 2, 2, 4}))
	fake := caSpec("Sub", "sub", "A", "stranger")
	fake.serial = []byte{3}
	c := revocationCase{leaf: leafSpec("EE", "Sub", "sub"), pool: []*spec{sub, fake},
		lists: []*listSpec{newList("A", "A"), newList("Sub", "sub")}}
	_, err := c.run(t)
	wantReason(t, err, ReasonRevocationUnknown)
}

// Delta lists: RFC 5280, 5.2.4 and 6.3.3 (c), (h), (i), (k).
func TestDeltaLists(t *testing.T) {
	before := noon().Add(-10 * day)
	delta := func(number, base int64, signer string, entries ...[]byte) *listSpec {
		l := newList("A", signer, entries...).with(extDER(oidDelta, true, integer(base)))
		l.extensions[1] = extDER(oidCRLNumberTest, false, integer(number))
		return l
	}
	good, revoked := newList("A", "A"), newList("A", "A", entry(leafSerial, before, 6))
	for name, c := range map[string]struct {
		lists []*listSpec
		want  Reason
	}{
		"adds":                {[]*listSpec{good, delta(8, 7, "A", entry(leafSerial, before, 4))}, ReasonRevoked},
		"adds a hold":         {[]*listSpec{good, delta(8, 7, "A", entry(leafSerial, before, 6))}, ReasonHold},
		"removes":             {[]*listSpec{revoked, delta(8, 7, "A", entry(leafSerial, before, 8))}, ReasonUnknown},
		"says nothing":        {[]*listSpec{revoked, delta(8, 7, "A")}, ReasonHold},
		"base too new":        {[]*listSpec{good, delta(9, 8, "A", entry(leafSerial, before, 4))}, ReasonUnknown},
		"older than the list": {[]*listSpec{good, delta(7, 6, "A", entry(leafSerial, before, 4))}, ReasonUnknown},
		"of another scope": {[]*listSpec{good, delta(8, 7, "A",
			entry(leafSerial, before, 4)).with(idp(flag(der.Tag1)))}, ReasonUnknown},
		"by a stranger": {[]*listSpec{revoked, delta(8, 7, "stranger", entry(leafSerial, before, 8))},
			ReasonHold},
		"alone": {[]*listSpec{delta(8, 7, "A")}, ReasonRevocationUnknown},
		"the newest of deltas": {[]*listSpec{revoked, delta(8, 7, "A", entry(leafSerial, before, 4)),
			delta(9, 7, "A", entry(leafSerial, before, 8))}, ReasonUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&revocationCase{lists: c.lists}).run(t)
			wantReason(t, err, c.want)
		})
	}
}

// source is a source of the application.
type source struct {
	answer revocation.Answer
	err    error
	asked  int
}

// Check implements revocation.Source.
func (s *source) Check(context.Context, revocation.Query) (revocation.Answer, error) {
	s.asked++
	return s.answer, s.err
}

func TestSourcesAreAskedInOrder(t *testing.T) {
	anchor, leaf := rootOf(t, "A"), leafSpec("EE", "A", "A").cert(t)
	run := func(mode revocation.Mode, sources ...revocation.Source) error {
		c := testConfig([]*Certificate{anchor})
		c.Revocation = policyOf(mode, sources...)
		_, err := validate(t, c, leaf)
		return err
	}
	good, revoked := &source{answer: revocation.Answer{Status: revocation.Good}},
		&source{answer: revocation.Answer{Status: revocation.Revoked}}
	unknownSource := &source{}
	broken := &source{answer: revocation.Answer{Status: revocation.Good}, err: errors.New("broken")}
	wantReason(t, run(revocation.Required, unknownSource, good, revoked), ReasonUnknown)
	if revoked.asked != 0 {
		t.Error("a source was asked after one had decided")
	}
	wantReason(t, run(revocation.Required, broken, revoked), ReasonRevoked)
	wantReason(t, run(revocation.Required, broken), ReasonRevocationUnknown)
	wantReason(t, run(revocation.Required, &source{answer: revocation.Answer{Status: 99}}), ReasonRevocationUnknown)
	wantReason(t, run(revocation.WhenPresent, broken), ReasonUnknown)
	wantReason(t, run(revocation.Skipped, revoked), ReasonUnknown)
	// No list, no answer.
	lists, err := revocation.NewLists()
	if err != nil {
		t.Fatal(err)
	}
	if a, err := lists.Check(t.Context(), revocation.Query{Certificate: leaf.asked, Issuer: anchor.asked,
		At: noon()}); err == nil || a.Status != revocation.Unknown {
		t.Errorf("%v, %v", a, err)
	}
	if _, err := revocation.NewLists(nil); err == nil {
		t.Error("nil is a list")
	}
}

// policyOf makes a policy of a mode.
func policyOf(mode revocation.Mode, sources ...revocation.Source) revocation.Policy {
	switch mode {
	case revocation.Required:
		return revocation.Require(sources...)
	case revocation.WhenPresent:
		return revocation.IfPresent(sources...)
	default:
		return revocation.InsecureNoRevocation()
	}
}
