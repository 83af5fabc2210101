package crl_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

func TestMalformedLists(t *testing.T) {
	one := entry([]byte{5}, utc(now))
	with := func(change func(*spec)) *spec {
		s := extended([][]byte{one})
		change(s)
		return s
	}
	withEntry := func(e []byte) *spec { return extended([][]byte{one, e}) }
	withExtension := func(e []byte) *spec { return extended([][]byte{one}, e) }
	idp := func(parts ...[]byte) *spec { return withExtension(ext(28, true, sequence(parts...))) }
	yes := []byte{0xff}
	for _, tc := range []struct {
		name, step string
		spec       *spec
	}{
		{"version 0", "crl.version", with(func(s *spec) { s.version = integer(0) })},
		{"version 2", "crl.version", with(func(s *spec) { s.version = integer(2) })},
		{"version of two octets", "crl.version", with(func(s *spec) { s.version = octets(0, 1) })},
		{"algorithms differ", "crl.signature-algorithm", with(func(s *spec) {
			s.outer = sequence(oid(1, 2, 840, 10045, 4, 3, 3))
		})},
		{"empty issuer", "crl.issuer", with(func(s *spec) { s.issuer = sequence() })},
		{"issuer that is no name", "crl.issuer", with(func(s *spec) { s.issuer = sequence(integer(1)) })},
		{"no thisUpdate", "crl.this-update", with(func(s *spec) { s.thisUpdate, s.nextUpdate = nil, nil })},
		{"nextUpdate before thisUpdate", "crl.next-update", with(func(s *spec) { s.nextUpdate = utc(now.Add(-day)) })},
		{"nextUpdate is thisUpdate", "crl.next-update", with(func(s *spec) { s.nextUpdate = utc(now) })},
		{"three times", "crl.extensions", with(func(s *spec) {
			s.nextUpdate = append(utc(now.Add(day)), utc(now)...)
		})},
		{"entries of another type", "crl.extensions", with(func(s *spec) { s.entries = wrap(cbasn1.SET, one) })},
		{"bytes after the extensions", "crl.extensions", with(func(s *spec) { s.after = []byte{5, 0} })},
		{"bytes after the signature", "crl.der", with(func(s *spec) { s.trailing = []byte{5, 0} })},
		{"empty extensions", "crl.extensions", with(func(s *spec) { s.extensions = wrap(0xa0, sequence()) })},
		{"extensions without [0]", "crl.extensions", with(func(s *spec) {
			s.extensions = sequence(ext(20, false, integer(1)))
		})},

		{"extension twice", "crl.extensions", withExtension(ext(20, false, integer(7)))},
		{"unknown extension twice", "crl.extensions", withExtension(
			append(ext(99, false, nil), ext(99, false, nil)...))},
		{"critical that is no DER boolean", "crl.extensions",
			withExtension(sequence(oid(1, 2, 3), []byte{1, 1, 1}, wrap(cbasn1.OCTET_STRING, nil)))},
		{"negative base", "crl.delta", withExtension(ext(27, true, integer(-1)))},
		{"base above the number", "crl.delta", withExtension(ext(27, true, integer(8)))},
		{"base is the number", "crl.delta", withExtension(ext(27, true, integer(7)))},
		{"empty key identifier", "crl.authority-key-id", withExtension(ext(35, false, sequence(wrap(0x80))))},
		{"issuer without serial", "crl.authority-key-id", withExtension(
			ext(35, false, sequence(wrap(0xa1, directory("x")))))},
		{"empty freshestCRL", "crl.freshest-crl", withExtension(ext(46, false, sequence()))},
		{"point of reasons only", "crl.freshest-crl", withExtension(
			ext(46, false, sequence(sequence([]byte{0x81, 2, 5, 0x60}))))},

		{"empty distribution point", "crl.issuing-distribution-point", idp()},
		{"user and CA only", "crl.issuing-distribution-point", idp(wrap(0x81, yes), wrap(0x82, yes))},
		{"user and attribute only", "crl.issuing-distribution-point", idp(wrap(0x81, yes), wrap(0x85, yes))},
		{"CA and attribute only", "crl.issuing-distribution-point", idp(wrap(0x82, yes), wrap(0x85, yes))},
		{"flag that is no DER boolean", "crl.issuing-distribution-point", idp(wrap(0x81, []byte{1}))},
		{"flags in another order", "crl.issuing-distribution-point", idp(wrap(0x84, yes), wrap(0x81, yes))},
		{"reasons with trailing zeros", "crl.issuing-distribution-point", idp(wrap(0x83, []byte{1, 0x60}))},
		{"reasons with unused bits set", "crl.issuing-distribution-point", idp(wrap(0x83, []byte{6, 0x60}))},
		{"reasons of nine unused bits", "crl.issuing-distribution-point", idp(wrap(0x83, []byte{9, 0x60}))},
		{"no reasons at all", "crl.issuing-distribution-point", idp(wrap(0x83))},
		{"point without names", "crl.issuing-distribution-point", idp(wrap(0xa0, wrap(0xa0)))},
		{"point of an unknown kind", "crl.issuing-distribution-point", idp(wrap(0xa0, wrap(0xa2, directory("x"))))},
		{"point with an unknown kind of name", "crl.issuing-distribution-point",
			idp(wrap(0xa0, wrap(0xa0, wrap(0x89, []byte("x")))))},
		{"relative name that is none", "crl.issuing-distribution-point", idp(wrap(0xa0, wrap(0xa1, integer(1))))},

		{"serial negative", "crl.entries", withEntry(entry([]byte{0x85}, utc(now)))},
		{"serial zero", "crl.entries", withEntry(entry([]byte{0}, utc(now)))},
		{"serial not minimal", "crl.entries", withEntry(entry([]byte{0, 5}, utc(now)))},
		{"serial of no octets", "crl.entries", withEntry(entry(nil, utc(now)))},
		{"serial of 21 octets", "crl.entries", withEntry(entry(bytes.Repeat([]byte{1}, 21), utc(now)))},
		{"reason 7", "crl.entries", withEntry(entry([]byte{6}, utc(now), reason(7)))},
		{"reason 11", "crl.entries", withEntry(entry([]byte{6}, utc(now), reason(11)))},
		{"reason of two octets", "crl.entries", withEntry(entry([]byte{6}, utc(now),
			ext(21, false, []byte{10, 2, 0, 1})))},
		{"reason is no ENUMERATED", "crl.entries", withEntry(entry([]byte{6}, utc(now), ext(21, false, integer(1))))},
		{"reason twice", "crl.entries", withEntry(entry([]byte{6}, utc(now), reason(1), reason(1)))},
		{"removeFromCRL in a complete list", "crl.entries", withEntry(entry([]byte{6}, utc(now), reason(8)))},
		{"empty entry extensions", "crl.entries", withEntry(sequence(octets(6), utc(now), sequence()))},
		{"invalidityDate in UTCTime", "crl.entries", withEntry(entry([]byte{6}, utc(now), ext(24, false, utc(now))))},
		{"bytes after the date", "crl.entries", withEntry(sequence(octets(6), utc(now), []byte{5, 0}))},
		{"bytes after the entry extensions", "crl.entries", withEntry(
			sequence(octets(6), utc(now), sequence(reason(1)), []byte{5, 0}))},
		{"entry that is no SEQUENCE", "crl.entries", withEntry(wrap(cbasn1.SET, octets(6), utc(now)))},
		{"entry longer than the list of entries", "crl.entries", withEntry([]byte{0x30, 0x50, 2, 1, 6})},
	} {
		t.Run(tc.name, func(t *testing.T) { wantRefused(t, tc.spec, tc.step, crl.ReasonMalformed) })
	}
	t.Run("SHA-1", func(t *testing.T) {
		sha1 := sequence(oid(1, 2, 840, 10045, 4, 1))
		wantRefused(t, with(func(s *spec) { s.algorithm, s.outer = sha1, sha1 }), "crl.signature-algorithm",
			crl.ReasonAlgorithm)
	})
	t.Run("oversized parts", func(t *testing.T) {
		big := bytes.Repeat([]byte("x"), 70_000)
		wantRefused(t, withEntry(entry([]byte{6}, utc(now), sequence(oid(1, 2, 3), wrap(cbasn1.OCTET_STRING, big)))),
			"crl.entries", crl.ReasonLimit)
		wantRefused(t, withExtension(sequence(oid(1, 2, 3), wrap(cbasn1.OCTET_STRING, big))), "crl.extensions",
			crl.ReasonLimit)
		wantRefused(t, with(func(s *spec) { s.issuer = name(string(big)) }), "crl.issuer", crl.ReasonLimit)
	})
}

