package jpki

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"
)

// The fuzz targets hold the strict parsers against crypto/x509: whatever they accept, it accepts too and reads the same.

func FuzzParseCertificate(f *testing.F) {
	a := signingAuthority(f, "ca")
	signing, auth := a.signingSpec(1, 2, 3), a.authSpec(4)
	f.Add(signing.sign(a.key))
	f.Add(auth.sign(a.key))
	f.Add(a.cert.Raw)
	f.Add([]byte{0x30, 0x80})
	v := newVerifier(f, InsecureNoRevocation(), a)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ParseCertificate(der)
		if err != nil {
			if reasonOf(err) != ReasonMalformed || c != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		std, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatalf("crypto/x509 refuses it: %v", err)
		}
		if !c.ValidFrom().Equal(std.NotBefore) || !c.ValidUntil().Equal(std.NotAfter) || len(c.Policies) != len(std.PolicyIdentifiers) ||
			std.SerialNumber.Sign() <= 0 || len(c.form.extensions) != len(std.Extensions) {
			t.Fatal("crypto/x509 reads something else")
		}
		for i, e := range std.Extensions {
			if !e.Id.Equal(c.form.extensions[i].ID) || e.Critical != c.form.extensions[i].Critical || !bytes.Equal(e.Value, c.form.extensions[i].Value) {
				t.Fatalf("extension %d differs", i)
			}
		}
		// Nobody but the authority can make a good certificate.
		if res, err := v.Verify(t.Context(), c); err == nil && std.CheckSignatureFrom(a.cert) != nil {
			t.Fatalf("%v", res)
		}
	})
}

func FuzzAddList(f *testing.F) {
	a := signingAuthority(f, "ca")
	c := a.signingLeaf(f)
	for _, entries := range [][][]byte{nil, {revoked(c, now)}, {revoked(c, now, reasonExt(6), ext(oidInvalidityDate, false, generalizedTime(now))), entry([]byte{1}, now)}} {
		spec := a.list(1, entries...)
		f.Add(spec.sign(a.key))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		store := NewCRLs()
		if err := store.Add(der); err != nil {
			if reasonOf(err) != ReasonList {
				t.Fatal(err)
			}
			return
		}
		std, err := x509.ParseRevocationList(der)
		if err != nil && strings.Contains(err.Error(), "RDNSequence") {
			return // it decodes the strings of names, which are compared as encoded here
		}
		if err != nil {
			t.Fatalf("crypto/x509 refuses it: %v", err)
		}
		// A list that the authority did not sign decides nothing.
		answer, err := store.Check(t.Context(), RevocationQuery{Leaf: c, Issuer: a.cert, At: now})
		if err == nil && std.CheckSignatureFrom(a.cert) != nil {
			t.Fatalf("%v", answer)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	w := newOCSPWorld(f)
	direct, delegated := w.direct(), w.delegated()
	seeds := [][]byte{direct.sign(), delegated.sign(), {0x30, 3, 10, 1, 6}}
	direct.singles = [][]byte{single(w.id.der(), statusRevoked(now, 1), now, time.Time{}, ext(oidInvalidityDate, false, generalizedTime(now)))}
	seeds = append(seeds, direct.sign())
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := parseResponse(der)
		if err == nil && (len(r.singles) == 0 || r.algorithm == nil || (r.responderName == nil) == (r.responderKey == nil)) {
			t.Fatal("incomplete response")
		}
		w.t = t
		// Nobody but the authority and its responder can decide anything: whatever decides has bytes that they signed.
		answer, err := w.verify(der, now)
		signed := func(seed []byte) bool {
			known, _ := parseResponse(seed)
			return known != nil && r != nil && bytes.Equal(known.tbs, r.tbs)
		}
		if (err == nil) != (answer.Status != Unknown) || err == nil && !slices.ContainsFunc(seeds, signed) {
			t.Fatalf("%v, %v", answer, err)
		}
	})
}
