package certpath

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// lengthen encodes the outermost length in one octet more than needed.
func lengthen(t *testing.T, raw []byte) []byte {
	t.Helper()
	if raw[1] != 0x82 {
		t.Fatal("the certificate is shorter than expected")
	}
	return append([]byte{raw[0], 0x83, 0}, raw[2:]...)
}

// What is not strict DER, or not of the form of RFC 5280, 4.1, is refused with the place.
func TestMalformedCertificates(t *testing.T) {
	good := func() *spec { return leafSpec("EE", "A", "A") }
	change := func(f func(s *spec)) []byte {
		s := good()
		f(s)
		return s.der()
	}
	timed := func(tag cbasn1.Tag, text string) []byte {
		return change(func(s *spec) { s.notBefore = wrap(tag, []byte(text)) })
	}
	ext := func(id asn1.ObjectIdentifier, value []byte) []byte {
		return change(func(s *spec) { s.without(id).with(extDER(id, false, value)) })
	}
	raw := good().der()
	cases := map[string]struct {
		der  []byte
		step string
	}{
		"empty":              {nil, "der"},
		"truncated":          {raw[:len(raw)-1], "der"},
		"trailing":           {append(bytes.Clone(raw), 0), "der"},
		"oversized":          {append(bytes.Clone(raw), make([]byte, limits.Certificate)...), "size"},
		"non-minimal length": {lengthen(t, raw), "der"},
		"indefinite length":  {append(append([]byte{0x30, 0x80}, raw[4:]...), 0, 0), "der"},

		"no serial":               {change(func(s *spec) { s.serial = nil }), "serial"},
		"serial of 21 octets":     {change(func(s *spec) { s.serial = bytes.Repeat([]byte{1}, 21) }), "serial"},
		"padded serial":           {change(func(s *spec) { s.serial = []byte{0, 1} }), "serial"},
		"padded negative serial":  {change(func(s *spec) { s.serial = []byte{0xff, 0x80} }), "serial"},
		"encoded version 1":       {change(func(s *spec) { s.version = integer(0) }), "version"},
		"version 4":               {change(func(s *spec) { s.version = integer(3) }), "version"},
		"extensions in version 2": {change(func(s *spec) { s.version = integer(1) }), "extensions"},
		"empty issuer":            {change(func(s *spec) { s.issuer = seq() }), "issuer"},
		"issuer no SEQUENCE":      {change(func(s *spec) { s.issuer = wrap(cbasn1.SET) }), "issuer"},
		"empty subject":           {change(func(s *spec) { s.subject = seq() }), "subject"},
		"string of wrong type": {change(func(s *spec) {
			s.subject = seq(
				attr(cbasn1.PrintableString, "名", 2, 5, 4, 3))
		}), "subject"},
		"algorithms differ": {func() []byte {
			return bytes.Replace(raw, ecdsaSHA256, seq(oidDER(1, 2, 840, 10045, 4, 3, 3)), 1)
		}(), "signature-algorithm"},

		"ends before it begins": {change(func(s *spec) { s.notBefore, s.notAfter = s.notAfter, s.notBefore }),
			"validity"},
		"time without seconds":       {timed(cbasn1.UTCTime, "2611211200Z"), "validity"},
		"time with offset":           {timed(cbasn1.UTCTime, "261121120000+0900"), "validity"},
		"time without zone":          {timed(cbasn1.UTCTime, "261121120000"), "validity"},
		"time with fraction":         {timed(cbasn1.GeneralizedTime, "20251121120000.5Z"), "validity"},
		"generalised without zone":   {timed(cbasn1.GeneralizedTime, "20251121120000"), "validity"},
		"generalised, short year":    {timed(cbasn1.GeneralizedTime, "251121120000Z"), "validity"},
		"thirtieth of February":      {timed(cbasn1.UTCTime, "250230120000Z"), "validity"},
		"month 13":                   {timed(cbasn1.UTCTime, "251321120000Z"), "validity"},
		"hour 24":                    {timed(cbasn1.UTCTime, "251121240000Z"), "validity"},
		"second 60":                  {timed(cbasn1.UTCTime, "251121120060Z"), "validity"},
		"letters":                    {timed(cbasn1.UTCTime, "25112112000OZ"), "validity"},
		"time as OCTET STRING":       {timed(cbasn1.OCTET_STRING, "251121120000Z"), "validity"},
		"leap day of no leap year":   {timed(cbasn1.GeneralizedTime, "20250229120000Z"), "validity"},
		"non-ASCII digits in a time": {timed(cbasn1.UTCTime, "25112112\xb0\xb0\xb0\xb0Z"), "validity"},

		"extension twice":  {change(func(s *spec) { s.with(s.extensions[0]) }), "extensions"},
		"empty extensions": {change(func(s *spec) { s.extensions = [][]byte{{}} }), "extensions"},
		"critical 01": {change(func(s *spec) {
			s.with(
				seq(oidDER(1, 2, 3), []byte{1, 1, 1}, wrap(cbasn1.OCTET_STRING)))
		}), "extensions"},
		"too many extensions": {change(manyExtensions), "extensions"},

		"basicConstraints cA 01": {ext(oidBasicConstraints, seq([]byte{1, 1, 1})), "basic-constraints"},
		"path length without cA": {ext(oidBasicConstraints, seq(integer(0))), "basic-constraints"},
		"negative path length": {ext(oidBasicConstraints, seq([]byte{1, 1, 0xff}, integer(-1))),
			"basic-constraints"},
		"padded path length": {ext(oidBasicConstraints, seq([]byte{1, 1, 0xff}, []byte{2, 2, 0, 1})),
			"basic-constraints"},
		"basicConstraints trailing":    {ext(oidBasicConstraints, append(seq(), 5, 0)), "basic-constraints"},
		"empty keyUsage":               {ext(oidKeyUsage, []byte{3, 1, 0}), "key-usage"},
		"zero keyUsage":                {ext(oidKeyUsage, []byte{3, 2, 7, 0}), "key-usage"},
		"keyUsage with trailing zeros": {ext(oidKeyUsage, []byte{3, 2, 0, 0x80}), "key-usage"},
		"keyUsage of three octets":     {ext(oidKeyUsage, []byte{3, 4, 0, 1, 1, 1}), "key-usage"},
		"keyUsage as INTEGER":          {ext(oidKeyUsage, integer(1)), "key-usage"},
		"policy twice": {ext(oidCertificatePolicies, seq(seq(oidDER(1, 2, 3)), seq(oidDER(1, 2, 3)))),
			"policies"},
		"no policies":             {ext(oidCertificatePolicies, seq()), "policies"},
		"empty qualifiers":        {ext(oidCertificatePolicies, seq(seq(oidDER(1, 2, 3), seq()))), "policies"},
		"no mappings":             {ext(oidPolicyMappings, seq()), "policy-mappings"},
		"half a mapping":          {ext(oidPolicyMappings, seq(seq(oidDER(1, 2, 3)))), "policy-mappings"},
		"empty policyConstraints": {ext(oidPolicyConstraints, seq()), "policy-constraints"},
		"policyConstraints out of order": {ext(oidPolicyConstraints,
			seq(wrap(der.Tag1, []byte{0}), wrap(der.Tag0, []byte{0}))), "policy-constraints"},
		"negative inhibitAnyPolicy": {ext(oidInhibitAnyPolicy, integer(-1)), "inhibit-any-policy"},
		"empty subjectAltName":      {ext(oidSubjectAltName, seq()), "subject-alt-name"},
		"address of five octets": {ext(oidSubjectAltName, seq(general(names.FormIP, "\x01\x02\x03\x04\x05"))),
			"subject-alt-name"},
		"empty dNSName": {ext(oidSubjectAltName, seq(general(names.FormDNS, ""))), "subject-alt-name"},
		"dNSName with NUL": {ext(oidSubjectAltName,
			seq(general(names.FormDNS, "good.test\x00.evil.test"))), "subject-alt-name"},
		"dNSName beyond ASCII": {ext(oidSubjectAltName, seq(general(names.FormDNS, "\xe5.test"))),
			"subject-alt-name"},
		"unknown form of name": {ext(oidSubjectAltName, seq(wrap(cbasn1.Tag(0x89), []byte("x")))),
			"subject-alt-name"},
		"distribution point of reasons": {ext(oidCRLDistribution, seq(seq(wrap(der.Tag1, []byte{1, 6})))),
			"crl-distribution-points"},
		"no distribution points": {ext(oidCRLDistribution, seq()), "crl-distribution-points"},
		"empty key identifier":   {ext(oidSubjectKeyID, wrap(cbasn1.OCTET_STRING)), "subject-key-id"},
		"issuer without serial number": {ext(oidAuthorityKeyID,
			seq(wrap(der.Tag1C, general(names.FormDirectory, string(dn("A")))))), "authority-key-id"},
		"no purposes":           {ext(oidExtendedKeyUsage, seq()), "extended-key-usage"},
		"empty nameConstraints": {ext(oidNameConstraints, seq()), "name-constraints"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			parsed, err := ParseCertificate(c.der)
			var e *Error
			if parsed != nil || !errors.As(err, &e) || e.Reason != ReasonMalformed || e.Step != "certificate."+c.step {
				t.Fatalf("got %v, want certificate.%s", err, c.step)
			}
			if e.Clause == "" || strings.Contains(e.Error(), "EE") {
				t.Errorf("error text: %v", e)
			}
		})
	}
	if _, err := ParseCertificate(raw); err != nil {
		t.Errorf("the certificate that was spoilt is not good itself: %v", err)
	}
	withoutSubject := good()
	withoutSubject.subject = seq()
	withoutSubject.with(extDER(oidSubjectAltName, true, seq(general(names.FormDNS, "good.test"))))
	if _, err := ParseCertificate(withoutSubject.der()); err != nil {
		t.Errorf("empty subject with critical subjectAltName: %v", err)
	}
	if _, err := ParseCertificate(timed(cbasn1.GeneralizedTime, "20251121120000Z")); err != nil {
		t.Errorf("GeneralizedTime before 2050: %v", err)
	}
}

