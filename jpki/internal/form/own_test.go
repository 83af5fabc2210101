package form_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"testing"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// specimens are certificates of JPKI's forms, and with what crypto/x509 alone reads.
func specimens(t testing.TB) map[string][]byte {
	t.Helper()
	a := testca.SigningAuthority(t, "ca")
	constraint := testca.Sequence(testca.Wrap(der.Tag0C, testca.Sequence(testca.Wrap(der.Tag2, []byte("example.jp")))))
	relative := testca.Sequence(testca.Sequence(testca.Wrap(der.Tag0C, testca.Wrap(der.Tag1C,
		testca.Sequence(testca.OID(testca.OIDCN), testca.Wrap(cbasn1.UTF8String, []byte("list")))))))
	access := func(method []byte) []byte {
		return testca.Sequence(testca.Sequence(method, testca.Wrap(der.Tag6, []byte("http://ocsp.example"))))
	}
	client := testca.OID(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2})
	ocsp := testca.OID(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1})
	name := func(tag cbasn1.Tag, text string) func(*testca.CertSpec) {
		return func(s *testca.CertSpec) { s.Subject = testca.Name(testca.Attr(testca.OIDCN, tag, text)) }
	}
	more := func(id asn1.ObjectIdentifier, critical bool, value []byte) func(*testca.CertSpec) {
		return func(s *testca.CertSpec) { s.Add(testca.Ext(id, critical, value)) }
	}
	id := func(n ...int) asn1.ObjectIdentifier { return append(asn1.ObjectIdentifier{2, 5, 29}, n...) }
	huge := append([]byte{2, 9}, bytes.Repeat([]byte{1}, 9)...)
	out := map[string][]byte{"authority": a.Cert.Raw}
	for label, change := range map[string]func(*testca.CertSpec){
		"card":               func(*testca.CertSpec) {},
		"PrintableString":    name(cbasn1.PrintableString, "A b(c)"),
		"no PrintableString": name(cbasn1.PrintableString, "A_b"),
		"no UTF-8":           name(cbasn1.UTF8String, "\xff"),
		"BMPString":          name(cbasn1.Tag(30), "\x65\x70"),
		"name of another type": func(s *testca.CertSpec) {
			s.Subject = testca.Name(testca.Attr(asn1.ObjectIdentifier{1, 2, 3}, cbasn1.UTF8String, "x"))
		},
		"CA":                          more(id(19), true, testca.Sequence([]byte{1, 1, 0xff})),
		"not a CA":                    more(id(19), false, testca.Sequence()),
		"path length":                 more(id(19), true, testca.Sequence([]byte{1, 1, 0xff}, []byte{2, 1, 0})),
		"key identifier":              more(id(14), false, testca.Wrap(cbasn1.OCTET_STRING, []byte{1, 2, 3})),
		"key identifier, critical":    more(id(14), true, testca.Wrap(cbasn1.OCTET_STRING, []byte{1, 2, 3})),
		"key identifier, of a number": more(id(14), false, testca.Integer(1)),
		"access":                      more(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, false, access(ocsp)),
		"access of nothing":           more(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, false, access(nil)),
		"access, critical":            more(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, true, access(ocsp)),
		"purposes":                    more(id(37), false, testca.Sequence(client)),
		"name constraints":            more(id(30), true, constraint),
		"no name constraints":         more(id(30), true, testca.Sequence()),
		"policy constraints":          more(id(36), true, testca.Sequence(testca.Wrap(der.Tag0, []byte{0}))),
		"no policy constraints":       more(id(36), true, testca.Integer(1)),
		"of nobody":                   more(asn1.ObjectIdentifier{1, 2, 3, 4}, false, testca.Integer(1)),
		"relative point": func(s *testca.CertSpec) {
			s.Replace(testca.OIDCRLDistribution, testca.Ext(testca.OIDCRLDistribution, false, relative))
		},
		"a mailbox that is none": func(s *testca.CertSpec) {
			s.Replace(testca.OIDSubjectAltName, testca.SanExt(testca.Wrap(der.Tag1, []byte("\xff"))))
		},
		"an address of five octets": func(s *testca.CertSpec) {
			s.Replace(testca.OIDSubjectAltName, testca.SanExt(testca.Wrap(der.Tag7, []byte("12345"))))
		},
		"usage of nine bits": func(s *testca.CertSpec) {
			s.Replace(testca.OIDKeyUsage, testca.Ext(testca.OIDKeyUsage, true, []byte{3, 3, 7, 0xff, 0x80}))
		},
		"usage of odd bits": func(s *testca.CertSpec) {
			s.Replace(testca.OIDKeyUsage, testca.Ext(testca.OIDKeyUsage, true, []byte{3, 2, 7, 0xff}))
		},
		"more behind the usage": func(s *testca.CertSpec) {
			s.Replace(testca.OIDKeyUsage, testca.Ext(testca.OIDKeyUsage, true, []byte{3, 2, 6, 0xc0, 5, 0}))
		},
		"key of zero":      func(s *testca.CertSpec) { s.Key = rsaInfo([]byte{2, 1, 0}, []byte{2, 1, 3}, nil) },
		"key below zero":   func(s *testca.CertSpec) { s.Key = rsaInfo([]byte{2, 1, 0xff}, []byte{2, 1, 3}, nil) },
		"key not minimal":  func(s *testca.CertSpec) { s.Key = rsaInfo([]byte{2, 2, 0, 1}, []byte{2, 1, 3}, nil) },
		"exponent of zero": func(s *testca.CertSpec) { s.Key = rsaInfo([]byte{2, 1, 5}, []byte{2, 1, 0}, nil) },
		"exponent, huge": func(s *testca.CertSpec) {
			s.Key = rsaInfo([]byte{2, 1, 5}, huge, nil)
		},
		"more behind a key": func(s *testca.CertSpec) {
			s.Key = rsaInfo([]byte{2, 1, 5}, []byte{2, 1, 3}, []byte{5, 0})
		},
		"key of no algorithm": func(s *testca.CertSpec) {
			s.Key = testca.Sequence(testca.Sequence(testca.OID(asn1.ObjectIdentifier{1, 2, 3})),
				testca.BitString([]byte{1}))
		},
		"key without parameters": func(s *testca.CertSpec) {
			s.Key = testca.Sequence(testca.Sequence(testca.OID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1})),
				testca.BitString(testca.Sequence([]byte{2, 1, 5}, []byte{2, 1, 3})))
		},
	} {
		spec := a.SigningSpec(1)
		change(&spec)
		out[label] = spec.Sign(a.Key)
	}
	c, err := asn1.Marshal(whole(t)) // with an elliptic key
	if err != nil {
		t.Fatal(err)
	}
	out["elliptic"] = c
	return out
}

