package revocation

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestCRLForged(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	genuine, forged := a.List(1, revoked(c, now.Add(-day))), a.List(99)
	forged.ThisUpdate = utcTime(now.Add(-time.Hour))
	der := forged.Sign(testKey("leaf"))
	t.Run("alone", func(t *testing.T) {
		store := added(t, der)
		answer, err := a.ask(t, store, c, now)
		wantUnknown(t, answer, err)
		if store.Len() != 0 {
			t.Error("the forged list stays")
		}
		// It does not keep the genuine one out.
		if err := store.Add(t.Context(), bytes.NewReader(genuine.Sign(a.Key))); err != nil {
			t.Errorf("the genuine list is refused: %v", err)
		}
	})
	t.Run("over a genuine one", func(t *testing.T) {
		if answer, err := a.ask(t, added(t, genuine.Sign(a.Key), der), c, now); err != nil || answer.Status != Revoked {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("altered", func(t *testing.T) {
		der := genuine.Sign(a.Key)
		at := bytes.Index(der, c.known().Serial)
		der[at]++
		answer, err := a.ask(t, added(t, der), c, now)
		wantUnknown(t, answer, err)
	})
	t.Run("signed by a certificate holder of the same authority", func(t *testing.T) {
		holder := a.signingLeaf(t)
		_, err := added(t, der).Check(t.Context(), Query{Certificate: c, Issuer: holder, At: now})
		if !errors.Is(err, &Error{Reason: ReasonStatusUnknown}) {
			t.Error(err)
		}
	})
	t.Run("authority may not sign lists", func(t *testing.T) {
		weak := newAuthority(t, "ca", a.Name, func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x04)) })
		answer, err := weak.ask(t, added(t, genuine.Sign(a.Key)), c, now)
		wantUnknown(t, answer, err)
	})
}

