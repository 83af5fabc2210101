package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/crl"
)

// evidenceIs reports whether the evidence is of the one list.
func evidenceIs(t *testing.T, answer Answer, der []byte) bool {
	t.Helper()
	var list []ListEvidence
	if err := json.Unmarshal(answer.Evidence, &list); err != nil || len(list) != 1 {
		t.Errorf("evidence: %v, %d lists", err, len(list))
		return false
	}
	sum := sha256.Sum256(der)
	e := list[0]
	return e.SHA256 == hex.EncodeToString(sum[:]) && e.Size == int64(len(der)) &&
		e.ThisUpdate.Equal(answer.ThisUpdate) &&
		(answer.RevokedAt.IsZero() || bytes.Contains(der, e.Entry) && len(e.Entry) > 0)
}

// trusting is a store that knows its authority, with the lists.
func (a *authority) trusting(t testing.TB, lists ...[]byte) *Store {
	t.Helper()
	c, err := OpenStore(t.Context(), StoreConfig{Authorities: []*x509.Certificate{a.Cert}})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		if err := c.Add(t.Context(), bytes.NewReader(l)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func added(t testing.TB, lists ...[]byte) *Store {
	t.Helper()
	c := new(Store)
	for _, l := range lists {
		if err := c.Add(t.Context(), bytes.NewReader(l)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (a *authority) ask(t testing.TB, s Source, c *Certificate, at time.Time) (Answer, error) {
	t.Helper()
	return s.Check(t.Context(), Query{Certificate: c, Issuer: a.asked(), At: at})
}

func wantUnknown(t *testing.T, answer Answer, err error) {
	t.Helper()
	if answer.Status != Unknown || !errors.Is(err, &Error{Reason: ReasonStatusUnknown}) ||
		kakunin.FamilyOf(err) != kakunin.Unavailable {
		t.Errorf("%v, %v, want unknown", answer, err)
	}
}

func TestCRLAnswers(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	other := entry([]byte{0x77}, now.Add(-day))
	invalidity := func(at time.Time) []byte { return ext(oidInvalidityDate, false, generalizedTime(at)) }
	for _, tc := range []struct {
		name    string
		entries [][]byte
		status  Status
		reason  crl.ReasonCode
	}{
		{"empty", nil, Good, crl.ReasonCodeAbsent},
		{"others listed", [][]byte{other}, Good, crl.ReasonCodeAbsent},
		{"revoked", [][]byte{other, revoked(c, now.Add(-day))}, Revoked, crl.ReasonCodeAbsent},
		{"revoked, entries not sorted", [][]byte{revoked(c, now.Add(-day)), other}, Revoked, crl.ReasonCodeAbsent},
		{"affiliationChanged", [][]byte{revoked(c, now.Add(-day), reasonExt(3))}, Revoked, 3},
		{"certificateHold", [][]byte{revoked(c, now.Add(-day), reasonExt(6))}, Hold, 6},
		{"revoked this second", [][]byte{revoked(c, now, reasonExt(4))}, Revoked, 4},
		{"revoked later", [][]byte{revoked(c, now.Add(time.Hour), reasonExt(4))}, Good, 4},
		{"on hold later", [][]byte{revoked(c, now.Add(time.Hour), reasonExt(6))}, Good, 6},
		{"key compromised, revoked later", [][]byte{revoked(c, now.Add(time.Hour), reasonExt(1))}, Revoked, 1},
		{"authority compromised, revoked later", [][]byte{revoked(c, now.Add(time.Hour), reasonExt(2))}, Revoked, 2},
		{"revoked later, invalid before", [][]byte{revoked(c, now.Add(time.Hour), reasonExt(4),
			invalidity(now.Add(-day)))}, Revoked, 4},
		{"revoked and invalid later", [][]byte{revoked(c, now.Add(2*time.Hour), reasonExt(4),
			invalidity(now.Add(time.Hour)))}, Good, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			spec := a.List(1, tc.entries...)
			der := spec.Sign(a.Key)
			answer, err := a.ask(t, added(t, der), c, now)
			if err != nil || answer.Status != tc.status || answer.Reason != tc.reason {
				t.Fatalf("%v, %v", answer, err)
			}
			if answer.Method != "CRL" || !evidenceIs(t, answer, der) || answer.ThisUpdate.IsZero() ||
				answer.NextUpdate.IsZero() {
				t.Error("the evidence is not complete")
			}
			if (tc.reason != crl.ReasonCodeAbsent || tc.status == Revoked) == answer.RevokedAt.IsZero() {
				t.Error("revocation date")
			}
		})
	}
	t.Run("removeFromCRL outside a delta list", func(t *testing.T) {
		spec := a.List(1, revoked(c, now.Add(-day), reasonExt(8)))
		if err := new(Store).Add(t.Context(), bytes.NewReader(spec.Sign(a.Key))); !errors.Is(err,
			&Error{Reason: ReasonList, Step: "crl.entries"}) {
			t.Error(err)
		}
	})
}

// TestCRLNotForThisLeaf: a list that is sound but says nothing about the leaf must not be taken for "not listed".
func TestCRLNotForThisLeaf(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	with := func(m func(*listSpec)) func(t *testing.T) {
		return func(t *testing.T) {
			spec := a.List(1)
			m(&spec)
			answer, err := a.ask(t, added(t, spec.Sign(a.Key)), c, now)
			wantUnknown(t, answer, err)
		}
	}
	t.Run("partition of another city", with(func(s *listSpec) { s.Extensions[2] = idp("Hino-shi", userOnly) }))
	t.Run("same city in another encoding", with(func(s *listSpec) {
		printable := bytes.ReplaceAll(pointName("Kiyose-shi"), []byte{0x0c, 0x09, 'J'}, []byte{0x13, 0x09, 'J'})
		s.Extensions[2] = ext(oidIssuingDistribution, true, sequence(wrap(tag0c, wrap(tag0c, wrap(tag4c, printable)))))
	}))
	t.Run("expired nextUpdate", with(func(s *listSpec) {
		s.ThisUpdate, s.NextUpdate = utcTime(now.Add(-2*day)), utcTime(now.Add(-day))
	}))
	t.Run("nextUpdate this second", with(func(s *listSpec) { s.NextUpdate = utcTime(now) }))
	t.Run("from the future", with(func(s *listSpec) { s.ThisUpdate = utcTime(now.Add(time.Second)) }))
	t.Run("issuer name differs", with(func(s *listSpec) { s.Issuer = jpkiName("JPKI-TEST", unitAuth) }))
	t.Run("onlySomeReasons without the leaf", with(func(s *listSpec) {
		s.Extensions[2] = idp("Kiyose-shi", userOnly, []byte{0x83, 2, 5, 0x60})
	}))

	t.Run("onlySomeReasons with the leaf", func(t *testing.T) {
		spec := a.List(1, revoked(c, now.Add(-day), reasonExt(1)))
		spec.Extensions[2] = idp("Kiyose-shi", []byte{0x83, 2, 5, 0x60})
		if answer, err := a.ask(t, added(t, spec.Sign(a.Key)), c, now); err != nil || answer.Status != Revoked {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("this second", func(t *testing.T) {
		spec := a.List(1)
		spec.ThisUpdate = utcTime(now)
		if answer, err := a.ask(t, added(t, spec.Sign(a.Key)), c, now); err != nil || answer.Status != Good {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("partitioned list, leaf without distribution points", func(t *testing.T) {
		bare := a.signingLeaf(t, func(s *certSpec) { s.Replace(oidCRLDistribution, nil) })
		spec := a.List(1)
		answer, err := a.ask(t, added(t, spec.Sign(a.Key)), bare, now)
		wantUnknown(t, answer, err)
		for _, extensions := range [][][]byte{spec.Extensions[:2],
			{spec.Extensions[0], spec.Extensions[1], idp("", userOnly)}} {
			whole := a.List(1)
			whole.Extensions = extensions
			if answer, err := a.ask(t, added(t, whole.Sign(a.Key)), bare, now); err != nil || answer.Status != Good {
				t.Errorf("list of everything: %v, %v", answer, err)
			}
		}
	})
	t.Run("distribution point with reasons or another issuer", func(t *testing.T) {
		point := wrap(tag0c, wrap(tag0c, wrap(tag4c, pointName("Kiyose-shi"))))
		for _, extra := range [][]byte{{0x81, 2, 5, 0x60}, wrap(tag2c, wrap(tag4c, a.Name))} {
			leaf := a.signingLeaf(t, func(s *certSpec) {
				s.Replace(oidCRLDistribution, ext(oidCRLDistribution, false, sequence(sequence(point, extra))))
			})
			spec := a.List(1)
			answer, err := a.ask(t, added(t, spec.Sign(a.Key)), leaf, now)
			wantUnknown(t, answer, err)
			if len(leaf.known().Points().Directory) != 1 {
				t.Error("the point is not shown")
			}
		}
	})
	t.Run("second of two distribution points", func(t *testing.T) {
		leaf := a.signingLeaf(t, func(s *certSpec) {
			s.Replace(oidCRLDistribution, pointExt(pointName("Hino-shi"), pointName("Kiyose-shi")))
		})
		spec := a.List(1, revoked(leaf, now.Add(-day)))
		if answer, err := a.ask(t, added(t, spec.Sign(a.Key)), leaf, now); err != nil || answer.Status != Revoked {
			t.Errorf("%v, %v", answer, err)
		}
	})
}

// TestCRLOfAnotherGeneration: the lists of authorities that share a name are kept apart by key.
func TestCRLOfAnotherGeneration(t *testing.T) {
	a, b := signingAuthority(t, "ca"), signingAuthority(t, "other")
	c := a.signingLeaf(t)
	mine, theirs := a.List(1, revoked(c, now.Add(-day))), b.List(9)
	store := added(t, theirs.Sign(b.Key))
	answer, err := a.ask(t, store, c, now)
	wantUnknown(t, answer, err)
	// Its higher number does not keep the list of this generation out.
	if err := store.Add(t.Context(), bytes.NewReader(mine.Sign(a.Key))); err != nil {
		t.Fatal(err)
	}
	if answer, err := a.ask(t, store, c, now); err != nil || answer.Status != Revoked {
		t.Errorf("%v, %v", answer, err)
	}
	if answer, err := b.ask(t, store, b.signingLeaf(t), now); err != nil || answer.Status != Good {
		t.Errorf("same serial, other generation: %v, %v", answer, err)
	}
}

func TestCRLRollback(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	at := func(number int64, hours time.Duration, entries ...[]byte) []byte {
		spec := a.List(number, entries...)
		spec.ThisUpdate = utcTime(now.Add(hours * time.Hour))
		return spec.Sign(a.Key)
	}
	newest := at(10, -2, revoked(c, now.Add(-3*time.Hour)))
	store := a.trusting(t, newest, newest)
	if store.Len() != 1 {
		t.Error("the same list is kept twice")
	}
	for name, der := range map[string][]byte{
		"lower number": at(9, -4), "lower number, later": at(9, -1), "same number, other content": at(10, -1),
		"higher number, earlier": at(11, -3), "number zero": at(0, -1),
	} {
		if err := store.Add(t.Context(), bytes.NewReader(der)); !errors.Is(err, &Error{Reason: ReasonListRollback}) ||
			kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
	if answer, err := a.ask(t, store, c, now); err != nil || answer.Status != Revoked {
		t.Errorf("%v, %v", answer, err)
	}
	for name, der := range map[string][]byte{"the next": at(11, -1), "another scope": func() []byte {
		spec := a.List(1)
		spec.Extensions[2] = idp("Hino-shi", userOnly)
		return spec.Sign(a.Key)
	}()} {
		if err := store.Add(t.Context(), bytes.NewReader(der)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// 0x0100 is more than 0xff: numbers are integers, not strings.
	if crl.CompareNumbers([]byte{0, 0xff}, []byte{1, 0}) >= 0 || crl.CompareNumbers([]byte{0x7f}, []byte{1, 0}) >= 0 {
		t.Error("numbers are compared wrongly")
	}
}

// TestCRLHistory: the list of the time decides, and a later one can only take away.
func TestCRLHistory(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	daily := func(number int64, from time.Time, entries ...[]byte) []byte {
		spec := a.List(number, entries...)
		spec.ThisUpdate, spec.NextUpdate = utcTime(from), utcTime(from.Add(day))
		return spec.Sign(a.Key)
	}
	signedAt := now.Add(-10 * day)
	then, later := signedAt.Add(-time.Hour), now.Add(-time.Hour)
	for _, tc := range []struct {
		name  string
		lists [][]byte
		want  Status
	}{
		{"the list of the time", [][]byte{daily(1, then)}, Good},
		{"only a later list", [][]byte{daily(2, later)}, Unknown},
		{"only a later list, revoked after", [][]byte{daily(2, later, revoked(c, now.Add(-2*day), reasonExt(4)))},
			Unknown},
		{"revoked after", [][]byte{daily(1, then), daily(2, later, revoked(c, now.Add(-2*day), reasonExt(4)))}, Good},
		{"key compromise after", [][]byte{daily(1, then), daily(2, later, revoked(c, now.Add(-2*day), reasonExt(1)))},
			Revoked},
		{"revoked before, known later", [][]byte{daily(1, then),
			daily(2, later, revoked(c, signedAt.Add(-day), reasonExt(4)))}, Revoked},
		{"on hold before, known later", [][]byte{daily(1, then),
			daily(2, later, revoked(c, signedAt.Add(-day), reasonExt(6)))}, Hold},
		{"on hold then, lifted later", [][]byte{daily(1, then, revoked(c, signedAt.Add(-day), reasonExt(6))),
			daily(2, later)}, Hold},
		{"expired list", [][]byte{daily(1, signedAt.Add(-2*day))}, Unknown},
		{"two in force, the latest decides", [][]byte{daily(1, then),
			daily(2, signedAt.Add(-time.Minute), revoked(c, signedAt.Add(-2*time.Minute)))}, Revoked},
		{"two of one second, the higher number decides", [][]byte{daily(1, then),
			daily(2, then, revoked(c, then, reasonExt(4)))}, Revoked},
		{"two of one second, hold lifted", [][]byte{daily(1, then, revoked(c, then, reasonExt(6))), daily(2, then)},
			Good},
		{"two in force, hold lifted", [][]byte{daily(1, then, revoked(c, signedAt.Add(-day), reasonExt(6))),
			daily(2, signedAt.Add(-time.Minute))}, Good},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer, err := a.ask(t, added(t, tc.lists...), c, signedAt)
			if answer.Status != tc.want || (err == nil) != (tc.want != Unknown) {
				t.Errorf("%v, %v, want %v", answer, err, tc.want)
			}
		})
	}
	t.Run("a partition and a list of everything", func(t *testing.T) {
		whole := a.List(7, revoked(c, signedAt.Add(-time.Hour)))
		whole.ThisUpdate, whole.NextUpdate = utcTime(signedAt.Add(-time.Minute)), utcTime(now)
		whole.Extensions = whole.Extensions[:2]
		for _, lists := range [][][]byte{{daily(1, then), whole.Sign(a.Key)}, {whole.Sign(a.Key), daily(1, then)}} {
			if answer, err := a.ask(t, added(t, lists...), c, signedAt); err != nil || answer.Status != Revoked {
				t.Errorf("%v, %v", answer, err)
			}
		}
	})
	// A partition's list and a list of everything in force at once, the other way round: the older one is the only one
	// of its scope, and no list of another scope can take its revocation back.
	t.Run("a revocation of another scope", func(t *testing.T) {
		whole := a.List(7)
		whole.ThisUpdate, whole.NextUpdate = utcTime(signedAt.Add(-time.Minute)), utcTime(now)
		whole.Extensions = whole.Extensions[:2]
		partition := daily(1, then, revoked(c, signedAt.Add(-day), reasonExt(4)))
		if answer, err := a.ask(t, added(t, partition, whole.Sign(a.Key)), c, signedAt); err != nil ||
			answer.Status != Revoked {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("prune", func(t *testing.T) {
		store := added(t, daily(1, then), daily(2, then.Add(day)), daily(3, later))
		if n := store.Prune(now); n != 2 || store.Len() != 1 {
			t.Errorf("%d pruned, %d left", n, store.Len())
		}
		answer, err := a.ask(t, store, c, signedAt)
		wantUnknown(t, answer, err)
		if answer, err := a.ask(t, store, c, now); err != nil || answer.Status != Good {
			t.Errorf("%v, %v", answer, err)
		}
		if store.Prune(now.Add(year)) != 0 || !errors.Is(store.Add(t.Context(),
			bytes.NewReader(daily(2, then.Add(day)))), &Error{Reason: ReasonListRollback}) {
			t.Error("the guard against a rollback was pruned")
		}
	})
}

func TestCRLQueryGuards(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	spec := a.List(1)
	store := added(t, spec.Sign(a.Key))
	for name, q := range map[string]Query{
		"zero": {}, "no issuer": {Certificate: c, At: now}, "no certificate": {Issuer: a.asked(), At: now},
		"no time":                       {Certificate: c, Issuer: a.asked()},
		"certificate that was not read": {Certificate: &Certificate{}, Issuer: a.asked(), At: now},
		"issuer of another certificate": {Certificate: c, Issuer: signingAuthority(t, "other").asked(), At: now},
		"issuer that was not read":      {Certificate: c, Issuer: &Certificate{}, At: now},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := store.Check(t.Context(), q)
			wantUnknown(t, answer, err)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	answer, err := store.Check(ctx, Query{Certificate: c, Issuer: a.asked(), At: now})
	wantUnknown(t, answer, err)
}

// TestCRLAgreesWithStandardLibrary reads a list that crypto/x509 wrote.
func TestCRLAgreesWithStandardLibrary(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	template := &x509.RevocationList{Number: big.NewInt(3), ThisUpdate: now.Add(-time.Hour),
		NextUpdate: now.Add(time.Hour)}
	for i := range 300 {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: big.NewInt(int64(1 + (i*7919)%100003)), RevocationTime: now.Add(-day), ReasonCode: 4,
		})
	}
	template.RevokedCertificateEntries[100].SerialNumber = new(big.Int).SetBytes(c.Serial())
	der, err := x509.CreateRevocationList(nil, template, a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	u, err := crl.Parse(der, crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := u.Verify(t.Context(), a.Cert.PublicKey)
	if err != nil || l.Len() != len(template.RevokedCertificateEntries) {
		t.Fatal(err)
	}
	for _, e := range template.RevokedCertificateEntries {
		got, found := l.Lookup(a.Name, build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(e.SerialNumber) })[2:])
		if !found || int(got.Reason) != e.ReasonCode || !got.RevokedAt.Equal(e.RevocationTime) {
			t.Fatalf("serial %v: %+v, %v", e.SerialNumber, got, found)
		}
	}
	if _, found := l.Lookup(a.Name, []byte{0x7f, 0x7f, 0x7f, 0x7f}); found {
		t.Error("found what is not listed")
	}
	if answer, err := a.ask(t, added(t, der), c, now); err != nil || answer.Status != Revoked {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestCRLConcurrentUse(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	store := new(Store)
	var lists [][]byte
	for i := range 8 {
		spec := a.List(int64(i), revoked(c, now.Add(-day)))
		spec.ThisUpdate = utcTime(now.Add(time.Duration(i-100) * time.Minute))
		key := a.Key
		if i%3 == 2 {
			key = testKey("leaf") // forged: dropped at first use
		}
		lists = append(lists, spec.Sign(key))
	}
	if err := store.Add(t.Context(), bytes.NewReader(lists[0])); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	failures := make(chan error, 64)
	for range 4 {
		group.Go(func() {
			for range 50 {
				answer, err := store.Check(context.Background(), Query{Certificate: c, Issuer: a.asked(), At: now})
				if err != nil || answer.Status != Revoked {
					select {
					case failures <- fmt.Errorf("%v: %w", answer, err):
					default:
					}
				}
			}
		})
	}
	group.Go(func() {
		for _, der := range lists[1:] {
			_ = store.Add(t.Context(), bytes.NewReader(der)) // a forged one may be in the way for a moment
			store.Prune(now)
		}
	})
	group.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
}