// TestOddTimes: RFC 5280, 4.1.2.5 has one form of each type.
func TestOddTimes(t *testing.T) {
	for _, odd := range []struct {
		tag  cbasn1.Tag
		text string
	}{
		{cbasn1.UTCTime, "2611020304Z"}, {cbasn1.UTCTime, "261102030405+0900"}, {cbasn1.UTCTime, "261102030405"},
		{cbasn1.UTCTime, "261102030405z"},
		{cbasn1.UTCTime, "261302030405Z"}, {cbasn1.UTCTime, "260002030405Z"}, {cbasn1.UTCTime, "260229030405Z"},
		{cbasn1.UTCTime, "260230030405Z"}, {cbasn1.UTCTime, "260200030405Z"},
		{cbasn1.UTCTime, "261102240000Z"}, {cbasn1.UTCTime, "261102030460Z"}, {cbasn1.UTCTime, "261102036005Z"},
		{cbasn1.UTCTime, "26110203040 Z"},
		{cbasn1.UTCTime, "\x00\x00\x00\x00\x00\x00030405Z"}, {cbasn1.UTCTime, ":61102030405Z"},
		{cbasn1.UTCTime, "2611020304/5Z"},
		{cbasn1.GeneralizedTime, "20261102030405.5Z"}, {cbasn1.GeneralizedTime, "202611020304Z"},
		{cbasn1.GeneralizedTime, "20261102030405"},
		{cbasn1.GeneralizedTime, "20260231030405Z"}, {cbasn1.INTEGER, "1"},
	} {
		value := text(odd.tag, odd.text)
		wantRefused(t, extended([][]byte{entry([]byte{5}, value), entry([]byte{6}, utc(now)),
			entry([]byte{7}, utc(now)), entry([]byte{8}, utc(now))}), "crl.entries", crl.ReasonMalformed)
		s := extended(nil)
		s.thisUpdate = value
		wantRefused(t, s, "crl.this-update", crl.ReasonMalformed)
		if odd.tag != cbasn1.INTEGER {
			s = extended(nil)
			s.nextUpdate = value
			wantRefused(t, s, "crl.next-update", crl.ReasonMalformed)
		}
	}
}

