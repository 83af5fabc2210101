package certpath

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// FuzzParseCertificate compares with crypto/x509: what both read must mean the same to both.
func FuzzParseCertificate(f *testing.F) {
	f.Add(leafSpec("EE", "A", "A").der())
	f.Add(caSpec("Sub", "sub", "A", "A").with(
		policiesExt(asn1.ObjectIdentifier{1, 2, 3}),
		extDER(oidSubjectAltName, false, seq(general(names.FormDNS, "a.test"), general(names.FormEmail, "a@a.test"),
			general(names.FormURI, "https://a.test/"), general(names.FormIP, "\x01\x02\x03\x04"))),
		extDER(oidNameConstraints, true, seq(wrap(der.Tag0C, seq(general(names.FormDNS, "a.test"))),
			wrap(der.Tag1C, seq(general(names.FormEmail, "b.test"))))),
		extDER(oidPolicyMappings, true, seq(seq(oidDER(1, 2, 3), oidDER(1, 2, 4)))),
		extDER(oidPolicyConstraints, true, seq(wrap(der.Tag0, []byte{0}), wrap(der.Tag1, []byte{1}))),
		extDER(oidInhibitAnyPolicy, true, integer(3)),
		extDER(oidCRLDistribution, false, seq(seq(wrap(der.Tag0C,
			wrap(der.Tag0C, general(names.FormURI, "http://a.test/crl")))))),
	).der())
	files := pkitsFiles(f)
	for _, name := range []string{"ValidcRLIssuerTest28EE.crt", "nameConstraintsDN1CACert.crt",
		"P1Mapping1to234CACert.crt", "ValidNegativeSerialNumberTest14EE.crt"} {
		f.Add(files[name])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ours, err := ParseCertificate(raw)
		if err != nil {
			if reasonOf(err) != ReasonMalformed {
				t.Fatalf("reason of %v", err)
			}
			return
		}
		if !bytes.Equal(ours.Raw(), raw) {
			t.Fatal("the certificate is not what was given")
		}
		theirs, err := x509.ParseCertificate(raw)
		if err != nil {
			return // crypto/x509 has stricter views of keys, for instance
		}
		compareCertificates(t, ours, theirs)
	})
}

func compareCertificates(t *testing.T, ours *Certificate, theirs *x509.Certificate) {
	t.Helper()
	for _, c := range []struct {
		what string
		ok   bool
	}{
		{"version", ours.version == theirs.Version},
		{"subject", bytes.Equal(ours.subject.Raw, theirs.RawSubject)},
		{"issuer", bytes.Equal(ours.issuer.Raw, theirs.RawIssuer)},
		{"not before", ours.notBefore.Equal(theirs.NotBefore)},
		{"not after", ours.notAfter.Equal(theirs.NotAfter)},
		{"signed part", bytes.Equal(ours.tbs, theirs.RawTBSCertificate)},
		{"signature", bytes.Equal(ours.signature, theirs.Signature)},
		{"authority", ours.basic.ca == (theirs.IsCA && theirs.BasicConstraintsValid)},
		{"key identifier", bytes.Equal(ours.subjectKeyID, theirs.SubjectKeyId)},
		{"authority key identifier", bytes.Equal(ours.authorityKeyID, theirs.AuthorityKeyId)},
		{"may sign certificates", !ours.usage.present ||
			ours.permits(usageCertSign) == (theirs.KeyUsage&x509.KeyUsageCertSign != 0)},
		{"may sign lists", !ours.usage.present ||
			ours.permits(usageCRLSign) == (theirs.KeyUsage&x509.KeyUsageCRLSign != 0)},
		{"policies", len(ours.policies.ids) == len(theirs.Policies)},
		{"mappings", len(ours.mappings) == len(theirs.PolicyMappings)},
		{"extensions", len(ours.extensions) == len(theirs.Extensions)},
		{"dNSNames", countForm(ours.subjectNames, names.FormDNS) == len(theirs.DNSNames)},
		{"rfc822Names", countForm(ours.subjectNames, names.FormEmail) == len(theirs.EmailAddresses)},
		{"URIs", countForm(ours.subjectNames, names.FormURI) == len(theirs.URIs)},
		{"iPAddresses", countForm(ours.subjectNames, names.FormIP) == len(theirs.IPAddresses)},
	} {
		if !c.ok {
			t.Errorf("%s: not the same as crypto/x509", c.what)
		}
	}
	if ours.basic.pathLen >= 0 && theirs.IsCA {
		if n := theirs.MaxPathLen; n != ours.basic.pathLen && n < 16 {
			t.Errorf("path length %d, crypto/x509 %d", ours.basic.pathLen, n)
		}
	}
}

