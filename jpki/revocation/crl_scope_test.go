package revocation

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

func (a *authority) answer(t *testing.T, c *Store, leaf *Certificate, at time.Time, want Status) Answer {
	t.Helper()
	answer, err := a.ask(t, c, leaf, at)
	if answer.Status != want || (err == nil) != (want != Unknown) {
		t.Errorf("%v, %v, want %v", answer, err, want)
	}
	return answer
}

// delta is a delta list for the city of list.
func (a *authority) delta(number, base int64, entries ...[]byte) listSpec {
	s := a.List(number, entries...)
	s.ThisUpdate = utcTime(now.Add(-time.Hour))
	s.Extensions = append(s.Extensions, ext(oidDeltaCRLIndicator, true, integer(base)))
	return s
}

// TestCRLDelta: RFC 5280, 5.2.4 and 6.3.3 (c), (h) to (k).
func TestCRLDelta(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	held := revoked(c, now.Add(-day), reasonExt(6))
	gone := revoked(c, now.Add(-2*time.Hour), reasonExt(4))
	removed := revoked(c, now.Add(-time.Hour), reasonExt(8))
	other := entry([]byte{0x77}, now.Add(-day))
	of := func(specs ...listSpec) *Store {
		var lists [][]byte
		for _, s := range specs {
			lists = append(lists, s.Sign(a.Key))
		}
		return a.trusting(t, lists...)
	}
	with := func(s listSpec, change func(*listSpec)) listSpec {
		change(&s)
		return s
	}
	another := func(s *listSpec) { s.Extensions[2] = idp("Kiyose-shi") } // another scope: user and CA certificates
	for _, tc := range []struct {
		name  string
		store *Store
		want  Status
	}{
		{"revoked since the base", of(a.List(5), a.delta(7, 5, gone)), Revoked},
		{"put on hold since the base", of(a.List(5), a.delta(7, 5, revoked(c, now.Add(-2*time.Hour), reasonExt(6)))),
			Hold},
		{"hold lifted", of(a.List(5, held), a.delta(7, 5, removed)), Good},
		{"hold made a revocation of a later date", of(a.List(5, held),
			a.delta(7, 5, revoked(c, now.Add(time.Hour), reasonExt(4)))), Hold},
		{"not in the delta list", of(a.List(5, held), a.delta(7, 5, other)), Hold},
		{"hold made a revocation", of(a.List(5, held), a.delta(7, 5, gone)), Revoked},
		{"the latest delta list decides", of(a.List(5, held), a.delta(6, 5, gone), a.delta(7, 5, removed)), Good},
		{"a base below the list", of(a.List(5, held), a.delta(7, 3, removed)), Good},
		{"a base above the list", of(a.List(5, held), a.delta(7, 6, removed)), Hold},
		{"older than the list", of(a.List(9, held), a.delta(9, 5, removed)), Hold},
		{"of another scope", of(a.List(5, held), with(a.delta(7, 5, removed), another)), Hold},
		{"over", of(a.List(5, held), with(a.delta(7, 5, removed), func(s *listSpec) { s.NextUpdate = utcTime(now) })),
			Hold},
		{"alone", of(a.delta(7, 5, other)), Unknown},
		{"alone, with a removal", of(a.delta(7, 5, removed)), Unknown},
		{"the complete list is over", of(with(a.List(5), func(s *listSpec) { s.NextUpdate = utcTime(now) }),
			a.delta(7, 5, other)), Unknown},
		{"of a later time, revoked before", of(a.List(5), with(a.delta(7, 5, gone),
			func(s *listSpec) { s.ThisUpdate = utcTime(now.Add(time.Hour)) })), Revoked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer := a.answer(t, tc.store, c, now, tc.want)
			if tc.want == Good && len(evidenceLists(t, answer)) != 2 {
				t.Error("the evidence does not have both lists")
			}
		})
	}
	t.Run("signed by nobody", func(t *testing.T) {
		forged := a.delta(7, 5, removed)
		store := of(a.List(5, held))
		if err := store.Add(t.Context(), bytes.NewReader(forged.Sign(testKey("leaf")))); !errors.Is(err,
			&Error{Reason: ReasonListSignature}) {
			t.Error(err)
		}
		a.answer(t, store, c, now, Hold)
	})
}