func manyExtensions(s *spec) {
	for i := range limits.Extensions {
		s.with(extDER(asn1.ObjectIdentifier{1, 2, 3, i}, false, nil))
	}
}

// Every prefix of a certificate, and every certificate with one octet changed, is read without a panic.
func TestEveryTruncationAndFlip(t *testing.T) {
	raw := caSpec("Sub", "sub", "A", "A").with(
		policiesExt(asn1.ObjectIdentifier{1, 2, 3}), extDER(oidSubjectAltName, false,
			seq(general(names.FormDNS, "a.test"))),
		extDER(oidNameConstraints, true, seq(wrap(der.Tag0C, seq(general(names.FormDNS, "a.test"))))),
	).der()
	for i := range raw {
		if _, err := ParseCertificate(raw[:i]); err == nil {
			t.Fatalf("%d of %d octets were read as a certificate", i, len(raw))
		}
		flipped := bytes.Clone(raw)
		flipped[i] ^= 0xff
		_, _ = ParseCertificate(flipped)
	}
}

// What is not DER is named in a sentence.
func TestParseSaysWhatItGot(t *testing.T) {
	for want, data := range map[string]string{
		"this is PEM": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "the file is empty": "",
		"this is base64": "MIIBAAAA", "indefinite length": "\x30\x80\x00\x00",
	} {
		_, err := ParseCertificate([]byte(data))
		if !errors.Is(err, &Error{Reason: ReasonMalformed}) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
