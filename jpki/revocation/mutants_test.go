package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Decisions that were once wrong without a test that noticed, in a mutant.

// A list of all municipalities is heard beside one of the certificate's own, whichever was added first.
func TestListOfAllIsHeardBesideOwn(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	gone := revoked(c, now.Add(-day), reasonExt(4))
	list := func(all bool, entries ...[]byte) []byte {
		s := a.List(1, entries...)
		if all {
			s.Extensions = s.Extensions[:2]
		}
		return s.Sign(a.Key)
	}
	for name, lists := range map[string][][]byte{
		"in the list of all":        {list(true, gone), list(false)},
		"in the list of all, last":  {list(false), list(true, gone)},
		"in the own list":           {list(true), list(false, gone)},
		"in the own list, added so": {list(false, gone), list(true)},
	} {
		answer, err := a.ask(t, a.trusting(t, lists...), c, now)
		if err != nil || answer.Status != Revoked {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
}

// The same of lists that somebody signs on behalf of the authority: both that of all places and that of the own one.
func TestSignersListOfAllIsHeardBesideOwn(t *testing.T) {
	a := signingAuthority(t, "ca")
	delegate := a.signer(t, jpkiName("JPKI-TEST", "List Signer"))
	leaf := a.signingLeaf(t, func(s *certSpec) { s.Replace(oidCRLDistribution, pointOfIssuer(delegate.Name)) })
	gone := revoked(leaf, now.Add(-day), reasonExt(4), ext(oidCertificateIssuer, true, sequence(wrap(tag4c, a.Name))))
	indirect := []byte{0x84, 1, 0xff}
	list := func(all bool, entries ...[]byte) []byte {
		s := delegate.List(1, entries...)
		s.Extensions[2] = idp("Kiyose-shi", userOnly, indirect)
		if all {
			s.Extensions[2] = ext(oidIssuingDistribution, true, sequence(userOnly, indirect))
		}
		return s.Sign(delegate.Key)
	}
	for name, c := range map[string]struct {
		lists [][]byte
		want  Status
	}{
		"nowhere":                {[][]byte{list(true), list(false)}, Good},
		"in the list of all":     {[][]byte{list(true, gone), list(false)}, Revoked},
		"in the own list":        {[][]byte{list(true), list(false, gone)}, Revoked},
		"in the list of all, so": {[][]byte{list(false), list(true, gone)}, Revoked},
	} {
		if answer, err := a.ask(t, a.storeWith(t, delegate, c.lists...), leaf, now); err != nil ||
			answer.Status != c.want {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
}

// What Prune forgets takes nothing else with it: not the other lists of a place, and not those that say whether a
// signer of lists was revoked.
func TestPruneLeavesTheOthers(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	s := a.signer(t, a.Name)
	at := func(of *authority, number int64, from, to time.Duration, entries ...[]byte) []byte {
		spec := of.List(number, entries...)
		spec.ThisUpdate, spec.NextUpdate = utcTime(now.Add(from)), utcTime(now.Add(to))
		return spec.Sign(of.Key)
	}
	store := a.trusting(t, at(a, 1, -3*day, -2*day), at(a, 2, -time.Hour, time.Hour,
		revoked(c, now.Add(-day), reasonExt(4))))
	if n := store.Prune(now.Add(-day)); n != 1 {
		t.Errorf("%d lists pruned", n)
	}
	a.answer(t, store, c, now, Revoked)

	// The authority's own list says that the signer was revoked; an older one of the same place goes.
	signer := entry([]byte{0x42}, now.Add(-day), reasonExt(1))
	elsewhere := func(number int64, from, to time.Duration, entries ...[]byte) []byte {
		spec := a.List(number, entries...)
		spec.ThisUpdate, spec.NextUpdate = utcTime(now.Add(from)), utcTime(now.Add(to))
		spec.Extensions[2] = idp("Hino-shi", userOnly)
		return spec.Sign(a.Key)
	}
	store = a.storeWith(t, s, elsewhere(1, -3*day, -2*day), elsewhere(2, -time.Hour, time.Hour, signer),
		at(s, 1, -time.Hour, time.Hour))
	a.answer(t, store, c, now, Unknown)
	if n := store.Prune(now.Add(-day)); n != 1 {
		t.Errorf("%d lists pruned", n)
	}
	a.answer(t, store, c, now, Unknown)
	// And what is gone is not asked any more.
	store = a.storeWith(t, s, elsewhere(1, -3*day, -2*day, signer), elsewhere(2, -time.Hour, time.Hour),
		at(s, 1, -time.Hour, time.Hour))
	a.answer(t, store, c, now, Unknown)
	store.Prune(now.Add(-day))
	a.answer(t, store, c, now, Good)
}

// A list that waits for its authority may be signed by somebody who signs on its behalf.
func TestWaitingListOfASigner(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	delegate := a.signer(t, jpkiName("JPKI-TEST", "List Signer"))
	for name, signers := range map[string][]*x509.Certificate{
		"known": certs(delegate), "nobody": nil, "another": certs(a.signer(t, jpkiName("JPKI-TEST", "Another Signer"))),
	} {
		store, err := OpenStore(t.Context(), StoreConfig{Signers: signers})
		if err != nil {
			t.Fatal(err)
		}
		spec := delegate.List(1)
		spec.Extensions[2] = idp("Kiyose-shi", userOnly, []byte{0x84, 1, 0xff})
		if err := store.Add(t.Context(), bytes.NewReader(spec.Sign(delegate.Key))); err != nil {
			t.Fatal(err)
		}
		leaf := a.signingLeaf(t, func(s *certSpec) {
			s.Replace(oidCRLDistribution, pointOfIssuer(delegate.Name))
		})
		want := map[bool]Status{true: Good, false: Unknown}[name == "known"]
		a.answer(t, store, leaf, now, want)
		a.answer(t, store, c, now, Unknown)
	}
}

// pointOfIssuer is a distribution point whose lists are another issuer's.
func pointOfIssuer(issuer []byte) []byte {
	return ext(oidCRLDistribution, false, sequence(sequence(
		wrap(tag0c, wrap(tag0c, wrap(tag4c, pointName("Kiyose-shi")))), wrap(tag2c, wrap(tag4c, issuer)))))
}

// Of several authorities the one whose list it is says what is wrong with it.
func TestErrorOfTheListsOwnAuthority(t *testing.T) {
	a := signingAuthority(t, "ca")
	other := newAuthority(t, "leaf", a.Name)
	twice := entry([]byte{5}, now.Add(-day))
	spec := a.List(1, twice, twice)
	list := spec.Sign(a.Key)
	for _, order := range [][]*x509.Certificate{{a.Cert, other.Cert}, {other.Cert, a.Cert}} {
		store, err := OpenStore(t.Context(), StoreConfig{Authorities: order})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Add(t.Context(), bytes.NewReader(list)); !errors.Is(err, &Error{Reason: ReasonList}) {
			t.Errorf("%v", err)
		}
	}
}

// The process ended when the index of a newer list was there and the manifest still spoke of the list before: the next
// one to open the directory notes the newer list, so that losing it afterwards is seen.
func TestManifestCatchesUp(t *testing.T) {
	d := newDamagedStore(t)
	before, err := os.ReadFile(d.manifest())
	if err != nil {
		t.Fatal(err)
	}
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	d.lists = append(d.lists, d.next(4, revoked(d.leaf, now.Add(-time.Hour), reasonExt(1))))
	d.add(store, d.lists[3])
	d.rewrite(d.manifest(), func([]byte) []byte { return before })
	if store, err = d.open(false); err != nil {
		t.Fatal(err)
	}
	d.want(store, Revoked)
	d.rewrite(d.file(3), func([]byte) []byte { return nil })
	if _, err = d.open(false); !errors.Is(err, &Error{Reason: ReasonListIncomplete}) {
		t.Errorf("the newest list is gone: %v", err)
	}
}

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	w := newOCSPWorld(t)
	list := func(n int) error {
		var points []byte
		for i := range n {
			points = append(points, wrap(tag4c, pointName(fmt.Sprintf("%d-shi", i)))...)
		}
		s := w.ca.List(1)
		s.Extensions[2] = ext(oidIssuingDistribution, true, sequence(wrap(tag0c, wrap(tag0c, points)), userOnly))
		return new(Store).Add(t.Context(), bytes.NewReader(s.Sign(w.ca.Key)))
	}
	nonce := func(n int) error {
		s := w.direct()
		s.extensions = [][]byte{nonceExt(bytes.Repeat([]byte{7}, n))}
		_, err := w.verify(s.sign(), now, func(p *acceptance) { p.nonce = nil })
		return err
	}
	for name, c := range map[string]struct {
		limit, beyond int
		try           func(n int) error
	}{
		"names of a list's place": {limits.DistributionPoints, limits.DistributionPoints + 1, list},
		"longest nonce":           {128, 129, nonce},
		"shortest nonce":          {1, 0, nonce},
		"answers in the cache": {limits.OCSPCache, limits.OCSPCache + 1, func(n int) error {
			_, err := NewOCSP(OCSPConfig{Responder: silent{}, CacheEntries: n})
			return err
		}},
		"octets of an answer": {limits.OCSPResponse, limits.OCSPResponse + 1, func(n int) error {
			if _, err := parseResponse(make([]byte, n)); !errors.Is(err,
				&Error{Reason: ReasonResponse, Step: "ocsp.der"}) {
				return err
			}
			return nil
		}},
		"octets from a responder": {limits.OCSPResponse, limits.OCSPResponse + 1, func(n int) error {
			o, err := NewOCSP(OCSPConfig{Responder: saying(make([]byte, n)), Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.ca.ask(t, o, w.leaf, now); errors.Is(err, &Error{Reason: ReasonResponderUnavailable}) {
				return err
			}
			return nil
		}},
	} {
		if err := c.try(c.limit); err != nil {
			t.Errorf("%s: %d: %v", name, c.limit, err)
		}
		if c.try(c.beyond) == nil {
			t.Errorf("%s: %d is accepted", name, c.beyond)
		}
	}
}

// saying is a responder that answers the same to everything.
type saying []byte

func (s saying) Ask(context.Context, []byte) ([]byte, error) { return s, nil }

// A responder must be named: by a key hash of no octets it is not.
func TestResponderOfNoOctets(t *testing.T) {
	w := newOCSPWorld(t)
	s := w.direct()
	s.responder = wrap(tag2c, wrap(cbasn1.OCTET_STRING))
	w.wantRefused(t, s.sign(), "ocsp.responder-id", ReasonResponse)
}

// Skew is the default when it is zero, none when it is negative, and otherwise what it says.
func TestSkew(t *testing.T) {
	w := newOCSPWorld(t)
	for _, c := range []struct{ skew, ahead time.Duration }{
		{0, defaultOCSPSkew}, {-1, 0}, {time.Hour, time.Hour},
	} {
		for beyond, want := range map[time.Duration]bool{0: true, time.Second: false} {
			from := now.Add(c.ahead + beyond)
			s := w.direct()
			s.producedAt = generalizedTime(from)
			s.singles = [][]byte{single(w.id.der(), statusGood, from, from.Add(time.Hour))}
			s.extensions = nil
			o, err := NewOCSP(OCSPConfig{
				Responder: saying(s.sign()), CertIDHash: crypto.SHA256, Skew: c.skew, NoNonce: true,
				Now: func() time.Time { return now },
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.ca.ask(t, o, w.leaf, now)
			early := errors.Is(err, &Error{Reason: ReasonResponseStale, Step: "ocsp.this-update"})
			late := errors.Is(err, &Error{Reason: ReasonStatusUnknown, Step: "ocsp.covering"}) // for a time before it
			if early == want || early == late && err != nil {
				t.Errorf("skew %v, an answer of %v ahead: %v", c.skew, c.ahead+beyond, err)
			}
		}
	}
}

// An answer is kept until the first of its limits.
func TestCacheEndsAtTheFirstLimit(t *testing.T) {
	const maxAge = time.Hour
	p := acceptance{now: now, maxAge: maxAge}
	for name, c := range map[string]struct {
		produced, this, next time.Duration
		until                time.Duration
	}{
		"its age":             {0, 0, 2 * time.Hour, maxAge},
		"nextUpdate":          {0, 0, time.Minute, time.Minute},
		"the signature's age": {-30 * time.Minute, 0, 2 * time.Hour, 30 * time.Minute},
		"the statement's age": {0, -30 * time.Minute, 2 * time.Hour, 30 * time.Minute},
	} {
		cache := newOCSPCache(1)
		var key cacheKey
		cache.put(key, &acceptedResponse{
			single:     &singleResponse{thisUpdate: now.Add(c.this), nextUpdate: now.Add(c.next)},
			producedAt: now.Add(c.produced),
		}, p)
		if cache.get(key, now.Add(c.until-1)) == nil || cache.get(key, now.Add(c.until)) != nil {
			t.Errorf("%s: not kept for %v", name, c.until)
		}
	}
}

// A certificate or an issuer without the identifiers by which they are found is no question.
func TestQuestionsWithoutIdentifiers(t *testing.T) {
	w := newOCSPWorld(t)
	of := func(change func(c, issuer *form.Facts)) *Query {
		c, issuer := *w.leaf.known(), *w.issuer.known()
		change(&c, &issuer)
		return &Query{Certificate: Of(&c), Issuer: Of(&issuer), At: now}
	}
	for name, c := range map[string]struct {
		q            *Query
		valid, keyed bool
	}{
		"as it is":         {of(func(_, _ *form.Facts) {}), true, true},
		"no serial number": {of(func(c, _ *form.Facts) { c.Serial = nil }), false, false},
		"no key identifiers": {of(func(c, issuer *form.Facts) { c.AuthorityKeyID, issuer.SubjectKeyID = nil, nil }),
			true, false},
		"another key":    {of(func(c, _ *form.Facts) { c.AuthorityKeyID = []byte{1} }), true, false},
		"another issuer": {of(func(c, _ *form.Facts) { c.Issuer = []byte{1} }), true, false},
	} {
		if c.q.valid() != c.valid || c.q.keyed() != c.keyed {
			t.Errorf("%s: valid %v, keyed %v", name, c.q.valid(), c.q.keyed())
		}
	}
}

// The JSON of an answer has what is known, and no reason without a revocation.
func TestAnswerAsJSON(t *testing.T) {
	for want, a := range map[string]Answer{
		`{"status":"good","method":"OCSP"}`: {Status: Good, Method: MethodOCSP, Reason: crl.ReasonCodeAbsent},
		`{"status":"good","method":"CRL","this_update":"2026-11-02T03:04:05Z","next_update":"2026-11-03T03:04:05Z"}`: {
			Status: Good, Method: MethodCRL, Reason: 0, ThisUpdate: now, NextUpdate: now.Add(day),
		},
		`"reason":0,"revoked_at":"2026-11-02T03:04:05Z"`: {Status: Revoked, RevokedAt: now},
		`"method":"CRL","revoked_at":"2026-11-02T03:04:05Z"}`: {
			Status: Revoked, Method: MethodCRL, RevokedAt: now, Reason: crl.ReasonCodeAbsent,
		},
		`"evidence_sha256":"4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a","evidence_size":1`: {
			Evidence: []byte{1}},
	} {
		encoded, err := json.Marshal(a)
		if err != nil || !strings.Contains(string(encoded), want) {
			t.Errorf("%s: %v, want %s", encoded, err, want)
		}
	}
	if encoded, err := json.Marshal(Answer{}); err != nil || strings.Contains(string(encoded), "evidence") {
		t.Errorf("%s: %v", encoded, err)
	}
}