func evidenceLists(t *testing.T, a Answer) (lists []ListEvidence) {
	t.Helper()
	if err := json.Unmarshal(a.Evidence, &lists); err != nil {
		t.Errorf("evidence: %v", err)
	}
	return lists
}

// TestCRLReasonsCombined: RFC 5280, 6.3.3 (d) and (e) – Good only when the lists heard cover all reasons.
func TestCRLReasonsCombined(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	// keyCompromise and cACompromise; the six others (bits 3 to 8 of two octets).
	compromise, rest := []byte{0x83, 2, 5, 0x60}, []byte{0x83, 3, 7, 0x1f, 0x80}
	some := func(reasons []byte, entries ...[]byte) []byte {
		s := a.List(1, entries...)
		s.Extensions[2] = idp("Kiyose-shi", userOnly, reasons)
		return s.Sign(a.Key)
	}
	a.answer(t, a.trusting(t, some(compromise)), c, now, Unknown)
	a.answer(t, a.trusting(t, some(rest)), c, now, Unknown)
	both := a.answer(t, a.trusting(t, some(compromise), some(rest)), c, now, Good)
	if len(evidenceLists(t, both)) != 2 {
		t.Error("the evidence does not have both lists")
	}
	a.answer(t, a.trusting(t, some(compromise, revoked(c, now.Add(-day), reasonExt(1))), some(rest)), c, now, Revoked)
	a.answer(t, a.trusting(t, some(compromise), some(rest, revoked(c, now.Add(-day), reasonExt(6)))), c, now, Hold)
	whole := a.List(1)
	a.answer(t, a.trusting(t, some(compromise), whole.Sign(a.Key)), c, now, Good)

	// The same by two distribution points of the certificate with reasons of their own.
	point := func(city string, reasons []byte) []byte {
		return sequence(wrap(tag0c, wrap(tag0c, wrap(tag4c, pointName(city)))), append([]byte{0x81}, reasons[1:]...))
	}
	split := a.signingLeaf(t, func(s *certSpec) {
		s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false,
			sequence(point("Kiyose-shi", compromise), point("Hino-shi", rest))))
	})
	hino := a.List(1)
	hino.Extensions[2] = idp("Hino-shi", userOnly)
	a.answer(t, a.trusting(t, whole.Sign(a.Key)), split, now, Unknown)
	a.answer(t, a.trusting(t, whole.Sign(a.Key), hino.Sign(a.Key)), split, now, Good)
	same := a.signingLeaf(t, func(s *certSpec) {
		s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false,
			sequence(point("Kiyose-shi", compromise), point("Kiyose-shi", rest))))
	})
	a.answer(t, a.trusting(t, whole.Sign(a.Key)), same, now, Good)
}

// signer makes the certificate of somebody who signs lists for the authority with a key of its own.
func (a *authority) signer(t *testing.T, subject []byte, mutate ...func(*certSpec)) *authority {
	t.Helper()
	spec, id := caSpec("signer", subject)
	spec.Issuer, spec.Serial = a.Name, []byte{0x42}
	spec.Extensions = [][]byte{keyUsage(0x02), spec.Extensions[2], a.KeyIDExt()}
	for _, m := range mutate {
		m(&spec)
	}
	return &authority{&testca.Authority{Key: testKey("signer"), Name: subject, ID: id,
		Cert: parsed(t, spec.Sign(a.Key))}}
}