// rsaInfo is a SubjectPublicKeyInfo of odd numbers.
func rsaInfo(n, e, more []byte) []byte {
	id := testca.OID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1})
	return testca.Sequence(testca.Sequence(id, []byte{5, 0}), testca.BitString(append(testca.Sequence(n, e), more...)))
}

// same compares what is read with what crypto/x509 reads, which must be all of it.
func same(t *testing.T, raw []byte) (read bool) {
	t.Helper()
	f, err := form.Read(raw)
	if err != nil {
		return false
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatalf("read, which crypto/x509 refuses: %v", err)
	}
	var key bool
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		key = k.Equal(f.Key)
	case *ecdsa.PublicKey:
		key = k.Equal(f.Key)
	default:
		key = true // others verify nothing here
	}
	if !key || c.KeyUsage != f.KeyUsage || c.IsCA != f.CA || !bytes.Equal(c.SubjectKeyId, f.SubjectKeyID) ||
		!bytes.Equal(c.AuthorityKeyId, f.AuthorityKeyID) {
		t.Fatalf("key %v, usage %v, CA %v, identifiers %x and %x", f.Key, f.KeyUsage, f.CA, f.SubjectKeyID,
			f.AuthorityKeyID)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageOCSPSigning} {
		found := false
		for _, u := range c.ExtKeyUsage {
			found = found || u == usage
		}
		if found != f.HasExtKeyUsage(usage) {
			t.Fatalf("purpose %v: %v", usage, !found)
		}
	}
	for name, pair := range map[string][2][]byte{
		"certificate": {c.Raw, f.Raw}, "signed": {c.RawTBSCertificate, f.TBS}, "issuer": {c.RawIssuer, f.Issuer},
		"subject": {c.RawSubject, f.Subject}, "key": {c.RawSubjectPublicKeyInfo, f.KeyInfo},
		"signature": {c.Signature, f.Signature}, "serial": {c.SerialNumber.Bytes(), bytes.TrimLeft(f.Serial, "\x00")},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Fatalf("%s: %x instead of %x", name, pair[1], pair[0])
		}
	}
	if !c.NotBefore.Equal(f.NotBefore) || !c.NotAfter.Equal(f.NotAfter) {
		t.Fatalf("valid from %v to %v", f.NotBefore, f.NotAfter)
	}
	return true
}

// TestReadsLikeTheLibrary: what is read without crypto/x509 is what it would have read, and what it refuses is refused.
func TestReadsLikeTheLibrary(t *testing.T) {
	t.Parallel()
	read := 0
	for name, raw := range specimens(t) {
		_, err := x509.ParseCertificate(raw)
		if got := same(t, raw); got != (err == nil) {
			t.Errorf("%s: read %v, crypto/x509 says %v", name, got, err)
		} else if got {
			read++
		}
	}
	if read < 15 {
		t.Errorf("only %d were read", read)
	}
}

// FuzzRead: what is read here, crypto/x509 reads as the same.
func FuzzRead(f *testing.F) {
	for _, raw := range specimens(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { same(t, raw) })
}

// BenchmarkRead reads a certificate of a card, and crypto/x509 reads it in turn.
func BenchmarkRead(b *testing.B) {
	a := testca.SigningAuthority(b, "ca")
	spec := a.SigningSpec(1)
	raw := spec.Sign(a.Key)
	tests.InTurns(b, "x-stdlib", func() {
		if _, err := x509.ParseCertificate(raw); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := form.Read(raw); err != nil {
			b.Fatal(err)
		}
	})
}