func countForm(names []names.General, form names.Form) (n int) {
	for i := range names {
		if names[i].Form == form {
			n++
		}
	}
	return n
}

// FuzzName checks that names that are the same octets are equal, and that comparison is symmetric.
func FuzzName(f *testing.F) {
	f.Add(dn("A"), dn("a"))
	f.Add(seq(attr(names.TagBMPString, "\x8a\x8d", 2, 5, 4, 3)), seq(attr(cbasn1.UTF8String, "認", 2, 5, 4, 3)))
	f.Add(seq(), seq(cn("\u200b")))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		a, ok := parseName(first)
		if !ok {
			return
		}
		if again, _ := parseName(first); !a.Equal(again) || !a.Within(again) {
			t.Fatal("a name is not equal to itself")
		}
		b, ok := parseName(second)
		if !ok {
			return
		}
		if a.Equal(b) != b.Equal(a) || a.Equal(b) != (a.Within(b) && b.Within(a)) {
			t.Fatal("comparison depends on the order")
		}
	})
}

// FuzzNameConstraints reads constraints and compares a name with them; an excluded name must never be allowed, whatever
// else is permitted.
func FuzzNameConstraints(f *testing.F) {
	for _, c := range [][2][]byte{
		{seq(wrap(der.Tag1C, seq(general(names.FormDNS, "a.test")))), general(names.FormDNS, "www.a.test")},
		{seq(wrap(der.Tag0C, seq(general(names.FormURI, ".a.test")))), general(names.FormURI, "https://www.a.test/")},
		{seq(wrap(der.Tag0C, seq(general(names.FormIP, "\x01\x02\x03\x04\xff\xff\xff\x00")))),
			general(names.FormIP, "\x01\x02\x03\x04")},
		{seq(wrap(der.Tag0C, seq(general(names.FormDirectory, string(dn("A")))))),
			general(names.FormDirectory, string(dn("A")))},
	} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, constraints, nameDER []byte) {
		n, ok := readNameConstraints(constraints)
		if !ok {
			return
		}
		s := cryptobyte.String(nameDER)
		g, ok := names.ReadGeneral(&s)
		if !ok {
			return
		}
		both := nameState{budget: comparisons(1 << 12)}
		both.add(n)
		excludedOnly := nameState{budget: comparisons(1 << 12)}
		excludedOnly.add(&nameConstraints{excluded: n.excluded})
		if both.allowsName(&g) && !excludedOnly.allowsName(&g) {
			t.Fatal("an excluded name is allowed")
		}
	})
}

// FuzzDistributionPoints reads distribution points; what is read has a name or an issuer.
func FuzzDistributionPoints(f *testing.F) {
	f.Add(seq(seq(wrap(der.Tag0C, wrap(der.Tag0C, general(names.FormDirectory, string(dn("A"))))),
		wrap(der.Tag1, []byte{1, 6}), wrap(der.Tag2C, general(names.FormDirectory, string(dn("B")))))))
	f.Add(seq(seq(wrap(der.Tag0C, wrap(der.Tag1C, seq(oidDER(2, 5, 4, 3), wrap(cbasn1.UTF8String, []byte("x"))))))))
	f.Fuzz(func(t *testing.T, value []byte) {
		points, ok := names.ReadPoints(value)
		for i := range points {
			if p := &points[i]; ok && len(p.Full) == 0 && p.Relative == "" && len(p.Issuers) == 0 {
				t.Fatal("a distribution point without a name")
			}
		}
	})
}