func (a *authority) storeWith(t *testing.T, signer *authority, lists ...[]byte) *Store {
	t.Helper()
	store, err := OpenStore(t.Context(), StoreConfig{Authorities: []*x509.Certificate{a.Cert}, Signers: certs(signer)})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		if err := store.Add(t.Context(), bytes.NewReader(l)); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// TestCRLSeparateSigner: RFC 5280, 5 and 6.3.3 (f).
func TestCRLSeparateSigner(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	s := a.signer(t, a.Name)
	list := func(number int64, entries ...[]byte) []byte {
		spec := s.List(number, entries...)
		return spec.Sign(s.Key)
	}
	a.answer(t, a.storeWith(t, s, list(1)), c, now, Good)
	a.answer(t, a.storeWith(t, s, list(1, revoked(c, now.Add(-day), reasonExt(4)))), c, now, Revoked)
	a.answer(t, a.storeWith(t, s, list(1)), c, now.Add(8*year), Unknown)
	t.Run("nobody named the signer", func(t *testing.T) {
		if err := a.trusting(t).Add(t.Context(), bytes.NewReader(list(1))); !errors.Is(err,
			&Error{Reason: ReasonListSignature}) {
			t.Error(err)
		}
	})
	t.Run("issued by another authority", func(t *testing.T) {
		b := signingAuthority(t, "other")
		if err := b.storeWith(t, s).Add(t.Context(), bytes.NewReader(list(1))); !errors.Is(err,
			&Error{Reason: ReasonListSignature}) {
			t.Error(err)
		}
	})
	t.Run("certificate signed by another key", func(t *testing.T) {
		forged := &authority{&testca.Authority{}}
		*forged.Authority = *a.Authority
		forged.Key = testKey("leaf")
		f := forged.signer(t, a.Name)
		if err := a.storeWith(t, f).Add(t.Context(), bytes.NewReader(list(1))); !errors.Is(err,
			&Error{Reason: ReasonListSignature}) {
			t.Error(err)
		}
	})
	t.Run("may not sign lists", func(t *testing.T) {
		weak := a.signer(t, a.Name, func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x80)) })
		_, err := OpenStore(t.Context(), StoreConfig{Authorities: []*x509.Certificate{a.Cert}, Signers: certs(weak)})
		if !errors.Is(err, &Error{Reason: ReasonConfiguration, Step: "crl.signer"}) {
			t.Error(err)
		}
	})
	t.Run("expired", func(t *testing.T) {
		old := a.signer(t, a.Name, func(s *certSpec) { s.NotAfter = utcTime(now.Add(-day)) })
		a.answer(t, a.storeWith(t, old, list(1)), c, now, Unknown)
	})
	t.Run("revoked", func(t *testing.T) {
		whole := a.List(1, entry([]byte{0x42}, now.Add(-day), reasonExt(1)))
		whole.Extensions[2] = idp("Hino-shi")
		a.answer(t, a.storeWith(t, s, list(1), whole.Sign(a.Key)), c, now, Unknown)
	})
}