func TestLengthsAreMinimal(t *testing.T) {
	// The outer SEQUENCE, with its length in the shortest form, in longer ones and in the indefinite one.
	content := extended([][]byte{entry([]byte{5}, utc(now))}).sign()
	for content[1] == 0x82 || content[1] == 0x81 {
		content = content[2+content[1]&0x7f:]
		break
	}
	n := len(content)
	for label, header := range map[string][]byte{
		"three octets": {0x30, 0x83, 0, byte(n >> 8), byte(n)},
		"four octets":  {0x30, 0x84, 0, 0, byte(n >> 8), byte(n)},
		"five octets":  {0x30, 0x85, 0, 0, 0, byte(n >> 8), byte(n)}, "indefinite": {0x30, 0x80},
		"too long":             {0x30, 0x82, byte((n + 1) >> 8), byte(n + 1)},
		"too short":            {0x30, 0x82, byte((n - 1) >> 8), byte(n - 1)},
		"longer than anything": {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
		"high tag":             {0x3f, 0x30, 0x82, byte(n >> 8), byte(n)},
		"another tag":          {0x31, 0x82, byte(n >> 8), byte(n)},
	} {
		if _, err := parse(t, append(header, content...), crl.Options{}); err == nil {
			t.Errorf("%s: accepted", label)
		}
	}
	// In an entry: 30 81 12 for 30 12.
	e := entry([]byte{5}, utc(now))
	long := append([]byte{0x30, 0x81, e[1]}, e[2:]...)
	wantRefused(t, extended([][]byte{long}), "crl.entries", crl.ReasonMalformed)
	wantRefused(t, extended([][]byte{long, e, e, e, e}), "crl.entries", crl.ReasonMalformed)
}

func TestTruncatedLists(t *testing.T) {
	list := extended([][]byte{entry([]byte{5}, utc(now)), entry([]byte{6}, utc(now), reason(1)),
		entry([]byte{7}, generalized(now))}).sign()
	for n := range list {
		if _, err := parse(t, list[:n], crl.Options{}); err == nil {
			t.Fatalf("the first %d of %d octets were accepted", n, len(list))
		}
	}
	if _, err := parse(t, append(bytes.Clone(list), 0), crl.Options{}); err == nil {
		t.Error("a trailing octet was accepted")
	}
}

// TestParseRevocationListAccepts has what crypto/x509.ParseRevocationList and CheckSignature accept and this package
// refuses, each with the sound list beside it.
func TestParseRevocationListAccepts(t *testing.T) {
	unknown := sequence(oid(1, 2, 3), []byte{1, 1, 0xff}, wrap(cbasn1.OCTET_STRING, []byte{5, 0}))
	one := entry([]byte{5}, utc(now))
	accepts := func(t *testing.T, s *spec) []byte {
		t.Helper()
		list := s.sign()
		std, err := x509.ParseRevocationList(list)
		if err != nil {
			t.Fatalf("crypto/x509 no longer accepts it, look at this test: %v", err)
		}
		issuer := &x509.Certificate{PublicKey: &key().PublicKey, Version: 3, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCRLSign, PublicKeyAlgorithm: x509.ECDSA}
		if err := std.CheckSignatureFrom(issuer); err != nil {
			t.Fatalf("crypto/x509 no longer accepts its signature, look at this test: %v", err)
		}
		return list
	}
	t.Run("unknown critical extension", func(t *testing.T) {
		u, err := parse(t, accepts(t, extended([][]byte{one}, unknown)), crl.Options{})
		if err != nil || len(u.Header().UnknownCritical) != 1 {
			t.Fatal(err)
		}
		if _, err := u.Verify(t.Context(), &key().PublicKey); !errors.Is(err, &crl.Error{Reason: crl.ReasonCritical}) {
			t.Error(err)
		}
	})
	t.Run("unknown critical entry extension", func(t *testing.T) {
		u, err := parse(t, accepts(t, extended([][]byte{one, entry([]byte{6}, utc(now), unknown)})), crl.Options{})
		if err != nil || len(u.Header().UnknownCritical) != 1 {
			t.Fatal(err)
		}
		if _, err := u.Verify(t.Context(), &key().PublicKey); !errors.Is(err, &crl.Error{Reason: crl.ReasonCritical}) {
			t.Error(err)
		}
	})
	t.Run("issuingDistributionPoint is not read", func(t *testing.T) {
		point := wrap(0xa0, wrap(0xa0, directory("city")))
		u, err := parse(t, accepts(t, extended([][]byte{one},
			ext(28, true, sequence(point, wrap(0x81, []byte{0xff}))))), crl.Options{})
		if err != nil || u.Header().Scope == nil || !u.Header().Scope.OnlyUserCerts || u.Header().Scope.Name == nil {
			t.Errorf("%+v, %v", u, err)
		}
		wantBytesRefused(t, accepts(t, extended([][]byte{one}, ext(28, true, sequence()))),
			"crl.issuing-distribution-point", crl.ReasonMalformed)
	})
	t.Run("nextUpdate has passed", func(t *testing.T) {
		// A parser has no clock: it gives the time, and the packages that decide refuse the list.
		s := extended([][]byte{one})
		s.thisUpdate, s.nextUpdate = utc(now.Add(-2*day)), utc(now.Add(-day))
		u, err := parse(t, accepts(t, s), crl.Options{})
		if err != nil || !u.Header().NextUpdate.Equal(now.Add(-day)) {
			t.Error(err)
		}
	})
	for _, tc := range []struct {
		name, step string
		spec       *spec
	}{
		{"removeFromCRL in a complete list", "crl.entries", extended([][]byte{entry([]byte{5}, utc(now), reason(8))})},
		{"reason 7", "crl.entries", extended([][]byte{entry([]byte{5}, utc(now), reason(7))})},
		{"reason 99", "crl.entries", extended([][]byte{entry([]byte{5}, utc(now), reason(99))})},
		{"negative serial", "crl.entries", extended([][]byte{entry([]byte{0x85}, utc(now))})},
		{"serial of 21 octets", "crl.entries", extended([][]byte{entry(bytes.Repeat([]byte{1}, 21), utc(now))})},
		{"certificateIssuer in a list that is not indirect", "crl.entries",
			extended([][]byte{entry([]byte{5}, utc(now), ext(29, true, sequence(directory("B"))))})},
		{"base of a delta list that is no number", "crl.delta", extended(nil, ext(27, true, []byte{5, 0}))},
		{"nextUpdate before thisUpdate", "crl.next-update", func() *spec {
			s := extended(nil)
			s.nextUpdate = utc(now.Add(-time.Hour))
			return s
		}()},
	} {
		t.Run(tc.name, func(t *testing.T) { wantBytesRefused(t, accepts(t, tc.spec), tc.step, crl.ReasonMalformed) })
	}
	t.Run("one certificate twice", func(t *testing.T) {
		s := extended([][]byte{entry([]byte{5}, utc(now), reason(6)), entry([]byte{5}, utc(now), reason(1))})
		accepts(t, s)
		wantDuplicate(t, s)
	})
}

// What is no list at all is named in a sentence.
func TestParseSaysWhatItGot(t *testing.T) {
	for want, data := range map[string]string{
		"offset 0: this is PEM": "-----BEGIN X509 CRL-----\nMIIB", "offset 0: the file is empty": "",
		"offset 0: this is an HTML or XML page": "<!DOCTYPE html>", "offset 0: this is BER": "\x30\x80\x00\x00",
	} {
		_, err := crl.Parse([]byte(data), crl.Options{})
		if !errors.Is(err, &crl.Error{Reason: crl.ReasonMalformed}) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