// FuzzPath builds a pool from the input – each pair of octets is a certificate of one of eight authorities by another
// one, with faults – and checks that the search ends, and that a path that is found is one.
func FuzzPath(f *testing.F) {
	f.Add([]byte{0x01, 0, 0x12, 0, 0x23, 0})
	f.Add([]byte{0x01, 0, 0x10, 0, 0x12, 0, 0x21, 0, 0x23, 1, 0x13, 2, 0x33, 4})
	made := map[[2]byte]*Certificate{}
	name := func(n byte) string { return fmt.Sprintf("F%d", n&7) }
	f.Fuzz(func(t *testing.T, program []byte) {
		var pool []*Certificate
		for i := 0; i+1 < len(program) && i < 200; i += 2 {
			id := [2]byte{program[i] & 0x77, program[i+1] & 7}
			if made[id] == nil {
				subject, issuer := name(id[0]), name(id[0]>>4)
				s := caSpec(subject, subject, issuer, issuer)
				s.serial = []byte{2, id[0], id[1]}
				if id[1]&1 != 0 {
					s.notAfter = utcTime(noon().Add(-day))
				}
				if id[1]&2 != 0 {
					s.signer = "stranger"
				}
				if id[1]&4 != 0 {
					s.without(oidBasicConstraints)
				}
				made[id] = s.cert(t)
			}
			pool = append(pool, made[id])
		}
		key := [2]byte{0xff, 0}
		if made[key] == nil {
			made[key] = rootOf(t, "F0")
			made[[2]byte{0xff, 1}] = leafSpec("EE", "F3", "F3").cert(t)
		}
		v, err := NewVerifier(testConfig([]*Certificate{made[key]}, pool...))
		if err != nil {
			t.Fatal(err)
		}
		result, err := v.Verify(context.Background(), made[[2]byte{0xff, 1}], At(noon().Add(time.Second)))
		if (err == nil) != result.Valid {
			t.Fatal("result and error disagree")
		}
		if reachable := reaches(program); (err == nil) != reachable {
			t.Fatalf("valid = %v, but there is a good path: %v (%v)", result.Valid, reachable, err)
		}
		for i := 1; err == nil && i < len(result.Path); i++ {
			if !result.Path[i].issuer.Equal(result.Path[i-1].subject) {
				t.Fatal("the path does not chain")
			}
		}
	})
}

// reaches walks from F0 over certificates without faults to F3, independently of the search.
func reaches(program []byte) bool {
	reached := [8]bool{true}
	for range 8 {
		for i := 0; i+1 < len(program) && i < 200; i += 2 {
			id := program[i] & 0x77
			if program[i+1]&7 == 0 && reached[id>>4] {
				reached[id&7] = true
			}
		}
	}
	return reached[3]
}

// FuzzLists gives a list from anywhere to the validator: only the authority's own signature can make a certificate
// good.
func FuzzLists(f *testing.F) {
	anchor, leaf := rootOf(f, "A"), leafSpec("EE", "A", "A").cert(f)
	good := newList("A", "A").der()
	signed := good[:len(good)-80] // everything but the signature, roughly: the signed part begins alike
	f.Add(good)
	f.Add(newList("A", "A", entry(leafSerial, noon().Add(-day), 4)).der())
	f.Add(newList("A", "stranger").with(idp(fullName(directory("P")), flag(der.Tag4))).der())
	f.Add(newList("A", "A").with(idp(relativeName("P"), wrap(der.Tag3, []byte{5, 0x60}))).der())
	f.Fuzz(func(t *testing.T, raw []byte) {
		u, err := crl.Parse(raw, crl.Options{})
		if err != nil {
			return
		}
		lists, err := revocation.NewLists(u)
		if err != nil {
			return
		}
		c := testConfig([]*Certificate{anchor})
		c.Revocation = revocation.Require(lists)
		if _, err := validate(t, c, leaf); err == nil && !bytes.Contains(raw, signed[4:]) {
			t.Fatal("a list that the authority did not sign made a certificate good")
		}
	})
}