// TestCRLIndirect: RFC 5280, 6.3.3 (b)(1) – a list of another issuer, named by cRLIssuer, with entries by certificate
// issuer.
func TestCRLIndirect(t *testing.T) {
	a := signingAuthority(t, "ca")
	theirs := jpkiName("JPKI-TEST", "lists")
	s := a.signer(t, theirs)
	point := wrap(tag0c, wrap(tag0c, wrap(tag4c, pointName("Kiyose-shi"))))
	c := a.signingLeaf(t, func(s *certSpec) {
		s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false,
			sequence(sequence(point, wrap(tag2c, wrap(tag4c, theirs))))))
	})
	issuer := func(name []byte) []byte { return ext(oidCertificateIssuer, true, sequence(wrap(tag4c, name))) }
	indirect := []byte{0x84, 1, 0xff}
	list := func(flags []byte, entries ...[]byte) []byte {
		spec := s.List(1, entries...)
		spec.Extensions[2] = idp("Kiyose-shi", flags)
		return spec.Sign(s.Key)
	}
	a.answer(t, a.storeWith(t, s, list(indirect)), c, now, Good)
	a.answer(t, a.storeWith(t, s, list(indirect, revoked(c, now.Add(-day), reasonExt(4), issuer(a.Name)))), c, now,
		Revoked)
	a.answer(t, a.storeWith(t, s, list(indirect, entry([]byte{9}, now, issuer(a.Name)),
		revoked(c, now.Add(-day), reasonExt(6)))), c, now, Hold)
	// The serial number of somebody else's certificate.
	a.answer(t, a.storeWith(t, s, list(indirect, revoked(c, now.Add(-day), reasonExt(4)))), c, now, Good)
	a.answer(t, a.storeWith(t, s, list(indirect, revoked(c, now.Add(-day), issuer(jpkiName("JPKI-TEST", "others"))))),
		c, now, Good)
	t.Run("the issuer's name encoded in another way", func(t *testing.T) {
		printable := name(attribute(oidC, cbasn1.PrintableString, "jp"),
			attribute(oidO, cbasn1.PrintableString, "JPKI-TEST "),
			attribute(oidOU, cbasn1.PrintableString, "JPKI for digital  signature"),
			attribute(oidOU, cbasn1.PrintableString, "Japan Agency for Local Authority Information Systems"))
		a.answer(t, a.storeWith(t, s, list(indirect, revoked(c, now.Add(-day), reasonExt(4), issuer(printable)))), c,
			now, Revoked)
		own := a.List(1, revoked(c, now.Add(-day), issuer(printable)))
		own.Extensions[2] = idp("Kiyose-shi", indirect)
		a.answer(t, a.trusting(t, own.Sign(a.Key)), a.signingLeaf(t), now, Revoked)
	})
	t.Run("not an indirect list", func(t *testing.T) { a.answer(t, a.storeWith(t, s, list(nil)), c, now, Unknown) })
	t.Run("another point", func(t *testing.T) {
		spec := s.List(1)
		spec.Extensions[2] = idp("Hino-shi", indirect)
		a.answer(t, a.storeWith(t, s, spec.Sign(s.Key)), c, now, Unknown)
	})
	t.Run("the certificate does not name the issuer of the list", func(t *testing.T) {
		a.answer(t, a.storeWith(t, s, list(indirect)), a.signingLeaf(t), now, Unknown)
	})
	t.Run("indirect list of the authority itself", func(t *testing.T) {
		plain := a.signingLeaf(t)
		spec := a.List(1, entry([]byte{9}, now, issuer(theirs)), revoked(plain, now.Add(-day), issuer(a.Name)))
		spec.Extensions[2] = idp("Kiyose-shi", indirect)
		a.answer(t, a.trusting(t, spec.Sign(a.Key)), plain, now, Revoked)
	})
	t.Run("point without a name", func(t *testing.T) {
		bare := a.signingLeaf(t, func(s *certSpec) {
			s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false,
				sequence(sequence(wrap(tag2c, wrap(tag4c, theirs))))))
		})
		spec := s.List(1)
		spec.Extensions[2] = ext(oidIssuingDistribution, true,
			sequence(wrap(tag0c, wrap(tag0c, wrap(tag4c, theirs))), indirect))
		a.answer(t, a.storeWith(t, s, spec.Sign(s.Key)), bare, now, Good)
	})
}

// TestCRLRelativeName: a point named relative to the issuer is the same as its full name (RFC 5280, 4.2.1.13).
func TestCRLRelativeName(t *testing.T) {
	a := signingAuthority(t, "ca")
	rdn := sequence(oid(oidCN), wrap(cbasn1.UTF8String, []byte("point")))
	s := cryptobyte.String(a.Name)
	var inner cryptobyte.String
	if !s.ReadASN1(&inner, cbasn1.SEQUENCE) {
		t.Fatal("name")
	}
	full := sequence(inner, wrap(cbasn1.SET, rdn))
	relative := wrap(tag0c, wrap(tag1c, rdn))
	absolute := wrap(tag0c, wrap(tag0c, wrap(tag4c, full)))
	c := a.signingLeaf(t, func(s *certSpec) {
		s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false, sequence(sequence(absolute))))
	})
	for _, point := range [][]byte{relative, absolute} {
		spec := a.List(1)
		spec.Extensions[2] = ext(oidIssuingDistribution, true, sequence(point))
		a.answer(t, a.trusting(t, spec.Sign(a.Key)), c, now, Good)
	}
	points, ok := form.ReadPoints(sequence(sequence(relative)), a.Name)
	if !ok || len(points.List) != 1 || !bytes.Equal(points.List[0].Names[0], full) {
		t.Error("the relative name of a certificate's point is not completed") // crypto/x509 refuses such a certificate
	}
}