func TestCRLRefusedByAdd(t *testing.T) {
	a := signingAuthority(t, "ca")
	flag := func(tag byte) []byte { return []byte{tag, 1, 0xff} }
	for _, tc := range []struct {
		name, step string
		mutate     func(*listSpec)
	}{
		// crypto/x509.ParseRevocationList and CheckSignatureFrom accept the next seven.
		{"unknown critical extension", "crl.critical-extensions",
			func(s *listSpec) { s.Extensions = append(s.Extensions, ext([]int{1, 2, 3}, true, []byte{5, 0})) }},
		{"unknown critical entry extension on another certificate", "crl.critical-extensions", func(s *listSpec) {
			s.Entries = [][]byte{entry([]byte{0x55}, now, ext([]int{1, 2, 3}, true, []byte{5, 0}))}
		}},
		{"no nextUpdate", "crl.next-update", func(s *listSpec) { s.NextUpdate = nil }},
		{"CA certificates only", "crl.issuing-distribution-point",
			func(s *listSpec) { s.Extensions[2] = idp("Kiyose-shi", flag(0x82)) }},
		{"attribute certificates only", "crl.issuing-distribution-point",
			func(s *listSpec) { s.Extensions[2] = idp("Kiyose-shi", flag(0x85)) }},
		{"delta without a number above its base", "crl.delta",
			func(s *listSpec) { s.Extensions = append(s.Extensions, ext(oidDeltaCRLIndicator, true, integer(1))) }},
		{"empty distribution point", "crl.issuing-distribution-point",
			func(s *listSpec) { s.Extensions[2] = ext(oidIssuingDistribution, true, sequence()) }},
		{"two kinds of certificates only", "crl.issuing-distribution-point",
			func(s *listSpec) { s.Extensions[2] = idp("Kiyose-shi", userOnly, flag(0x82)) }},
		{"reasons that are not DER", "crl.issuing-distribution-point",
			func(s *listSpec) { s.Extensions[2] = idp("Kiyose-shi", []byte{0x83, 2, 1, 0x60}) }},

		{"certificateIssuer on an entry", "crl.entries", func(s *listSpec) {
			s.Entries = [][]byte{entry([]byte{0x55}, now, ext(oidCertificateIssuer, true,
				sequence(wrap(tag4c, a.Name))))}
		}},
		{"flag that is no DER boolean", "crl.issuing-distribution-point",
			func(s *listSpec) { s.Extensions[2] = idp("Kiyose-shi", []byte{0x81, 1, 1}) }},
		{"bytes after the distribution point", "crl.issuing-distribution-point",
			func(s *listSpec) { s.Extensions[2] = idp("Kiyose-shi", userOnly, []byte{5, 0}) }},
		{"no number", "crl.number", func(s *listSpec) { s.Extensions = slices.Delete(s.Extensions, 1, 2) }},
		{"negative number", "crl.number", func(s *listSpec) { s.Extensions[1] = numberExt(-1) }},
		{"number of 21 octets", "crl.number", func(s *listSpec) {
			s.Extensions[1] = ext(oidCRLNumber, false, wrap(cbasn1.INTEGER, bytes.Repeat([]byte{1}, 21)))
		}},
		{"no authority key identifier", "crl.authority-key-id", func(s *listSpec) { s.Extensions = s.Extensions[1:] }},
		{"extension twice", "crl.extensions", func(s *listSpec) { s.Extensions = append(s.Extensions, numberExt(1)) }},
		{"nextUpdate before thisUpdate", "crl.next-update", func(s *listSpec) {
			s.NextUpdate = utcTime(now.Add(-7 * time.Hour))
		}},
		{"odd time", "crl.this-update", func(s *listSpec) { s.ThisUpdate = rawTime(cbasn1.UTCTime, "2611020000Z") }},
		{"SHA-1", "crl.signature-algorithm", func(s *listSpec) {
			s.Algorithm = sequence(oid([]int{1, 2, 840, 113549, 1, 1, 5}), []byte{5, 0})
		}},
		{"serial twice", "crl.entries", func(s *listSpec) {
			s.Entries = [][]byte{entry([]byte{5}, now),
				entry([]byte{5}, now, reasonExt(8))}
		}},
		{"serial negative", "crl.entries", func(s *listSpec) { s.Entries = [][]byte{entry([]byte{0x85}, now)} }},
		{"serial of 21 octets", "crl.entries", func(s *listSpec) {
			s.Entries = [][]byte{entry(bytes.Repeat([]byte{1}, 21), now)}
		}},
		{"reason 7", "crl.entries", func(s *listSpec) { s.Entries = [][]byte{entry([]byte{5}, now, reasonExt(7))} }},
		{"reason 11", "crl.entries", func(s *listSpec) { s.Entries = [][]byte{entry([]byte{5}, now, reasonExt(11))} }},
		{"reason twice", "crl.entries", func(s *listSpec) {
			s.Entries = [][]byte{
				entry([]byte{5}, now, reasonExt(1), reasonExt(2))}
		}},
		{"empty entry extensions", "crl.entries", func(s *listSpec) {
			s.Entries = [][]byte{sequence(wrap(cbasn1.INTEGER, []byte{5}), utcTime(now), sequence())}
		}},
		{"bytes after the extensions", "crl.extensions", func(s *listSpec) { s.After = []byte{5, 0} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			spec := a.List(1)
			tc.mutate(&spec)
			store := new(Store)
			err := store.Add(t.Context(), bytes.NewReader(spec.Sign(a.Key)))
			var e *Error
			if !errors.As(err, &e) || e.Reason != ReasonList || e.Step != tc.step {
				t.Errorf("%v, want %s", err, tc.step)
			}
			if store.Len() != 0 {
				t.Error("the list was kept")
			}
			answer, err := a.ask(t, store, a.signingLeaf(t), now)
			wantUnknown(t, answer, err)
		})
	}
	spec := a.List(1, entry([]byte{5}, now, reasonExt(1)))
	der := spec.Sign(a.Key)
	for n := range der {
		if new(Store).Add(t.Context(), bytes.NewReader(der[:n])) == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(der))
		}
	}
	if new(Store).Add(t.Context(), bytes.NewReader(append(der, 0))) == nil {
		t.Error("a trailing byte was accepted")
	}
}

// TestCRLPendingIsBounded: lists that nobody has vouched for are counted by their size until they are verified or over.
func TestCRLPendingIsBounded(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	today, old := a.List(2), a.List(1)
	old.ThisUpdate, old.NextUpdate = utcTime(now.Add(-2*day)), utcTime(now.Add(-day))
	list := today.Sign(a.Key)
	store := added(t, old.Sign(a.Key), list)
	store.size += limits.CRLStore
	third := a.List(3)
	if err := store.Add(t.Context(), bytes.NewReader(third.Sign(a.Key))); !errors.Is(err,
		&Error{Reason: ReasonStoreFull}) {
		t.Error(err)
	}
	store.size -= limits.CRLStore
	if store.Prune(now); store.size != int64(len(list)) {
		t.Errorf("%d bytes of %d", store.size, len(list))
	}
	a.answer(t, store, c, now, Good)
	if store.Len() != 1 || store.size >= int64(len(list)) {
		t.Errorf("%d bytes of an empty list", store.size)
	}
}