// TestCRLRevokedLaterIsSaid: an answer Good for an earlier time says that the certificate was revoked since.
func TestCRLRevokedLaterIsSaid(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	then := a.List(1)
	then.ThisUpdate, then.NextUpdate = utcTime(now.Add(-10*day)), utcTime(now.Add(-9*day))
	today := a.List(2, revoked(c, now.Add(-2*day), reasonExt(4)))
	store := a.trusting(t, then.Sign(a.Key), today.Sign(a.Key))
	answer := a.answer(t, store, c, now.Add(-10*day).Add(time.Hour), Good)
	if answer.Reason != 4 || !answer.RevokedAt.Equal(now.Add(-2*day)) {
		t.Errorf("%v at %v", answer, answer.RevokedAt)
	}
	if lists := evidenceLists(t, answer); len(lists) != 2 || len(lists[0].Entry) != 0 || len(lists[1].Entry) == 0 {
		t.Errorf("evidence of the revocation: %+v", lists)
	}
}

// TestForgedListCannotDelay: with a trusted authority a forged list never enters, whatever its number.
func TestForgedListCannotDelay(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	forged := a.List(1 << 60)
	forged.ThisUpdate = utcTime(now.Add(-time.Minute))
	der := forged.Sign(testKey("leaf"))
	genuine := a.List(1, revoked(c, now.Add(-day)))
	t.Run("trust given", func(t *testing.T) {
		store := a.trusting(t)
		if err := store.Add(t.Context(), bytes.NewReader(der)); !errors.Is(err,
			&Error{Reason: ReasonListSignature, Step: "crl.signature"}) || kakunin.FamilyOf(err) != kakunin.Untrusted ||
			store.Len() != 0 {
			t.Error(err)
		}
		if err := store.Add(t.Context(), bytes.NewReader(genuine.Sign(a.Key))); err != nil {
			t.Error(err)
		}
		a.answer(t, store, c, now, Revoked)
	})
	t.Run("trust learnt from the query", func(t *testing.T) {
		store := new(Store)
		for _, l := range [][]byte{der, genuine.Sign(a.Key)} {
			if err := store.Add(t.Context(), bytes.NewReader(l)); err != nil {
				t.Error(err)
			}
		}
		a.answer(t, store, c, now, Revoked)
		if store.Len() != 1 {
			t.Errorf("%d lists", store.Len())
		}
	})
}

func TestOpenStoreRefuses(t *testing.T) {
	a := signingAuthority(t, "ca")
	for name, c := range map[string]StoreConfig{
		"directory without trust": {Directory: t.TempDir()},
		"nil signer":              {Authorities: []*x509.Certificate{a.Cert}, Signers: certs(nil)},
		"nil authority":           {Authorities: []*x509.Certificate{nil}},
		"no such directory":       {Authorities: []*x509.Certificate{a.Cert}, Directory: t.TempDir() + "/none"},
	} {
		if _, err := OpenStore(t.Context(), c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store := a.trusting(t)
	spec := a.List(1)
	if err := store.Add(ctx, bytes.NewReader(spec.Sign(a.Key))); !errors.Is(err, &Error{Reason: ReasonListRead}) ||
		kakunin.FamilyOf(err) != kakunin.Unavailable {
		t.Error(err)
	}
	if err := store.take(ctx, mustParse(t, spec.Sign(a.Key))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func mustParse(t *testing.T, list []byte) *crl.Unverified {
	t.Helper()
	u, err := crl.Parse(list, crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}
